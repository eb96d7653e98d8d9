"""Measures quantiles of OpenDP and diffprivlib on the data of examples/accuracy.

    go run ./examples/accuracy -write-data sets
    pip install opendp==0.16.0 diffprivlib==0.6.6 "scikit-learn<1.6"
    python examples/accuracy/peers.py sets examples/accuracy/peers.json

Both libraries answer quantiles with pure ε. OpenDP chooses among public candidates:
1,001 of them, evenly between the bounds. Several quantiles get equal shares of ε.
Errors are mean rank errors, as a share of the number of values; nothing where the
rank falls on values that are equal to the answer.
"""

import bisect
import importlib.metadata
import json
import pathlib
import sys
import warnings

import numpy as np
import opendp.prelude as dp
from diffprivlib import tools

RUNS = 100
EPSILONS = [0.1, 1, 5]
TASKS = {"median": [0.5], "nine quantiles": [(i + 1) / 10 for i in range(9)]}

dp.enable_features("contrib")
warnings.simplefilter("ignore")


def rank_error(values, rank, x):
    n = len(values)
    below, up_to = bisect.bisect_left(values, x), bisect.bisect_right(values, x)
    return max(0, below - rank * n, rank * n - up_to) / n


def opendp(values, lower, upper, ranks, epsilon):
    candidates = np.linspace(lower, upper, 1001).tolist()
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.symmetric_distance()

    def measurement(rank, scale):
        return dp.m.make_private_quantile(*space, dp.max_divergence(), candidates, rank, scale)

    mechanisms = []
    for rank in ranks:
        scale = dp.binary_search_param(lambda s: measurement(rank, s), d_in=1, d_out=epsilon / len(ranks), T=float)
        mechanisms.append(measurement(rank, scale))
    return lambda: [m(values) for m in mechanisms]


def diffprivlib(values, lower, upper, ranks, epsilon):
    array = np.array(values)
    return lambda: [
        tools.quantile(array, rank, epsilon=epsilon / len(ranks), bounds=(lower, upper)) for rank in ranks
    ]


def main(folder, out):
    libraries = {"opendp": opendp, "diffprivlib": diffprivlib}
    results = []
    for path in sorted(pathlib.Path(folder).glob("*.csv")):
        name, n = path.stem.rsplit("-", 1)
        first, *rest = path.read_text().splitlines()
        lower, upper, step = map(float, first.split(","))
        values = sorted(map(float, rest))
        for task, ranks in TASKS.items():
            for epsilon in EPSILONS:
                for library, ask in libraries.items():
                    draw = ask(values, lower, upper, ranks, epsilon)
                    errors = []
                    for _ in range(RUNS):
                        for rank, x in zip(ranks, draw()):
                            errors.append(rank_error(values, rank, round(x / step) * step if step else x))
                    results.append(
                        dict(library=library, task=task, data=name, n=int(n), epsilon=epsilon, error=float(np.mean(errors)))
                    )
                    print(results[-1], file=sys.stderr)
    versions = {name: importlib.metadata.version(name) for name in libraries}
    pathlib.Path(out).write_text(json.dumps(dict(versions=versions, runs=RUNS, results=results), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
