"""Targets, read from the arguments of `Scheduler`: each is one plan, on one hyperparameter, for some groups."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, final

from glidepath.core.assignment import Set as Set
from glidepath.core.checks import real
from glidepath.core.horizon import Horizon
from glidepath.core.printing import print_call
from glidepath.core.resolve import is_in_epochs
from glidepath.core.schedule import Schedule, waits
from glidepath.errors import SchedulerError
from glidepath.parser import parse, parse_plan

from .hyperparameter import Group, Hyperparameter

Selector = str | Callable[[Group], bool]
Plan = Schedule | str

AS_POSITION = "Scheduler counts the updates; to begin later, give position="
AS_HORIZON = "give the length of the run as horizon="
NOT_HYPERPARAMETERS = {  # arguments of other schedulers
    **dict.fromkeys(("last_epoch", "last_step"), AS_POSITION),
    **dict.fromkeys(("total_steps", "T_max", "num_training_steps", "max_steps", "steps"), AS_HORIZON),
    "epochs": "give the length of the run, horizon=Horizon(steps, steps_per_epoch=...)",
    "steps_per_epoch": "give the length of the run, horizon=Horizon(steps, steps_per_epoch=...)",
    "verbose": "leave it out, and print scheduler.get_last_lr() where you want to see the rate",
}


@final
@dataclass(frozen=True)
class Target:
    """One plan on one hyperparameter of the groups that `selector` names; None is all of them."""

    hyperparameter: Hyperparameter
    plan: Schedule
    sets: bool
    selector: Selector | None
    label: str
    minimum: float | None = None

    @functools.cached_property
    def is_data(self) -> bool:
        """Return whether the plan has a text; a Python function may depend on anything, and fail past the run."""
        return print_call(self.plan._call()).has_text

    @property
    def text(self) -> str:
        """Return the plan as it was given: in `Set`, if it is not scaled."""
        return f"Set({self.plan!r})" if self.sets else repr(self.plan)

    def selects(self, group: Group) -> bool:
        """Return whether this target schedules `group`.

        Raises:
            SchedulerError: if the predicate raises.
        """
        if self.selector is None:
            return True
        if isinstance(self.selector, str):
            return bool(group.get("name") == self.selector)
        try:
            return bool(self.selector(group))
        except Exception as error:
            raise SchedulerError(f"the predicate of {self.label} raised {type(error).__name__}: {error}") from error


def read_targets(
    arguments: Mapping[str, Any], minimum: float | Mapping[Any, float] | None, horizon: Horizon | int | None
) -> list[Target]:
    """Read the targets that the keyword arguments of a scheduler describe.

    Raises:
        SchedulerError: if an argument is not a plan, names nothing, or is a draft without a horizon.
    """
    plans = {name: value for name, value in arguments.items() if value is not None}
    if not plans:
        raise SchedulerError("there is no plan: give one, as in Scheduler(optimizer, cosine(10_000))")
    if minimum is not None and "lr" not in plans:
        raise SchedulerError("minimum is the floor of the learning rate, and no plan schedules lr here")
    targets = [target for name, value in plans.items() for target in _read_argument(name, value, minimum, horizon)]
    labels = [target.label for target in targets]
    for label in labels:
        if labels.count(label) > 1:
            raise SchedulerError(f"{label} has two plans: give it one")
    return targets


def _read_argument(name: str, value: Any, minimum: Any, horizon: Horizon | int | None) -> Iterator[Target]:
    for hyperparameter, plans in _elements(name, value):
        selections = _read_mapping(name, plans) if isinstance(plans, Mapping) else [(None, plans)]
        for number, (selector, plan) in enumerate(selections):
            label = f"{hyperparameter}{_suffix(selector, number)}"
            floor = _minimum_of(minimum, selector) if name == "lr" else None
            value = parse_plan(plan) if isinstance(plan, str) else plan
            sets = isinstance(value, Set)
            plan = value.plan if isinstance(value, Set) else value
            if not isinstance(plan, (Schedule, str)):
                _refuse_value(name, plan, label)
            resolved = _resolve(plan, horizon)
            yield Target(hyperparameter, resolved, sets, selector, label, floor)


def _refuse_value(name: str, value: Any, label: str) -> NoReturn:
    """Refuse what is not a plan: a Python function, an argument of other schedulers, or a plain value."""
    advice = NOT_HYPERPARAMETERS.get(name)
    if advice is not None:
        raise SchedulerError(f"{name} is not a hyperparameter of the optimizer: {advice}")
    function = ": wrap the function, gp.formula(function)" if callable(value) else ""
    raise SchedulerError(f"{label} takes a schedule, its text, or Set(schedule), not {value!r}{function}")


def _read_mapping(name: str, plans: Mapping[Any, Any]) -> list[tuple[Selector, Any]]:
    """Return the selectors of a mapping, and their plans."""
    if not plans:
        raise SchedulerError(f"the mapping of {name} is empty: name the groups to schedule, or give one plan for all")
    for selector in plans:
        if not isinstance(selector, str) and not callable(selector):
            raise SchedulerError(f"the keys of {name} are names of groups, or predicates on groups, not {selector!r}")
    return list(plans.items())


def _elements(name: str, value: Any) -> Iterator[tuple[Hyperparameter, Any]]:
    """Yield the hyperparameters of an argument: `betas=(plan, None)` and the name "betas[0]" mean the first element."""
    if isinstance(value, (tuple, list)):
        yield from ((Hyperparameter(name, i), plan) for i, plan in enumerate(value) if plan is not None)
        return
    match = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    yield (Hyperparameter(match[1], int(match[2])) if match else Hyperparameter(name)), value


def _suffix(selector: Selector | None, number: int) -> str:
    if selector is None:
        return ""
    return f" of {selector}" if isinstance(selector, str) else f" of predicate {number}"


def _minimum_of(minimum: Any, selector: Selector | None) -> float | None:
    value = minimum.get(selector) if isinstance(minimum, Mapping) else minimum
    return None if value is None else real(value, "minimum", at_least=0)


def read_plan(value: Any, purpose: str, horizon: Horizon | int | None) -> Schedule:
    """Read one plan that scales: a schedule or its text.

    Raises:
        SchedulerError: if it is neither, or is a draft without a horizon.
    """
    plan = parse(value) if isinstance(value, str) else value
    if not isinstance(plan, Schedule):
        raise SchedulerError(f"{purpose} takes a schedule or its text, as in one_minus_sqrt(2000), not {value!r}")
    return _resolve(plan, horizon)


def _resolve(plan: Schedule | str, horizon: Horizon | int | None) -> Schedule:
    plan = parse(plan) if isinstance(plan, str) else plan
    if waits(plan) and horizon is None:
        raise SchedulerError(f"{plan!r} waits for a horizon: give plan.over(10_000), or Scheduler(..., horizon=10_000)")
    return plan if horizon is None else plan.over(horizon)


def has_epochs(value: Any) -> bool:
    """Return whether a plan, or any among the arguments of a scheduler, was written in epochs."""
    if isinstance(value, str):
        value = parse_plan(value)
    if isinstance(value, Set):
        return has_epochs(value.plan)
    if isinstance(value, Mapping):
        return any(map(has_epochs, value.values()))
    if isinstance(value, (tuple, list)):
        return any(map(has_epochs, value))
    return is_in_epochs(value)
