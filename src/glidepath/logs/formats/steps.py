"""Which of the names that stand in a row is its step, and what that step counts."""

from collections.abc import Sequence
from dataclasses import replace

from glidepath.errors import Place, RunError

from ..dialects import LIGHTNING, TRAINER, Dialect
from ..names import STEPS, is_epoch, name_it, normalize, shorten

BY_STEP = {"train_global_step": TRAINER, "trainer_global_step": LIGHTNING}  # under which their W&B loggers count
NO_STEP = "for the step (step, global_step, iteration, update, iter, ...)"


def choose_step(
    names: Sequence[str], dialect: Dialect, name: str | None, place: Place, what: str = "column"
) -> tuple[str, Dialect]:
    """Return the name of the step, and what it means.

    Args:
        names: of the numbers in the rows.
        dialect: of the trainer that logs under these names.
        name: of the step, if the user says it; one of `names`.
        place: of the rows, for messages.
        what: how a name is called in messages.

    Raises:
        RunError: if no name is that of a step.
    """
    if name is not None and dialect.unit == "environment steps" and name in dialect.steps:
        return name, dialect
    if name is not None:
        return name, replace(by_step(dialect, name), unit="epochs" if is_epoch(name) else "updates")
    common = [each for step in STEPS for each in names if normalize(each) == step]
    step = next((each for each in (*dialect.steps, *common) if each in names), None)
    if step is not None:
        return step, by_step(dialect, step)
    epochs = next((each for each in names if is_epoch(each)), None)
    if epochs is None:
        raise RunError(f"no {what} {NO_STEP}", place=place, choices=shorten(names), cures=[name_it("step")])
    return epochs, dialect if dialect.unit == "epochs" else Dialect(unit="epochs")


def by_step(dialect: Dialect, step: str) -> Dialect:
    """Return the dialect of the trainer whose W&B logger counts under this name, or else the one that is known."""
    return BY_STEP.get(normalize(step), dialect)
