"""The runs that a law is fitted to: of one peak, and those that differ only by their seed as one, their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath.runs.aggregate import average_seeds, choose_peak, common_name
from glidepath.runs.run import Run

from .logs import Logs, read_runs

AtPeak = Annotated[
    float | None,
    Parameter(
        help="Learn from the runs of this peak rate only; without it, of the peak that reached the lowest last loss."
    ),
]


@dataclass(frozen=True)
class Evidence:
    """Runs to learn from.

    Args:
        runs: no two of the same rates and updates.
        noise: the standard error of a difference of two such means' last losses; None: no run has several seeds.
        loss: the name of the loss as people read it, for tables and figures.
        notes: what was chosen, averaged and assumed, in sentences.
    """

    runs: tuple[Run, ...]
    noise: float | None
    loss: str
    notes: tuple[str, ...]

    @property
    def names(self) -> str:
        """Return the names of the runs, or how many there are."""
        return ", ".join(run.name for run in self.runs) if len(self.runs) <= 4 else f"{len(self.runs)} runs"


def read_evidence(paths: Sequence[Path] | None, logs: Logs) -> Evidence:
    """Read runs, and average those that differ only by their seed.

    Raises:
        GlidepathError: if there is no path, or something cannot be read.
        RunError: if the same run was given twice.
    """
    logged = read_runs(paths, logs)
    return _gather(logged.runs, logged.notes)


def read_evidence_at_peak(paths: Sequence[Path] | None, logs: Logs, peak: float | None) -> Evidence:
    """Read runs of one peak: the one that was asked for, or the best.

    Raises:
        GlidepathError: as `read_evidence`, or if no run has the peak.
    """
    logged = read_runs(paths, logs)
    choice = choose_peak(logged.runs, peak)
    notes = [f"{choice.note}; --at-peak chooses another"] if choice.note and peak is None else []
    return _gather(choice.runs, (*notes, *logged.notes))


def _gather(runs: Sequence[Run], notes: Sequence[str]) -> Evidence:
    means = average_seeds(runs)
    assumed = [f"{run.name}: assumed {run.assumed}" for run in means.runs if run.assumed]
    averages = _note_averages(means.groups)
    return Evidence(means.runs, means.noise, loss_label(runs), (*notes, *averages, *assumed))


def loss_label(runs: Sequence[Run]) -> str:
    """Return the name of the loss of some runs as people read it; "loss" if they have several."""
    names = {run.loss for run in runs}
    return names.pop().replace("_", " ") if len(names) == 1 else "loss"


def _note_averages(groups: Sequence[Sequence[Run]]) -> list[str]:
    """Return at most one sentence about the runs that were averaged."""
    several = [group for group in groups if len(group) > 1]
    if not several:
        return []
    sizes = sorted({len(group) for group in several})
    seeds = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    if len(several) == 1:
        name = common_name([run.name for run in several[0]])
        return [f"{name}: the mean of {seeds} runs with the very same rates"]
    return [f"{sum(map(len, several))} runs averaged to {len(several)}: each the mean of {seeds} with the same rates"]
