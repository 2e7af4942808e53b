"""How near a range test's suggestions are to a steepest point that is known, beside Lightning's on the same losses.

    python -m benchmarks.range_test

200 curves for each level of noise (`tests/range_test/curves.py`): logistic falls of random place, width and height,
then a loss that runs away. An error is the factor between a suggestion and the point where the noiseless loss falls
fastest. Lightning's suggestion is asked of its own class, for the same rates and losses.
"""

import numpy as np
from lightning.pytorch.tuner.lr_finder import _LRFinder
from numpy.typing import NDArray
from tests.range_test.curves import Curve, curve

from glidepath.range_test import analyze_sweep

CURVES, NOISES = 200, (0.003, 0.01, 0.03, 0.1)


def lightning(one: Curve) -> float:
    finder = _LRFinder("exponential", 1e-7, 10.0, len(one.places))
    finder.results = {"lr": (10**one.places).tolist(), "loss": one.losses.tolist()}
    return float(np.log10(finder.suggestion() or np.nan))


def row(noise: float, name: str, errors: NDArray[np.float64], extra: str = "") -> str:
    off = 10 ** np.abs(errors)
    return (
        f"| {noise:.1%} | {name} | {10 ** np.median(errors):.3g} | {np.median(off):.3g} | "
        f"{np.quantile(off, 0.9):.3g} | {extra} |"
    )


def main() -> None:
    print("| noise | suggestion | median over true | median factor | 9 in 10 within | interval holds | trusted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for noise in NOISES:
        curves = [curve(seed, noise) for seed in range(CURVES)]
        true = np.array([one.steepest for one in curves])
        found = [analyze_sweep(10**one.places, one.losses, "diverged") for one in curves]
        for name in ("steepest", "valley"):
            ours = [one[name] for one in found]
            held = np.mean([one.low <= 10**place <= one.high for one, place in zip(ours, true, strict=True)])
            extra = f"{held:.0%} | {np.mean([bool(one) for one in ours]):.0%}"
            print(row(noise, name, np.log10([one.rate for one in ours]) - true, extra))
        print(row(noise, "Lightning", np.array([lightning(one) for one in curves]) - true, "none | all"))


if __name__ == "__main__":
    main()
