"""Schedulers with a closed form: rate = the formula at this step, times the factor of all changes by other code.

Two schedulers on one optimizer multiply, and a change by hand stays, without a recursion that drifts. For each group
two numbers are kept: the last value of the formula, and the factor, which is computed anew only when the group does not
hold their product. What a schedule takes over at its start is a choice of the last value:

    its start, or a base rate    begin: the factor is the group's rate over it (see `_value_at_beginning`)
    the group's rate             jump: the factor is 1
    the same, or its own value   resume: 1 if the rate is on the curve or still the base, else its ratio to the curve

PyTorch resumes five classes (`_stays_when_resumed`) with the rate left alone, also where it is that of `last_epoch`,
one step behind: then they go on from there, with another start.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, ClassVar

from torch.optim import Optimizer

from glidepath.torch.hyperparameter import current_rates
from glidepath.warn import warn_caller

from .base import NOT_GIVEN, LRScheduler, warn_outside_step
from .fast_path import MOVING, FastPath, open_fast_path
from .groups import Group, copy_value, match_type, round_to_type
from .last_written import last_write


class ClosedForm(LRScheduler, ABC):
    """A scheduler that knows the rate of every step: `lr_at(step)`."""

    _stays_when_resumed: ClassVar[bool] = False  # made with last_epoch=k, on the rate of step k
    _continues: ClassVar[bool] = True  # from the rate that an older schedule or a checkpoint has left

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: Any = NOT_GIVEN) -> None:
        self._formula: list[float] = []
        self._external: list[float] = []
        self._started: list[float | None] = []  # another start than the base rate
        super().__init__(optimizer, last_epoch, verbose)

    @abstractmethod
    def lr_at(self, step: int) -> list[float]:
        """Return the rates of all groups at `step`, if only this scheduler writes them; change nothing."""

    def _numbers(self) -> Iterator[Any]:
        """Return the numbers of the coming steps that all groups share, as many as can be known ahead."""
        return count(self.last_epoch + 1)

    def _rates_of(self, number: Any, starts: list[float]) -> list[float]:
        """Return the rates of all groups, from the number of a step and the rates that the schedule starts from."""
        return self.lr_at(number)

    def _follow(self, number: Any) -> None:
        """Do what else belongs to a step, after its rates were written on the fast path."""

    def _open_fast_path(self) -> FastPath | None:
        return open_fast_path(self) if self._is_ours and self._step_count > 1 else None

    def _present_formula(self) -> list[float]:
        return self.lr_at(self.last_epoch)

    def _ignores(self, rate: float) -> bool:
        """Return whether a rate that a group holds before the first step is ignored."""
        return False

    def get_lr(self) -> list[Any]:
        """Return the rates of this step, in the types of the groups."""
        warn_outside_step(self)
        before, after = self._formula, self._present_formula()
        held_rates = [group["lr"] for group in self.optimizer.param_groups]
        rates = [float(rate) for rate in held_rates]
        self._update_factors(held_rates, rates)
        # where the formula does not change, the rate does not either: even at 0, where a factor cannot show
        values = [
            rate if new == old and self._counts(rate) else new * factor
            for rate, old, new, factor in zip(rates, before, after, self._external, strict=True)
        ]
        self._warn_unless_finite(values)
        self._formula = after
        return [match_type(rate, value) for rate, value in zip(held_rates, values, strict=True)]

    def _get_closed_form_lr(self) -> list[Any]:
        groups, values = self.optimizer.param_groups, self._present_formula()
        return [match_type(group["lr"], value) for group, value in zip(groups, values, strict=True)]

    # --- the last values and the factors ---

    def _update_factors(self, held_rates: list[Any], rates: list[float]) -> None:
        """Set the factor of each group that does not hold what was written to its rate over the formula."""
        for i, formula in enumerate(self._formula):
            factor = factor_of(held_rates[i], formula, self._external[i])
            if factor != self._external[i] and self._counts(rates[i]):
                self._external[i] = factor

    def _counts(self, rate: float) -> bool:
        return self._step_count > 2 or not self._ignores(rate)

    def _factor(self) -> list[float]:
        self._update_factors([group["lr"] for group in self.optimizer.param_groups], current_rates(self.optimizer))
        return list(self._external)

    def _remember(self, formula: list[float]) -> None:
        self._formula = formula
        self._external = [1.0] * len(formula)

    def _join(self, group: Group) -> None:
        super()._join(group)
        rate, base = float(group["lr"]), float(self.base_lrs[-1])
        self._formula.append(rate if self._ignores(rate) else base)
        self._external.append(1.0)
        self._started.append(None)

    def _initial_step(self) -> None:
        self._fast_path = None
        self._compare_with_last()
        last_value = self._value_at_beginning if self.last_epoch < 0 else self._value_at_resuming
        self._remember([last_value(i, rate) for i, rate in enumerate(current_rates(self.optimizer))])
        super()._initial_step()

    def _compare_with_last(self) -> None:
        """Note how far a schedule with the same arguments was, if this one begins where that one has stopped."""
        arguments = {name: value for name, value in vars(self).items() if name not in MOVING | {"base_lrs", "_started"}}
        self._schedule_text = f"{type(self).__qualname__} {arguments}"
        record, rates = last_write(self.optimizer), current_rates(self.optimizer)
        if record is not None and record.schedule == self._schedule_text:
            untouched = all(record.wrote(i, rate) for i, rate in enumerate(rates))
            goes_on = record.step in (self.last_epoch, self.last_epoch + 1)
            self._earlier_steps = record.step if untouched and not goes_on else 0

    def _value_at_beginning(self, i: int, rate: float) -> float:
        """Return the last value of the formula: the group's rate if that is the start, or the base that it scales."""
        record, group = last_write(self.optimizer), self.optimizer.param_groups[i]
        if self._ignores(rate):
            return rate
        if record is not None and not record.wrote(i, rate) and rate != 0:  # set by hand, for this schedule
            group["initial_lr"], self.base_lrs[i] = copy_value(group["lr"]), copy_value(group["lr"])
            return rate
        if record is not None and record.wrote(i, rate) and record.step == 0:  # by one that runs together with this
            return self._start(i, record.starts[i])
        if self._continues and rate != 0:
            return self._start(i, rate)
        return rate or float(self.base_lrs[i])

    def _start(self, i: int, start: float) -> float:
        self._started[i] = None if start == float(self.base_lrs[i]) else start
        return start

    def _start_from_base(self) -> None:
        self._started = [None] * len(self.base_lrs)

    def _starts(self) -> list[float]:
        return [float(b) if s is None else s for b, s in zip(self.base_lrs, self._started, strict=True)]

    def _value_at_resuming(self, i: int, rate: float) -> float:
        held_rate, step = self.optimizer.param_groups[i]["lr"], self.last_epoch
        last, coming = self.lr_at(step)[i], self.lr_at(step + 1)[i]

        def is_held(value: float) -> bool:
            return math.isclose(rate, round_to_type(held_rate, value), rel_tol=1e-6)

        if is_held(last) and not is_held(coming) and self._stays_when_resumed:
            self._started[i] = self._start_from(i, rate, coming)
            coming = self.lr_at(step + 1)[i]
            return coming if coming == 0 or is_held(coming) else rate
        return rate if is_held(coming) or is_held(last) or is_held(float(self.base_lrs[i])) else coming

    def _start_from(self, i: int, rate: float, coming: float) -> float | None:
        """Return the start of group `i` from which the schedule would be at `rate` where it is at `coming`."""
        return self._starts()[i] * (rate / coming) if coming else self._started[i]

    def _begin(self, step: int) -> None:
        self._join_groups()
        self._start_from_base()
        self._remember(self._starts())
        self.last_epoch = step - 1
        super()._initial_step()

    def _values(self, *, jump: bool) -> list[Any]:
        if jump:
            self._remember(current_rates(self.optimizer))
        return self.get_lr()

    def _load(self, state: Mapping[str, Any]) -> None:
        self._fast_path, self._earlier_steps = None, 0
        super()._load(state)
        if "_formula" not in state:  # PyTorch's own state
            self._start_from_base()
            self._remember(self._present_formula())

    def _warn_unless_finite(self, values: list[float]) -> None:
        if not all(map(math.isfinite, values)):
            i, value = next((i, value) for i, value in enumerate(values) if not math.isfinite(value))
            warn_caller(
                f"{type(self).__name__} gives group {i} the rate {value} at step {self.last_epoch}: "
                "no update can use it",
                "GP711",
            )


def factor_of(rate: Any, formula: float, factor: float) -> float:
    """Return the ratio of a group's rate to the formula: `factor`, if it holds their product or cannot show a ratio."""
    product, value = formula * factor, float(rate)
    if value == product or formula == 0 or not math.isfinite(formula) or value == round_to_type(rate, product):
        return factor
    return value / formula
