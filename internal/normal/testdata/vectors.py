"""Reference values of the standard normal law, made with mpmath 1.3.0:

    python3 vectors.py > vectors.json

Every argument is a float64 exactly; every value is computed with 60 digits and
written with 30.
"""
import json
from mpmath import mp, mpf, erfc, log, sqrt, pi, exp, expm1, erfinv, log1p

mp.dps = 60


def tail(x):
    return erfc(x / sqrt(mpf(2))) / 2


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def log_tail(x):
    if x < 0:
        return log1p(-tail(-x))
    if x > 1000:  # 1 - 1/x² + 3/x⁴ - … , alternating
        s, term = mpf(0), mpf(1)
        for k in range(1, 40):
            s += term
            term *= -(2 * k - 1) / (x * x)
        return -x * x / 2 - log(x * sqrt(2 * pi)) + log(s)
    return log(tail(x))


def root(log_p):
    if log_p > log(mpf(1) / 2):
        return -root(log(-expm1(log_p)))
    z = sqrt(-2 * log_p)
    for _ in range(200):
        mills = 1 / z if z > 1000 else tail(z) / density(z)
        step = (log_tail(z) - log_p) * mills
        z += step
        if abs(step) < mpf(10) ** -50 * (1 + z):
            break
    return z


def text(x):
    return mp.nstr(x, 30, min_fixed=0, max_fixed=0)


xs = sorted({s * x for s in (1, -1) for x in (
    0.0, 1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.3, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 3.9999999999999996, 4.0, 4.000000000000001,
    5.0, 6.3, 8.0, 8.2, 10.0, 15.1, 20.0, 26.5, 28.0, 30.3, 35.0, 37.0, 37.5)})
far = [38.0, 38.6, 40.0, 1e2, 1234.5, 1e4, 1e9, 1.1e9, 1e12, 1e100]
out = {
    "tail": [{"x": x, "density": text(density(mpf(x))), "tail": text(tail(mpf(x))), "log": text(log_tail(mpf(x))),
              "mills": text(tail(mpf(x)) / density(mpf(x))), "slope": text(1 - mpf(x) * tail(mpf(x)) / density(mpf(x)))} for x in xs],
    "far": [{"x": x, "log": text(log_tail(mpf(x)))} for x in far],
    "beyond": [{"logP": p, "z": text(root(mpf(p)))} for p in (
        -1e-300, -1e-30, -1e-12, -1e-3, -0.1, -0.5, -0.69, -0.6931471805599453, -0.694, -0.7, -1.0, -2.0, -5.0, -10.0, -20.0, -21.5, -38.0, -100.0, -300.0,
        -690.0, -745.0, -1000.0, -1e4, -1e6, -1e12, -1e100, -1e300)],
    "within": [{"p": p, "z": text(sqrt(mpf(2)) * (erfinv(mpf(p)) if p < 0.5 else root(log((1 - mpf(p)) / 2)) / sqrt(mpf(2))))} for p in (
        1e-300, 1e-100, 1e-17, 1e-9, 1e-3, 0.1, 0.25, 0.4999999999999999, 0.5, 0.7, 0.8499, 0.85, 0.8501, 0.9, 0.95, 0.99,
        0.999999, 1 - 1e-12, 1 - 2.0**-53)],
}
print(json.dumps(out, indent=0))
