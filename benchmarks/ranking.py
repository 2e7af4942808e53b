"""Does the advice pick the right schedule? On 103 real validation curves of one model, three peaks, four horizons.

    python -m benchmarks.ranking FOLDER

FOLDER holds `finals.csv` and the curves `lr0.001_wsd_linear0.2_T50000.csv` and so on, of a 124M-parameter model
(Schaipp et al., 2025, https://arxiv.org/abs/2501.18965). For each peak, laws are fitted to three runs of up to 25,000
updates: the constant rate, the cosine to 10%, and the linear cooldown over the last 20%. For each peak and horizon they
then pick one of the runs that were really made (at 25,000 updates the fitted ones are among them), and the regret is
what its real last loss is above the best one's.
"""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.stats import spearmanr

from glidepath import Run, logs
from glidepath.law import Committee, fit_committee

NAME = re.compile(r"lr([\d.]+)_(.*)_T(\d+)")
FITTED, UP_TO = ("cos_end-1", "wsd_linear0.2"), 25_000


def read(folder: Path) -> dict[tuple[float, int], dict[str, Run]]:
    """Return the runs by peak and horizon, then by schedule; a second run of a schedule is left out."""
    runs: dict[tuple[float, int], dict[str, Run]] = defaultdict(dict)
    for file in sorted(folder.glob("lr*.csv")):
        match = NAME.fullmatch(file.stem)
        if match:
            runs[float(match[1]), int(match[3])][match[2]] = logs.read(file)[0]
    return runs


def runs_to_fit(runs: dict[tuple[float, int], dict[str, Run]], peak: float) -> list[Run]:
    """Return the runs that the laws are fitted to: two whole ones, and the beginning that all long ones share."""
    long = runs[peak, 50_000]["wsd_linear0.1"]
    early = long.updates <= UP_TO
    trunk = Run("constant", long.rates[:UP_TO], long.updates[early], long.losses[early])
    return [trunk, *(runs[peak, UP_TO][name] for name in FITTED)]


def main(folder: Path) -> None:
    finals = {row["run"]: float(row["final_val_loss"]) for row in csv.DictReader((folder / "finals.csv").open())}
    runs = read(folder)
    print(f"{'peak':>7} {'updates':>8} {'runs':>5} {'regret':>8} {'rank corr.':>10}  picked")
    regrets: dict[str, list[float]] = defaultdict(list)
    for peak in sorted({peak for peak, _ in runs}):
        committee = fit_committee(runs_to_fit(runs, peak))
        for steps in (15_000, 25_000, 35_000, 50_000):
            group = {name: run for name, run in runs[peak, steps].items() if run.name in finals}
            truth = {name: finals[run.name] for name, run in group.items()}
            losses = {name: predict_last(committee, run) for name, run in group.items()}
            for judge in losses[next(iter(losses))]:
                regrets[judge].append(truth[pick_best(losses, judge)] - min(truth.values()))
            pick = pick_best(losses, "mean")
            order = spearmanr([losses[name]["mean"] for name in group], [truth[name] for name in group])[0]
            print(f"{peak:7g} {steps:8d} {len(group):5d} {regrets['mean'][-1]:8.4f} {order:10.2f}  {pick}")
    for judge, costs in regrets.items():
        print(f"{judge:18} regret {fmean(costs):.4f} on average, {max(costs):.4f} at most, over {len(costs)} choices")


def pick_best(losses: dict[str, dict[str, float]], judge: str) -> str:
    return min(losses, key=lambda name: losses[name][judge])


def predict_last(committee: Committee, run: Run) -> dict[str, float]:
    losses = committee.losses(run.rates)
    return {"mean": float(np.mean(list(losses.values()))), **losses}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
