"""The μ of ε-privacy, 2Φ⁻¹(e^ε/(1+e^ε)), made with mpmath 1.3.0:

    python3 pure_mu.py > pure_mu.json
"""
import json
from mpmath import mp, mpf, erfc, erfinv, exp, log, log1p, sqrt, pi, tanh

mp.dps = 60


def mu(e):
    if e < 1:
        return 2 * sqrt(mpf(2)) * erfinv(tanh(e / 2))
    log_q = -(e + log1p(exp(-e)))
    z = sqrt(-2 * log_q)
    for _ in range(100):
        if z > 1000:  # 1 - 1/z² + 3/z⁴ - …
            s, term = mpf(0), mpf(1)
            for k in range(1, 40):
                s += term
                term *= -(2 * k - 1) / (z * z)
            log_tail, mills = -z * z / 2 - log(z * sqrt(2 * pi)) + log(s), 1 / z
        else:
            tail = erfc(z / sqrt(mpf(2))) / 2
            log_tail, mills = log(tail), tail * sqrt(2 * pi) * exp(z * z / 2)
        step = (log_tail - log_q) * mills
        z += step
        if abs(step) < mpf(10) ** -45 * z:
            break
    return 2 * z


print(json.dumps([{"epsilon": e, "mu": mp.nstr(mu(mpf(e)), 30)} for e in (
    1e-300, 1e-100, 1e-17, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.7, 0.9999999999999999, 1.0, 1.0000000000000002, 1.1, 2.0, 3.0, 5.0, 8.0, 13.0, 17.0,
    20.0, 21.0, 21.5, 22.0, 25.0, 30.0, 36.0, 37.0, 38.0, 40.0, 100.0, 500.0, 692.0, 693.2, 700.0, 745.2, 1e3, 1e4, 1e6, 1e9, 1e100)], indent=0))
