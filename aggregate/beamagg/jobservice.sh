#!/bin/sh
# Runs the tests of this package against the portable job service of Beam's Python SDK, with workers in the
# process of the tests. It needs Python and some 500 MB for PyPI's apache-beam, which it installs beside itself if
# BEAM_PYTHON names no Python that has it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
stop() {
	[ -z "${service:-}" ] || kill "$service" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT INT TERM
python=${BEAM_PYTHON:-}
if [ -z "$python" ]; then
	python3 -m venv "$work/venv"
	python=$work/venv/bin/python
	"$python" -m pip install --quiet apache-beam==2.77.0
fi
"$python" -m apache_beam.runners.portability.local_job_service_main --port 0 --port_file "$work/port" >"$work/log" 2>&1 &
service=$!
tries=0
until [ -s "$work/port" ]; do
	tries=$((tries + 1))
	[ $tries -lt 120 ] || { cat "$work/log"; exit 1; }
	sleep 1
done
cd "$here" && go test -count=1 -v -run JobService -job_service "localhost:$(cat "$work/port")" .
