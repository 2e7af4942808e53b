"""From logged steps to updates: which update used a logged rate, and how many were made before a logged loss.

Where neither the trainer nor the user says what a step means, the steps themselves do if they can: a loop that logs
every 10 updates has a first row at 0 or 9 if its step is the index of the update, and at 10 if it counts the updates
made.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glidepath.errors import Argument, Cure, RunError
from glidepath.runs.run import FloatArray

from .dialects import INDEX, MADE, TRAINER, Count, Dialect, Offsets
from .series import Scalars, Series
from .trainer_steps import settle_next_rate

CLOSE = 0.01  # of the peak: rates that are nearer are the plan's
COUNTS: dict[Count, Offsets] = {"updates made": MADE, "index of the update": INDEX}
GIVE_UPDATES = Cure("say how many updates an epoch has", Argument("updates_per_epoch", 100))
OTHER_LOG = Cure("give the table or the JSON lines of the run, whose columns may count its updates")
NAME_UPDATES = Cure("name what counts the updates of the optimizer", Argument("columns", key="step"))


def in_updates(
    scalars: Scalars,
    rates: Series,
    losses: Series,
    *,
    count: Count = "auto",
    per_epoch: int | None = None,
    planned: Callable[[FloatArray], FloatArray] | None = None,
) -> Scalars:
    """Return the numbers of a run with steps that count updates, and a dialect with offsets.

    Args:
        scalars: as they were logged.
        rates: those that were logged, whose steps tell what a step means where nothing else does.
        losses: the steps of these tell it if no rate was logged.
        count: what a step means, if the user says it.
        per_epoch: the updates of an epoch, if the steps are epochs.
        planned: the rates of the plan at some updates, if there is one: it settles what a step means.

    Raises:
        RunError: if the steps are not updates, and nothing says how many updates they are.
    """
    dialect = scalars.dialect
    if dialect.unit == "epochs" or (dialect.unit == "iterations" and per_epoch is not None):
        return _from_epochs(scalars, scalars.per_epoch if per_epoch is None else per_epoch)
    if dialect.unit == "iterations of an epoch":
        raise RunError("the steps begin again in every epoch", place=scalars.place, cures=[GIVE_UPDATES])
    if per_epoch is not None and scalars.per_epoch is None:
        no_epochs = ("the steps are updates, not epochs: leave ", Argument("updates_per_epoch"), " out")
        raise RunError(no_epochs, place=scalars.place)
    if dialect.unit != "updates":
        problem = f"{dialect.trainer} counts {dialect.unit}, and a step is an update of the optimizer"
        cures = [OTHER_LOG if scalars.has_fixed_steps else NAME_UPDATES]
        cures += [GIVE_UPDATES] if dialect.unit == "iterations" else []
        raise RunError(problem, place=scalars.place, cures=cures)
    if dialect == TRAINER and count == "auto" and len(rates):
        return settle_next_rate(scalars, rates, None if planned is None else is_coming_rate(rates, planned))
    if count != "auto":
        offsets = replace(COUNTS[count], evaluation=0 if dialect.offsets is None else dialect.offsets.evaluation)
        return replace(scalars, dialect=replace(dialect, offsets=offsets))
    if dialect.offsets is not None:
        return scalars
    meaning, reason = (planned and _count_by_plan(rates, planned)) or _count_of((rates if len(rates) else losses).steps)
    read = replace(scalars, dialect=replace(dialect, offsets=COUNTS[meaning]))
    return read if meaning == "index of the update" and not reason else read.assume(_note(meaning, reason))


def _note(meaning: Count, reason: str) -> str:
    verb = "is the index of its update" if meaning == "index of the update" else "counts the updates made"
    return f"a step {verb}{reason and ', as '}{reason}"


def _count_of(steps: FloatArray) -> tuple[Count, str]:
    """Return what steps mean by their places, and the reason; no reason if they say nothing about it."""
    if len(steps) < 2 or steps[0] == 0:
        return "index of the update", ""
    first, every = int(steps[0]), int(np.gcd.reduce(np.diff(steps).astype(np.int64)))
    if every and first == every:
        return "updates made", f"the first row is at {first:,} and another follows every {every:,}"
    return "index of the update", ""


def is_coming_rate(rates: Series, planned: Callable[[FloatArray], FloatArray]) -> bool | None:
    """Return whether the plan has the rate of step s at update s, and not at s - 1; None if it has it at neither."""
    if not len(rates) or rates.steps[0] == 0 or np.isnan(rates.values).any():
        return None
    last, coming = (float(np.abs(planned(rates.steps - back) - rates.values).max()) for back in (1, 0))
    return None if min(last, coming) > CLOSE * rates.values.max() or last == coming else coming < last


def _count_by_plan(rates: Series, planned: Callable[[FloatArray], FloatArray]) -> tuple[Count, str] | None:
    """Return what steps mean if the plan's rates are the logged ones in one reading alone."""
    is_coming = is_coming_rate(rates, planned)
    if is_coming is None:
        return None
    return "index of the update" if is_coming else "updates made", "the plan has its rates there"


# --- epochs ---


def _from_epochs(scalars: Scalars, per_epoch: int | None) -> Scalars:
    """Return the numbers with updates for epochs: a row is of a whole epoch, and was logged when that had ended."""
    if per_epoch is None:
        raise RunError("a row counts epochs, and a step is an update", place=scalars.place, cures=[GIVE_UPDATES])
    if per_epoch < 1:
        problem = (Argument("updates_per_epoch", per_epoch), " is not a number of updates: it is at least 1")
        raise RunError(problem, place=scalars.place)
    first = int(min(each.steps[0] for each in scalars.series.values()))
    if first > 1:
        raise RunError(f"the first row is of epoch {first}: those before it are missing", place=scalars.place)
    series = {name: replace(each, steps=(each.steps - first) * per_epoch) for name, each in scalars.series.items()}
    dialect = Dialect(scalars.dialect.trainer, Offsets(0, per_epoch - 1, per_epoch), between="held")
    dialect = replace(dialect, rates=scalars.dialect.rates, losses=scalars.dialect.losses)
    note = f"a row is of an epoch of {per_epoch:,} updates, which used one rate"
    return replace(scalars, series=series, dialect=dialect).assume(note)
