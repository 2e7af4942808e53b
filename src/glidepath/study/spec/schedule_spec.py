"""A schedule of a study, as it is written: a text for the rate, or a text for each hyperparameter.

    cosine: warmup(40) >> cosine(360)
    both:
      lr: warmup(40) >> cosine(360)
      weight_decay: Set(linear(400, start=0.1, to=0))
    groups:
      lr: {backbone: cosine(400), head: constant()}

A text scales what the task's own optimizer has; `Set(...)` around it writes its values as they are. A plateau stands
for the rate alone, and is fed back: see `feedback.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from glidepath.core.schedule import Schedule, waits
from glidepath.core.syntax import CallNode, tree
from glidepath.errors import ScheduleError
from glidepath.parser import parse
from glidepath.torch import Set

from .feedback import arguments, is_feedback

Entry = str | dict[str, Any]  # of a hyperparameter: a text, or a text for each group by name
Driven = Schedule | Set | dict[str, Schedule | Set]


def checked(entry: Any) -> Entry:
    """The entry itself, with every text in it read once.

    Raises:
        ScheduleError: if it is no text and no mapping of texts, or a text is wrong.
    """
    if isinstance(entry, str) and is_feedback(entry):
        arguments(entry)
    elif isinstance(entry, (str, dict)) and entry:
        hyperparameters(entry)
    else:
        raise ScheduleError(f"a schedule is a text, as in cosine(100%), or one for each hyperparameter, not {entry!r}")
    return cast(Entry, entry)


def hyperparameters(entry: Entry) -> dict[str, Driven]:
    """The plans of an entry that is no plateau, by hyperparameter, drafts still drafts.

    Examples:
        >>> hyperparameters("cosine(100)")
        {'lr': cosine(100)}
        >>> hyperparameters({"weight_decay": "Set(linear(10))"})
        {'weight_decay': Set(plan=linear(10))}
    """
    by_name = {"lr": entry} if isinstance(entry, str) else entry
    return {name: _driven(name, given) for name, given in by_name.items()}


def resolved(entry: Entry, steps: int) -> dict[str, Driven]:
    """The plans of an entry over a horizon.

    Raises:
        ScheduleError: if a plan does not fit.
    """
    return {
        name: {group: _over(plan, steps) for group, plan in driven.items()}
        if isinstance(driven, dict)
        else _over(driven, steps)
        for name, driven in hyperparameters(entry).items()
    }


def schedules(driven: Mapping[str, Driven]) -> Iterator[Schedule]:
    """Every schedule among them."""
    for plans in driven.values():
        for plan in plans.values() if isinstance(plans, dict) else [plans]:
            yield _schedule(plan)


def own_length(entry: Entry) -> int | None:
    """The updates that an entry lasts by itself, with no horizon given; None if it does not say."""
    if isinstance(entry, str) and is_feedback(entry):
        return None
    plans = schedules(hyperparameters(entry))
    return max((plan.duration or 0 for plan in plans if not waits(plan)), default=0) or None


def text_of(entry: Entry) -> str:
    """The entry on one line."""
    if isinstance(entry, str):
        return entry
    return ", ".join(f"{name}: {text_of(given)}" for name, given in entry.items())


def _schedule(plan: Schedule | Set) -> Schedule:
    return cast(Schedule, plan.plan) if isinstance(plan, Set) else plan


def _over(plan: Schedule | Set, steps: int) -> Schedule | Set:
    over = _schedule(plan).over(steps)
    return Set(over) if isinstance(plan, Set) else over


def _driven(name: str, given: Any) -> Driven:
    if isinstance(given, dict) and given:
        return {group: _plan(f"{name} of {group}", text) for group, text in given.items()}
    return _plan(name, given)


def _plan(label: str, text: Any) -> Schedule | Set:
    if not isinstance(text, str):
        raise ScheduleError(f"{label} is given by a text, as in cosine(100%), not by {text!r}")
    node = tree(text)
    if isinstance(node, CallNode) and node.name == "Set":
        return Set(parse(text.strip()[len("Set(") : -1]))
    return parse(text)
