"""The advisor on the curves that the multi-power law was published with: time, memory, error, bands, design.

    python -m benchmarks.advisor FOLDER

FOLDER holds the nine curves of one model size (see `published.py`). The law is fitted to three of them, and to one
alone, and the other six are predicted. The figures of the law's authors, beside ours where they published them, are of
the 25M model; their fit takes 39.8 s of CPU and 1,021 MB (measured once on such a machine).
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.published import PUBLISHED_25M, TEST, TRAIN, runs, scores
from glidepath import Run, cosine, warmup
from glidepath.law import Fit, MultiPowerLaw, NoiseFloorLaw, design, fit, fit_committee
from glidepath.law.designing.descent import Descent
from glidepath.law.evaluation.timeline import History

STEPS, WARMUP = 24_000, 2160
TURNS = 7


def cpu(work: Callable[[], object], turns: int = TURNS) -> float:
    """Return the seconds of processor time, the median of some turns after one that does not count."""
    taken = []
    for _ in range(turns + 1):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken[1:]))


def report_fit(curves: dict[str, Run]) -> None:
    three = [curves[name] for name in TRAIN]
    print(f"fit of three curves: {cpu(lambda: fit(three)):.3f} s of CPU", end="; ")
    print(f"{_megabytes():.0f} MB at most, in a process of its own with NumPy and SciPy")
    print(f"{'':24}{'R2':>9}{'MAE':>9}{'RMSE':>9}{'PredE':>9}{'WorstE':>9}")
    names = {"three runs": three, "one cosine run": three[:1], "authors, three runs": None}
    for name, part in names.items():
        figures = PUBLISHED_25M if part is None else scores(fit(part), curves)
        cells = (figures.r2, figures.mae, figures.rmse, figures.relative, figures.worst)
        print(f"{name:24}" + "".join(f"{cell:9.5f}" for cell in cells))


def _megabytes() -> float:
    """Return the peak memory of a process that reads the folder and fits once."""
    child = [sys.executable, "-m", "benchmarks.advisor", sys.argv[1], "--fit-once"]
    answer = subprocess.run(child, check=True, capture_output=True, text=True)
    return float(answer.stdout) / 1024


def report_bands(curves: dict[str, Run]) -> None:
    for name, part in {"three runs": TRAIN, "one cosine run": TRAIN[:1]}.items():
        law_fit = fit([curves[train] for train in part])
        inside, last = np.array([_coverage(law_fit, curves[test]) for test in TEST]).T
        print(f"90% bands, {name}: {inside.mean():.1%} of the six curves' points, {last.mean():.0%} of the last ones")


def _coverage(law_fit: Fit, run: Run) -> tuple[float, float]:
    """Return the share of the losses in the band, and whether the last one is in its interval."""
    band = law_fit.predict(run.rates, updates=run.updates)
    inside = (run.losses >= band.low) & (run.losses <= band.high)
    return float(inside.mean()), float(band.final_low <= run.losses[-1] <= band.final_high)


def report_design(curves: dict[str, Run]) -> None:
    three = [curves[name] for name in TRAIN]
    for law in (NoiseFloorLaw, MultiPowerLaw):
        law_fit = fit(three, law)
        taken = cpu(lambda law_fit=law_fit: design(law_fit, STEPS, warmup=WARMUP))  # type: ignore[misc]
        best = design(law_fit, STEPS, warmup=WARMUP)
        fine = _finest_loss(law_fit)
        usual = law_fit.law.final_loss(warmup(WARMUP) >> cosine(STEPS - WARMUP, to=0.1), STEPS)
        print(
            f"design, {law.__name__}: {1000 * taken:.1f} ms; loss {best.loss:.6f}, {best.loss - fine:+.1e} to the best "
            f"of 4,000 cells and 300 knots; cosine to 10%: {usual:.6f}; nearest: {best.nearest.name}, "
            f"{best.nearest.loss - best.loss:+.4f}"
        )
    committee = fit_committee(three)
    taken = cpu(lambda: design(committee, STEPS, warmup=WARMUP), 3)
    print(f"design, mean of three laws: {1000 * taken:.0f} ms")


def _finest_loss(law_fit: Fit) -> float:
    """Return the last loss of a far finer descent, with the rate in straight lines between its cells."""
    warm = (np.arange(WARMUP) + 1) / WARMUP
    descent = Descent([(law_fit.law.parameters, law_fit.law.CLOCK)], History(warm), STEPS - WARMUP, 4000, 300)
    middles = (descent.edges[:-1] + descent.edges[1:] - 1) / 2
    levels = np.exp(np.interp(np.arange(STEPS - WARMUP), middles, np.log(descent.best())))
    return law_fit.law.final_loss(np.concatenate([warm, levels]) * law_fit.law.peak)


def main(folder: Path) -> None:
    curves = runs(folder)
    report_fit(curves)
    report_bands(curves)
    report_design(curves)


if __name__ == "__main__":
    if "--fit-once" in sys.argv:
        fit([runs(Path(sys.argv[1]))[name] for name in TRAIN])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        main(Path(sys.argv[1]))
