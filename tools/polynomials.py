"""Fits the polynomials of docs/numbers.md: weighted minimax by Lawson iteration in float64 over
Chebyshev nodes, coefficients rounded one by one (lowest power first) and the rest fitted again."""
import numpy as np
from mpmath import mp, mpf, exp, expm1, tanh, erf, erfc, log
mp.dps = 40

def nodes(lo, hi, n=4000):
    k = np.arange(n)
    return lo + (hi - lo) * (1 - np.cos(np.pi * (k + 0.5) / n)) / 2

def fit(t, f, w, n, kind):
    fixed = []
    while len(fixed) < n:
        base = sum(c * t**i for i, c in enumerate(fixed)) if fixed else 0 * t
        m = n - len(fixed)
        A = np.stack([t ** (len(fixed) + i) for i in range(m)], 1) * w[:, None]
        b = (f - base) * w
        lam = np.ones_like(t)
        scale = np.abs(A).max(0)
        for _ in range(60):
            s = np.sqrt(lam)
            c = np.linalg.lstsq(A / scale * s[:, None], b * s, rcond=None)[0] / scale
            e = np.abs(A @ c - b)
            lam = lam * (e / e.max() + 1e-3); lam /= lam.sum() / len(lam)
        fixed.append(float(kind(c[0])))
    e = np.abs(sum(c * t**i for i, c in enumerate(fixed)) - f) * w
    return fixed, e.max()

def show(name, r):
    print(name, "error", r[1])
    for c in r[0]:
        print("   ", float(c).hex(), repr(np.float32(c)))

F = np.float32
ev = lambda fn, t: np.array([float(fn(mpf(float(v)))) for v in t])
h = 0.3475
t = nodes(-h, h); t = t[np.abs(t) > 1e-6]
f = ev(lambda r: (expm1(r) - r) / r**2, t); w = t**2 / np.exp(t)
show("exp q4", fit(t, f, w, 5, F))
f = ev(lambda r: (expm1(r) - r) / r**2, t)
show("exp double q9", fit(t, f, w, 10, np.float64))
for n in (4, 5):
    x = nodes(1e-4, 0.625); f = ev(lambda v: (tanh(v) / v - 1) / v**2, x)
    show(f"tanh {n}", fit(x**2, f, x**2 / (np.tanh(x) / x), n, F))
for n in (5, 6, 7):
    x = nodes(1e-4, 0.9); f = ev(lambda v: erf(v) / v - 1, x)
    show(f"erf small {n}", fit(x**2, f, 1 / (1 + f), n, F))
for n in (7, 8, 9, 10):
    x = nodes(0.9, 4.0); f = ev(lambda v: log(erfc(v)), x); w = ev(erfc, x)
    show(f"erf large {n}", fit(x, f, w, n, F))
for n in (4, 5):
    u = nodes(1e-5, 1.0); d = 2 * u / (2 + u)
    g = np.array([float((log(1 + mpf(float(v))) / (2 * mpf(float(v)) / (2 + mpf(float(v)))) - 1) / (2 * mpf(float(v)) / (2 + mpf(float(v))))**2) for v in u])
    show(f"log1p {n}", fit(d**2, g, d**2 * d / np.log1p(u), n, F))
