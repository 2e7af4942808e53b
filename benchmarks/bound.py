"""The convex bound: how exact and how fast, against the formula as it is published.

    python -m benchmarks.bound

The published package is on no package index, so a stand-in is written here: theorem 10 of Defazio et al. (2023) with
its three terms, from prefix sums, one horizon in O(T), and a curve by one such bound for every horizon. Errors are
against sums from the end in long double. Fastest of 20 turns for one horizon, of three for a curve; the stand-in's
curve is timed at 100 horizons and scaled up.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import glidepath as gp
from glidepath.law import bound, bound_curve, bound_gradient

STEPS, HORIZONS = 100_000, 100
PLANS = {
    "wsd": gp.wsd(STEPS, warmup=1000, cooldown=20_000),
    "linear": gp.linear(STEPS),
    "cosine": gp.cosine(STEPS),
    "cosine to 0.1": gp.cosine(STEPS, to=0.1),
    "step": gp.step(every=STEPS // 3, factor=0.01),
    "tiny warmup": gp.geometric(STEPS // 2, to=1.0, start=1e-9) >> gp.linear(STEPS // 2),
}


def three_terms(rates: NDArray[np.float64]) -> float:
    """(D^2 + W) / (2 S) + 1/2 sum_k eta_k / S_{>k} * W_{>=k} / S_{>=k}, for D = G = 1."""
    squares = rates**2
    total, noise = rates.sum(), squares.sum()
    after = (total - rates.cumsum())[:-1]
    noise_from = (noise - squares.cumsum() + squares)[:-1]
    terms = rates[:-1] / after * (noise_from / (after + rates[:-1]))
    return float((1 + noise) / (2 * total) + terms.sum() / 2)


def in_long_double(rates: NDArray[np.float64]) -> float:
    exact = rates.astype(np.longdouble)
    after = np.cumsum(exact[::-1])[::-1]
    return float((1 / after[0] + exact[-1] + np.sum(exact[:-1] ** 2 / after[1:])) / 2)


def seconds(work: Callable[[], object], turns: int) -> float:
    taken = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def one_horizon(rates: NDArray[np.float64]) -> str:
    exact = in_long_double(rates)
    ours, theirs = seconds(lambda: bound(rates), 20), seconds(lambda: three_terms(rates), 20)
    gradient = seconds(lambda: bound_gradient(rates), 20)
    error, of_theirs = (abs(value / exact - 1) for value in (bound(rates), three_terms(rates)))
    times = f"{ours * 1e3:9.2f} {theirs * 1e3:9.2f} {theirs / ours:6.1f}"
    return f"{times} {error:9.0e} {of_theirs:9.0e} {gradient * 1e3:9.2f}"


def all_horizons(rates: NDArray[np.float64]) -> str:
    some = np.linspace(1, STEPS, HORIZONS, dtype=int)
    curve = bound_curve(rates)[some - 1]
    error = max(abs(value / in_long_double(rates[:t]) - 1) for value, t in zip(curve, some, strict=True))
    ours = seconds(lambda: bound_curve(rates), 3)
    theirs = seconds(lambda: [three_terms(rates[:t]) for t in some], 1) * STEPS / HORIZONS
    return f"{ours:9.2f} {theirs:9.0f} {theirs / ours:6.0f} {error:9.0e}"


def main() -> None:
    print(f"{STEPS:,} steps: one horizon (its gradient last), in ms; then every horizon, in s")
    names = ["ours", "stand-in", "ratio", "error", "theirs", "gradient", "ours", "stand-in", "ratio", "error"]
    widths = [9, 9, 6, 9, 9, 9, 9, 9, 6, 9]
    print(" ".join([" " * 13, *(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))]))
    for name, plan in PLANS.items():
        rates = plan(np.arange(STEPS))
        print(f"{name:>13} {one_horizon(rates)} {all_horizons(rates)}", flush=True)


if __name__ == "__main__":
    main()
