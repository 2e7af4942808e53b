"""The nine curves that the multi-power law was published with, as runs, and the figures that it was published with.

A folder of one model size holds the files named below, as the law's authors published them: `step, lr, loss`, where
the rate is that of a warmup over 2,160 updates to the peak, and then what the name says: `cosine_T` falls to a tenth,
`constant_T` stays, `wsdcon_X` falls at once to X * 1e-5 after update 8,000, `wsd_20000_24000` falls to a tenth
exponentially and `wsdld_20000_24000` in a straight line. A file whose name ends with 24,000 is read up to there.

Sources:
    Luo et al., 2025, https://arxiv.org/abs/2503.12811; https://github.com/thu-yao-01-luo/MultiPowerLaw.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glidepath import Run, Schedule, constant, cosine, geometric, linear
from glidepath.law import Fit

TRAIN = ("cosine_24000", "constant_24000", "wsdcon_9")
TEST = ("constant_72000", "cosine_72000", "wsd_20000_24000", "wsdcon_18", "wsdcon_3", "wsdld_20000_24000")
WARMUP, SHORT_COOLDOWN = 2160, 4000
WARM = linear(WARMUP - 1, start=0, to=1) >> constant(1)  # numpy.linspace(0, 1, 2160), the peak included
PLANS: dict[str, Callable[[int, float], Schedule]] = {
    "cosine": lambda steps, _: WARM >> cosine(steps - WARMUP, to=0.1),
    "constant": lambda steps, _: WARM >> constant(steps - WARMUP),
    "wsdcon": lambda steps, low: WARM >> constant(8000 - WARMUP) >> low * constant(steps - 8000),
    "wsd": lambda steps, _: WARM >> constant(steps - SHORT_COOLDOWN - WARMUP) >> geometric(SHORT_COOLDOWN, to=0.1),
    "wsdld": lambda steps, _: WARM >> constant(steps - SHORT_COOLDOWN - WARMUP) >> linear(SHORT_COOLDOWN, to=0.1),
}


@dataclass(frozen=True)
class Scores:
    """How far predicted losses are from real ones; each is the mean over the test curves.

    Args:
        r2: the share of the variance that is explained.
        mae: the mean absolute error.
        rmse: the root of the mean squared error.
        relative: the mean absolute error over the loss, which the paper calls PredE.
        worst: the largest absolute error over the loss, WorstE.
    """

    r2: float
    mae: float
    rmse: float
    relative: float
    worst: float


PUBLISHED_25M = Scores(0.9988, 0.00376, 0.00465, 0.00110, 0.00409)  # the table of the authors' repository


def runs(folder: Path) -> dict[str, Run]:
    """Return the nine runs of a folder; the peak is the largest rate in it."""
    tables = {name: _table(folder / f"{name}.csv") for name in TRAIN + TEST}
    peak = max(float(table[:, 1].max()) for table in tables.values())
    return {name: _run(name, table, peak) for name, table in tables.items()}


def scores(fit: Fit, runs: Mapping[str, Run]) -> Scores:
    """Score a fit on the six test curves, at every logged loss."""
    each = [_scores(fit.predict(runs[name].rates, updates=runs[name].updates).losses, runs[name]) for name in TEST]
    return Scores(*np.mean(each, axis=0).tolist())


def _table(path: Path) -> NDArray[np.float64]:
    with path.open(newline="") as file:
        return np.array(list(csv.reader(file))[1:], dtype=np.float64)


def _run(name: str, table: NDArray[np.float64], peak: float) -> Run:
    """Return the run of a file: its plan, which the logged rates must follow, and the losses after an update."""
    kind, last = name.split("_")[0], int(name.split("_")[-1])
    steps = 16_000 if kind == "wsdcon" else last
    rates = peak * np.asarray(PLANS[kind](steps, last * 1e-5 / peak)(np.arange(steps)), dtype=np.float64)
    updates, logged, losses = table[(table[:, 0] >= 1) & (table[:, 0] < steps)].T
    wrong = np.abs(rates[updates.astype(int)] - logged).max()
    if wrong > 1e-3 * peak:
        raise ValueError(f"{name}: the logged rates are up to {wrong:g} away from those that its name says")
    return Run(name, rates, updates, losses)


def _scores(predicted: NDArray[np.float64], run: Run) -> list[float]:
    error = predicted - run.losses
    away, size = np.abs(error), np.abs(error) / run.losses
    r2 = 1 - float((error**2).sum() / ((run.losses - run.losses.mean()) ** 2).sum())
    return [r2, float(away.mean()), float(np.sqrt((error**2).mean())), float(size.mean()), float(size.max())]
