"""What `glidepath compare --screen` adds: train some of the schedules, and tell what was predicted of all."""

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from glidepath.study.curve import Curve
from glidepath.study.report.screening import save_screening, screening_table
from glidepath.study.report.summary import summary
from glidepath.study.report.terminal import PIPED_WIDTH
from glidepath.study.report.verdict import first_name
from glidepath.study.screening.screen import Candidates, Screening, screen
from glidepath.study.spec.study import Study
from glidepath.study.training.cost import CostEstimate
from glidepath.study.training.prepare import Prepared, prepare


def screened(
    few: Candidates, confirm: int, whole: Prepared, budget: int, train: Callable[[Prepared], list[Curve]]
) -> tuple[Screening, Prepared]:
    """Train what a screening asks for; how it went, and the part of the study that was trained."""
    parts: list[Prepared] = []

    def train_part(part: Study) -> list[Curve]:
        parts.append(prepare(part, whole.store, budget))
        return train(parts[-1])

    done = screen(few, train_part, confirm)
    parts[-1].coordinator.trained = sum(part.coordinator.trained for part in parts)
    return done, parts[-1]


def tell(folder: Path, done: Screening, whole: CostEstimate, part: CostEstimate, as_json: bool) -> None:
    """What was predicted beside what was found, and how many updates it took."""
    save_screening(folder, done.rows, first_name(summary(done.curves)))
    if not as_json:
        Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(screening_table(done.rows))
    print(
        f"\nscreened: {part.runs} of {whole.runs} runs trained, {part.steps_alone:,} of {whole.steps_alone:,} updates; "
        f"each different one once, {part.steps_shared:,} of {whole.steps_shared:,} ({folder / 'screening.png'})\n",
        file=sys.stderr if as_json else sys.stdout,
    )
