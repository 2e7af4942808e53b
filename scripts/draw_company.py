"""Draw the figure of docs/in_company.md: what a rate that is written during a warmup becomes.

    python scripts/draw_company.py    # writes docs/images/in_company.svg

Every curve is a run: two schedulers of PyTorch and the one of this package, on an optimizer that does nothing else.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch.optim.lr_scheduler import LambdaLR, LinearLR

import glidepath as gp
from glidepath.torch import Scheduler

IMAGES = Path(__file__).parent.parent / "docs" / "images"
STYLE = {"font.family": "sans-serif", "svg.fonttype": "none", "svg.hashsalt": "glidepath"}  # text stays text

BASE, WRITTEN, WARMUP, UPDATES = 1e-4, 1e-3, 1000, 1300
PLAN = gp.warmup(WARMUP) >> gp.constant()
RUNS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("LinearLR: a factor on 1e-7, so the peak is 1", "#c0392b", lambda o: LinearLR(o, 1 / WARMUP, 1.0, WARMUP - 1)),
    ("Scheduler: a new base, so the peak is 1e-3", "#1f77b4", lambda o: Scheduler(o, PLAN)),
    ("LambdaLR: lost, so the peak is 1e-4", "#777777", lambda o: LambdaLR(o, PLAN)),
]


def record_rates(build: Callable[[Any], Any]) -> list[float]:
    """Return the rate of each update of a run in which other code writes a rate before the first one."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    optimizer = torch.optim.SGD([parameter], lr=BASE)
    scheduler = build(optimizer)
    optimizer.param_groups[0]["lr"] = WRITTEN
    rates = []
    for _ in range(UPDATES):
        hook = optimizer.register_step_post_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
        optimizer.step()
        hook.remove()
        scheduler.step()
    return rates


def draw(figure: Figure) -> None:
    """Draw the runs over their updates, each with its reading at its end."""
    axes = figure.add_axes((0.1, 0.16, 0.87, 0.8))
    for label, color, build in RUNS:
        rates = record_rates(build)
        axes.plot(range(1, UPDATES + 1), rates, color=color, lw=1.8)
        axes.annotate(
            label, (UPDATES, rates[-1]), (0, 5), textcoords="offset points", ha="right", color=color, fontsize=9
        )
    axes.set(yscale="log", xlim=(0, UPDATES), ylim=(5e-8, 6), xlabel="update", ylabel="rate")
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Write the figure."""
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.GlidepathWarning)
        figure = Figure(figsize=(7.2, 3.4))
        draw(figure)
        figure.savefig(IMAGES / "in_company.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main()
