#!/bin/sh
# Runs the release of examples/shards under Spark: a standalone master and two workers, and an
# executor that is killed once the rows have been shuffled. It needs Python, Java 17 or later,
# and 500 MB for PyPI's pyspark, which it installs beside itself if SPARK_PYTHON names no Python that has it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
stop() {
	[ -z "${processes:-}" ] || kill $processes 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT INT TERM
python=${SPARK_PYTHON:-}
if [ -z "$python" ]; then
	python3 -m venv "$work/venv"
	python=$work/venv/bin/python
	"$python" -m pip install --quiet pyspark==4.3.0
fi
SPARK_HOME=$("$python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
export SPARK_HOME PYSPARK_PYTHON="$python" SPARK_LOCAL_IP=127.0.0.1
master=spark://127.0.0.1:7077
class() { # runs a class of Spark in the background, with its log
	log=$1
	shift
	"$SPARK_HOME/bin/spark-class" "$@" >"$work/$log" 2>&1 &
	processes="${processes:-} $!"
}
class master org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 7077 --webui-port 0
for n in 1 2; do
	class "worker$n" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --webui-port 0 --cores 2 --memory 1g --work-dir "$work/worker$n.d" "$master"
done
tries=0
until [ "$(grep -o "Registering worker [^ ]*" "$work/master" | sort -u | wc -l)" -ge 2 ]; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { cat "$work/master"; exit 1; }
	sleep 1
done
cd "$here" && go test -count=1 -v -run Spark -spark "$master" .
