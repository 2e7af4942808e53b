"""A schedule of a study, as it is written: a text for the rate, or a text for each hyperparameter.

    cosine: warmup(40) >> cosine(360)
    both:
      lr: warmup(40) >> cosine(360)
      weight_decay: Set(linear(400, start=0.1, to=0))
    groups:
      lr: {backbone: cosine(400), head: constant()}

A text scales what the task's own optimizer has; `Set(...)` around it writes its values as they are. A plateau stands
for the rate alone, and depends on the evaluations: see `plateau_spec.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, final

from glidepath.core.assignment import Set
from glidepath.core.schedule import Schedule, waits
from glidepath.errors import ScheduleError
from glidepath.parser import parse_plan

from .plateau_spec import PlateauArgument, is_plateau, read_plateau

Texts = str | dict[str, Any]  # as in a file: a text, or by hyperparameter a text, or by hyperparameter and group
AssignedPlan = Schedule | Set | dict[str, Schedule | Set]
Plans = Mapping[str, AssignedPlan]  # by hyperparameter


@final
@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule of a study: its texts, and the plans that they describe, each text parsed once.

    Args:
        texts: as they stand in the file.
        plans: by hyperparameter, drafts still drafts; None for a plateau.
        plateau: the keyword arguments of a plateau; None for a schedule.

    Examples:
        >>> spec = read_spec("warmup(10) >> cosine(90%)")
        >>> print(spec, spec.over(100))
        warmup(10) >> cosine(90%) {'lr': warmup(10) >> cosine(90)}
    """

    texts: Texts
    plans: Plans | None = field(compare=False, repr=False)
    plateau: Mapping[str, PlateauArgument] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return _on_one_line(self.texts)

    @property
    def own_length(self) -> int | None:
        """Return the updates that it lasts by itself, without a horizon; None if it does not say."""
        plans = [] if self.plans is None else list(schedules_in(self.plans))
        return max((plan.duration or 0 for plan in plans if not waits(plan)), default=0) or None

    def over(self, steps: int) -> Plans | None:
        """Resolve the plans over a horizon; None for a plateau.

        Raises:
            ScheduleError: if a plan does not fit.
        """
        if self.plans is None:
            return None
        return {
            name: {group: _over(plan, steps) for group, plan in assigned.items()}
            if isinstance(assigned, dict)
            else _over(assigned, steps)
            for name, assigned in self.plans.items()
        }


def read_spec(described: Any) -> ScheduleSpec:
    """Read a schedule of a study, and parse each text in it; one that was read already is returned as it is.

    Args:
        described: a text, a `Schedule` or a `Set`, or a mapping of them; of a plan its text is stored.

    Raises:
        ScheduleError: if it is none of these.
        TextError: if a text is wrong, or a plan has none.

    Examples:
        >>> read_spec("cosine(100)").plans
        {'lr': cosine(100)}
        >>> read_spec({"weight_decay": "Set(linear(10))"}).plans
        {'weight_decay': Set(plan=linear(10))}
    """
    if isinstance(described, ScheduleSpec):
        return described
    texts = _to_texts(described)
    if isinstance(texts, str) and is_plateau(texts):
        return ScheduleSpec(texts, None, read_plateau(texts))
    if isinstance(texts, str) and texts:
        return ScheduleSpec(texts, {"lr": _read_plans("lr", texts)})
    if isinstance(texts, dict) and texts:
        return ScheduleSpec(texts, {name: _read_plans(name, inner) for name, inner in texts.items()})
    raise ScheduleError(f"a schedule is a text, as in cosine(100%), or one for each hyperparameter, not {texts!r}")


def _to_texts(described: Any) -> Any:
    """Return plans as their texts, and anything else as it is."""
    if isinstance(described, dict):
        return {name: _to_texts(inner) for name, inner in described.items()}
    if isinstance(described, Set):
        return f"Set({_to_texts(described.plan)})"
    return described.text if isinstance(described, Schedule) else described


def schedules_in(plans: Plans) -> Iterator[Schedule]:
    """Yield every schedule among the plans."""
    for assigned in plans.values():
        for plan in assigned.values() if isinstance(assigned, dict) else [assigned]:
            yield _schedule(plan)


def _on_one_line(texts: Texts) -> str:
    if isinstance(texts, str):
        return texts
    return ", ".join(f"{name}: {_on_one_line(inner)}" for name, inner in texts.items())


def _schedule(plan: Schedule | Set) -> Schedule:
    return cast(Schedule, plan.plan) if isinstance(plan, Set) else plan


def _over(plan: Schedule | Set, steps: int) -> Schedule | Set:
    schedule = _schedule(plan).over(steps)
    return Set(schedule) if isinstance(plan, Set) else schedule


def _read_plans(name: str, texts: Any) -> AssignedPlan:
    if isinstance(texts, dict) and texts:
        return {group: _plan(f"{name} of {group}", text) for group, text in texts.items()}
    return _plan(name, texts)


def _plan(label: str, text: Any) -> Schedule | Set:
    if not isinstance(text, str):
        raise ScheduleError(f"{label} is given by a text, as in cosine(100%), not by {text!r}")
    return parse_plan(text)
