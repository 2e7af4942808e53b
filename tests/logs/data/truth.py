"""Write the truth beside a log: the rate that every update of a tiny training really used, and its loss.

Each folder has a script that made its logs with the real package, run from the repository's root in an environment
with that package: `python -m tests.logs.data.lightning.make`.
"""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch

POINTS = torch.linspace(0, 1, 80).reshape(40, 2)


def note_rates(optimizer: torch.optim.Optimizer, group: int = 0) -> list[float]:
    """Return a list that grows by the rate of every update from now on."""
    rates: list[float] = []
    optimizer.register_step_pre_hook(lambda each, *_: rates.append(float(each.param_groups[group]["lr"])))
    return rates


def warmup_cosine(warmup: int, total: int) -> Callable[[int], float]:
    """Return the factor of an update: a linear warmup, then a cosine to 0, as most trainers write it."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        share = (step - warmup) / (total - warmup)
        return 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * share, dtype=torch.float64))))

    return factor


def write_truth(
    folder: Path, package: str, rates: Sequence[float], losses: Sequence[float] | None, note: str, **more: object
) -> None:
    """Write truth.json into the folder of a log; `more` are facts of this log alone, or its version."""
    truth = {
        "package": package,
        "version": more.pop("version", "") or version(package),
        "rates": list(rates),
        "losses": None if losses is None else list(losses),
        "note": note,
        **more,
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in truth.items())
    (folder / "truth.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
