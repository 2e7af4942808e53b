"""What to drive: from the arguments of `Scheduler` to a list of targets.

A target is one plan, on one hyperparameter, for some parameter groups. A hyperparameter is a key of a group ("lr"),
or an element of a tuple under one ("betas[0]").
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor

from glidepath.core.checks import real
from glidepath.core.horizon import Horizon
from glidepath.core.printing import printed
from glidepath.core.schedule import Draft, Schedule, waits
from glidepath.errors import SchedulerError
from glidepath.parser import parse

Group = dict[str, Any]
Selector = str | Callable[[Group], bool]
Plan = Schedule | str


@final
@dataclass(frozen=True)
class Set:
    """A plan whose values are written as they are, instead of scaling the group's own value.

    Examples:
        >>> from glidepath import linear
        >>> Set(linear(100, start=0.85, to=0.95))
        Set(plan=linear(100, to=0.95, start=0.85))
    """

    plan: Plan


@final
@dataclass(frozen=True)
class Hyperparameter:
    """`group[key]`, or `group[key][index]`."""

    key: str
    index: int | None = None

    def __str__(self) -> str:
        return self.key if self.index is None else f"{self.key}[{self.index}]"

    def get(self, group: Group) -> Any:
        """The value in a group."""
        value = group[self.key]
        return value if self.index is None else value[self.index]

    def put(self, group: Group, value: float) -> None:
        """Writes a value into a group; a tuple is replaced, the rest of it kept."""
        if self.index is None:
            group[self.key] = value
        else:
            old = group[self.key]
            group[self.key] = type(old)((*old[: self.index], value, *old[self.index + 1 :]))

    def check(self, group: Group, number: int) -> None:
        """Refuses a group that has no such value.

        Raises:
            SchedulerError: with what the group does have.
        """
        known = sorted(key for key in group if key not in ("params", "param_names", "name"))
        if self.key not in group:
            raise SchedulerError(f"group {number} has no {self.key!r}: this optimizer knows {', '.join(known)}")
        if self.index is None:
            self._check_number(group[self.key], number)
        elif not isinstance(group[self.key], (tuple, list)):
            raise SchedulerError(
                f"{self.key} of group {number} is {group[self.key]!r}, which has no elements: give one plan"
            )
        elif not 0 <= self.index < len(group[self.key]):
            raise SchedulerError(f"{self.key} of group {number} has {len(group[self.key])} elements, no {self}")

    def _check_number(self, value: Any, number: int) -> None:
        if isinstance(value, (tuple, list)) and self.key != "params":
            plans = ", ".join(["plan", *["None"] * (len(value) - 1)])
            raise SchedulerError(f"{self.key} of group {number} has {len(value)} elements: write {self.key}=({plans})")
        if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
            raise SchedulerError(f"{self.key} of group {number} is no number, so no plan can drive it")


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
        """Whether the plan is all data; a Python function may depend on anything, and know no step past the run."""
        return printed(self.plan._call()).has_text

    def selects(self, group: Group) -> bool:
        """Whether this target drives `group`."""
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
    """The targets that the keyword arguments of a driver describe.

    Raises:
        SchedulerError: if an argument is no plan, names nothing, or is a draft without a horizon.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if not given:
        raise SchedulerError("nothing to drive: give a plan, as in Scheduler(optimizer, cosine(10_000))")
    if minimum is not None and "lr" not in given:
        raise SchedulerError("minimum is the floor of the learning rate, and no plan drives lr here")
    targets = [target for name, value in given.items() for target in _of_argument(name, value, minimum, horizon)]
    labels = [target.label for target in targets]
    for label in labels:
        if labels.count(label) > 1:
            raise SchedulerError(f"{label} is driven twice: give it one plan")
    return targets


def _of_argument(name: str, value: Any, minimum: Any, horizon: Horizon | int | None) -> Iterator[Target]:
    for hyperparameter, plans in _elements(name, value):
        choices = _choices(name, plans) if isinstance(plans, Mapping) else [(None, plans)]
        for number, (selector, plan) in enumerate(choices):
            label = f"{hyperparameter}{_suffix(selector, number)}"
            floor = _floor(minimum, selector) if name == "lr" else None
            sets = isinstance(plan, Set)
            resolved = _resolved(plan.plan if isinstance(plan, Set) else plan, label, horizon)
            yield Target(hyperparameter, resolved, sets, selector, label, floor)


def _choices(name: str, plans: Mapping[Any, Any]) -> list[tuple[Selector, Any]]:
    """The selectors of a mapping, and their plans."""
    if not plans:
        raise SchedulerError(f"the mapping of {name} is empty: name the groups to drive, or give one plan for all")
    for selector in plans:
        if not isinstance(selector, str) and not callable(selector):
            raise SchedulerError(
                f"{name} is given by the names of groups, or by predicates on them, not by {selector!r}"
            )
    return list(plans.items())


def _elements(name: str, value: Any) -> Iterator[tuple[Hyperparameter, Any]]:
    """`betas=(plan, None)` drives the first element; the name "betas[0]" says the same."""
    if isinstance(value, (tuple, list)):
        yield from ((Hyperparameter(name, i), plan) for i, plan in enumerate(value) if plan is not None)
        return
    match = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    yield (Hyperparameter(match[1], int(match[2])) if match else Hyperparameter(name)), value


def _suffix(selector: Selector | None, number: int) -> str:
    if selector is None:
        return ""
    return f" of {selector}" if isinstance(selector, str) else f" of predicate {number}"


def _floor(minimum: Any, selector: Selector | None) -> float | None:
    value = minimum.get(selector) if isinstance(minimum, Mapping) else minimum
    return None if value is None else real(value, "minimum", at_least=0)


def _resolved(plan: Any, label: str, horizon: Horizon | int | None) -> Schedule:
    plan = parse(plan) if isinstance(plan, str) else plan
    if not isinstance(plan, Schedule):
        raise SchedulerError(f"{label} takes a schedule, its text, or Set(schedule), not {plan!r}")
    if waits(plan) and horizon is None:
        raise SchedulerError(f"{plan!r} waits for a horizon: give plan.over(10_000), or Scheduler(..., horizon=10_000)")
    return plan if horizon is None else plan.over(horizon)


def uses_epochs(arguments: Mapping[str, Any]) -> bool:
    """Whether any plan among the arguments was written in epochs."""
    return any(isinstance(value, Draft) and "ep" in repr(value) for value in arguments.values())
