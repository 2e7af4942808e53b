"""Logs of runs that follow a law with known parameters, with noise on every loss, for the advisor's commands."""

from pathlib import Path

import numpy as np

from glidepath import parse
from glidepath.law import NoiseFloorLaw

PEAK = 3e-4
LAW = NoiseFloorLaw(
    PEAK,
    limit=2.6,
    gap=0.9,
    gap_exponent=0.5,
    noise=0.35,
    noise_exponent=0.7,
    relaxation=0.02,
    clock_exponent=0.75,
)
NOISE = 1e-3  # of the loss
STEPS = 4000
PLANS = {
    "cosine": "warmup(80) >> cosine(3920)",
    "wsd": "warmup(80) >> constant(3120) >> linear(800)",
    "fall": "warmup(80) >> constant(1920) >> 0.1 * constant(2000)",
}


def log(folder: Path, name: str, plan: str, *, seed: int = 0, peak: float = PEAK, rates: bool = True) -> Path:
    """A CSV file of the run under a plan over 4,000 updates, with a row for every 20 of them and at both ends."""
    ratios = np.asarray(parse(plan).over(STEPS)(np.arange(STEPS)), dtype=np.float64)
    updates = np.array([*range(20, STEPS, 20), 1999, STEPS - 1])
    updates.sort()
    noise = np.random.default_rng([seed, len(name)]).normal(0, NOISE, len(updates))
    losses = LAW.losses(ratios, updates) * np.exp(noise)
    told = [f"{peak * ratio:.6g}" if rates else "" for ratio in ratios]
    rows = [f"{k},{told[k]},{loss:.6f}" for k, loss in zip(updates, losses, strict=True)]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(["step,lr,loss", f"0,{told[0]},", *rows, ""]))
    return file


def logs(folder: Path) -> list[str]:
    """The options that give three runs to a command."""
    files = [log(folder, name, plan, seed=i) for i, (name, plan) in enumerate(PLANS.items())]
    return [option for file in files for option in ("--run", str(file))]


def true_loss(plan: str, steps: int = STEPS) -> float:
    """The last loss of a plan, without noise."""
    return LAW.final_loss(parse(plan).over(steps), steps)


def study(folder: Path, seeds: int = 3, metric: str = "validation_loss") -> Path:
    """The results of a study with a metric after every 40 updates; each seed shifts the whole curve.

    The training loss is half as large again.
    """
    rows = [f"run,schedule,horizon,seed,peak,step,rate,loss,{metric}"]
    for i, (name, plan) in enumerate(list(PLANS.items())[:2]):
        ratios = np.asarray(parse(plan)(np.arange(STEPS)), dtype=np.float64)
        losses = LAW.losses(ratios, np.arange(1, STEPS + 1))
        for seed in range(seeds):
            after = losses + 0.01 * (seed - (seeds - 1) / 2)
            begin = f"{i * seeds + seed},{name},{STEPS},{seed},{PEAK}"
            measured = [f"{after[k]}" if k % 40 == 39 else "" for k in range(STEPS)]
            rows += [f"{begin},{k},{PEAK * ratios[k]},{1.5 * after[k]},{measured[k]}" for k in range(STEPS)]
    folder.mkdir()
    (folder / "curves.csv").write_text("\n".join([*rows, ""]))
    return folder
