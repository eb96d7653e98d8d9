"""Has Spark collect the shards of a release: spark.py MASTER PROGRAM JOB ROWS [MARK].

Each partition is piped through PROGRAM, which leaves a sealed part in the job's folder. What
is printed is the list of the parts, one of each shard: of every partition Spark takes the result
of one attempt, whichever others were there. With a MARK, the first attempt at shard 1 kills its
executor once the rows have been shuffled, and leaves that file.
"""

import json
import os
import signal
import sys

from pyspark import SparkConf, SparkContext, TaskContext

master, program, job, rows = sys.argv[1:5]
mark = sys.argv[5] if len(sys.argv) > 5 else ""
shards = json.loads(job)["shard"]["of"]


def parent(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])


def numbered(shard, lines):
    """The number of the shard, and its rows. Asking for the first row reads the shuffle."""
    yield str(shard)
    for _, line in lines:
        if mark and shard == 1 and TaskContext.get().attemptNumber() == 0 and not os.path.exists(mark):
            open(mark, "x").close()
            executor = os.getpid()
            while "CoarseGrainedExecutorBackend" not in open(f"/proc/{executor}/cmdline").read():
                executor = parent(executor)
            os.kill(executor, signal.SIGKILL)
        yield line


def placed(line):
    shard, row = line.split("\t", 1)
    return int(shard), row


def command(what):
    return f"{program} {what} '{job}'"


context = SparkContext(conf=SparkConf().setMaster(master).setAppName("shards").set("spark.ui.enabled", "false"))
context.setLogLevel("ERROR")
parts = (
    context.textFile(rows, 4)
    .pipe(command("place"), checkCode=True)
    .map(placed)
    .partitionBy(shards, lambda shard: shard)
    .mapPartitionsWithIndex(numbered)
    .pipe(command("pipe"), checkCode=True)
    .collect()
)
context.stop()
print("[" + ",".join(parts) + "]")
