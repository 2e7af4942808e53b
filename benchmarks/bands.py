"""How far to trust a prediction: last losses, bands and horizons, on 103 real validation curves of one model.

    python -m benchmarks.bands FOLDER

FOLDER as for `ranking.py`. For each of three peaks the noise-floor law is fitted to one or two runs, and all others of
that peak are predicted, after the first tenth of each. The prior and the constants of the bands were chosen on these
very curves; `advisor.py` shows how they do on others.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.ranking import read
from glidepath import Run
from glidepath.law import Fit, fit

FITTED = {
    "cosine to 10% and WSD 20%, 25k": (("cos_end-1", 25_000), ("wsd_linear0.2", 25_000)),
    "cosine to 10%, 25k": (("cos_end-1", 25_000),),
    "WSD 20%, 25k": (("wsd_linear0.2", 25_000),),
    "cosine to 10%, 15k": (("cos_end-1", 15_000),),
    "WSD 20%, 15k": (("wsd_linear0.2", 15_000),),
}
LENGTHS: dict[str, Callable[[float], bool]] = {
    "as far": lambda times: times <= 1.05,
    "to 2x": lambda times: 1.05 < times <= 2.05,
    "beyond": lambda times: times > 2.05,
}


def main(folder: Path) -> None:
    runs = read(folder)
    print(f"{'fitted to':32}{'horizon':9}{'runs':>5}{'last loss':>11}{'bias':>9}{'in band':>9}{'last in':>9}")
    for name, fitted in FITTED.items():
        rows = [row for peak in sorted({peak for peak, _ in runs}) for row in errors_of_others(runs, peak, fitted)]
        for label, chosen in LENGTHS.items():
            some = np.array([row[1:] for row in rows if chosen(row[0])])
            if len(some):
                error, inside, last = some.T
                print(
                    f"{name:32}{label:9}{len(some):5d}{np.abs(error).mean():11.4f}{error.mean():+9.4f}"
                    f"{inside.mean():9.0%}{last.mean():9.0%}"
                )


def errors_of_others(
    runs: dict[tuple[float, int], dict[str, Run]], peak: float, fitted: Sequence[tuple[str, int]]
) -> list[tuple[float, float, float, float]]:
    """Return for every other run its length over that of the fitted ones, the error of its last loss, and coverage."""
    sources = [runs[peak, steps][name] for name, steps in fitted if name in runs[peak, steps]]
    if len(sources) < len(fitted):
        return []
    law_fit, longest = fit(sources), max(steps for _, steps in fitted)
    others = [(steps, run) for (at, steps), group in runs.items() if at == peak for run in group.values()]
    return [
        (steps / longest, *error_of(law_fit, run))
        for steps, run in others
        if all(run is not source for source in sources)
    ]


def error_of(law_fit: Fit, run: Run) -> tuple[float, float, float]:
    """Return the error of the last loss, the share of losses in the band, and whether the last is in its interval."""
    late = run.updates > 0.1 * run.steps
    band = law_fit.predict(run.rates, updates=run.updates[late])
    inside = (run.losses[late] >= band.low) & (run.losses[late] <= band.high)
    return band.final - run.final, float(inside.mean()), float(band.final_low <= run.final <= band.final_high)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
