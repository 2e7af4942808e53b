"""The fast path of `step()`: where nothing has changed since the last step, a step is one comparison and one write.

A class with a formula splits it in two: numbers that all groups share (`_numbers`, computed ahead where they can be),
and the rates that follow from one of them (`_rates_of`). The slow path, in `closed_form.py`, takes every step at which
anything else has happened: a rate or a hyperparameter that was set by hand, another scheduler, a new group, a loaded
state, a tensor, a value that is not finite. Both write the same bits.
"""

from collections.abc import Iterator
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, final

from .groups import Group
from .last_written import LastWrite

if TYPE_CHECKING:
    from .closed_form import ClosedForm

MOVING = {  # what a step itself changes; all other attributes are what the numbers are computed from
    *("optimizer", "last_epoch", "_step_count", "_last_lr", "_formula", "_external"),
    *("_get_lr_called_within_step", "_is_initial"),
    *("_products", "_multiplied", "T_cur", "T_i"),  # of single classes
}


def open_fast_path(scheduler: "ClosedForm") -> "FastPath | None":
    """Return a fast path from the present step on, or None if the groups do not hold what was written last."""
    groups, last = scheduler.optimizer.param_groups, scheduler._last_lr
    if not hold_the_very_rates(groups, last) or {*map(type, last), *map(type, scheduler.base_lrs)} != {float}:
        return None
    return FastPath(scheduler) if last == multiply(scheduler._formula, scheduler._external) else None


def _copy_input(value: Any) -> Any:
    """Return `value`, copied if it can change in place."""
    return dict(value) if isinstance(value, dict) else value.copy() if isinstance(value, list) else value


@final
class FastPath:
    """The steps of a scheduler, as long as only they change it and the rates. Does not refer to the scheduler."""

    __slots__ = (
        "epoch",
        "external",
        "formula",
        "inputs",
        "names",
        "number",
        "numbers",
        "read_inputs",
        "record",
        "starts",
        "written",
    )

    def __init__(self, scheduler: "ClosedForm") -> None:
        attributes = vars(scheduler)
        self.names = len(attributes)
        self.read_inputs = itemgetter(*(name for name in attributes if name not in MOVING))
        self.inputs = tuple(map(_copy_input, self.read_inputs(attributes)))
        self.starts = scheduler._starts()
        self.external = None if set(scheduler._external) == {1.0} else list(scheduler._external)
        self.epoch = scheduler.last_epoch
        self.numbers: Iterator[Any] = iter(())
        self.number: Any = None
        self.formula: list[float] = []
        self.written = list(scheduler._last_lr)
        self.record = LastWrite(self.epoch + 1, self.written, [], scheduler._schedule_text)

    def step(self, scheduler: "ClosedForm") -> bool:
        """Make a step; return False, with no rate written, if it is one for the slow path."""
        attributes = scheduler.__dict__
        groups = attributes["optimizer"].param_groups
        if len(groups) != len(self.written) or not self.fits(attributes):
            return False
        for group, rate in zip(groups, self.written):  # noqa: B905 (strict costs a third here)
            if group["lr"] is not rate:
                return False
        before, formula = self.formula, self.next_formula(scheduler)
        if formula is not before:
            rates = formula if self.external is None else multiply(formula, self.external)
            if not isfinite(sum(rates)):
                return False
            for group, rate in zip(groups, rates):  # noqa: B905
                group["lr"] = rate
            self.written = self.record.rates = rates
        self.finish(scheduler, self.written)
        attributes["optimizer"]._scheduled = self.record
        return True

    def fits(self, attributes: dict[str, Any]) -> bool:
        """Return whether nothing but the steps here has changed the scheduler, whose attributes these are."""
        return (
            attributes["last_epoch"] == self.epoch
            and len(attributes) == self.names
            and self.read_inputs(attributes) == self.inputs
        )

    def next_formula(self, scheduler: "ClosedForm") -> list[float]:
        """Return the rates that the schedule alone would write next: the same list if they are the same."""
        number = next(self.numbers, None)
        if number is None:
            self.numbers = scheduler._numbers()
            number = next(self.numbers)
        if number != self.number:
            self.formula = scheduler._rates_of(number, self.starts)
            self.number = number
        return self.formula

    def finish(self, scheduler: "ClosedForm", rates: list[float]) -> None:
        """Count the step, after its rates were written."""
        attributes = scheduler.__dict__
        attributes["last_epoch"] = self.epoch = self.record.step = self.epoch + 1
        attributes["_step_count"] += 1
        attributes["_formula"] = self.formula
        attributes["_last_lr"] = rates[:]
        scheduler._follow(self.number)


def hold_the_very_rates(groups: list[Group], rates: list[float]) -> bool:
    """Return whether the groups hold these objects, so that no other code has written any."""
    if len(groups) != len(rates):
        return False
    for group, rate in zip(groups, rates):  # noqa: B905, SIM110 (half the time of all())
        if group["lr"] is not rate:
            return False
    return True


def multiply(values: list[float], factors: list[float]) -> list[float]:
    """Return the products of two lists of one length."""
    return [value * factor for value, factor in zip(values, factors)]  # noqa: B905
