"""A schedule with a formula: rate = what the formula says of this step, times what everybody else has done.

Two schedulers on one optimizer multiply, and a change by hand stays, without a recursion that drifts. For each group
two numbers are kept: what the formula said when it was last asked, and the factor of the others, which is found anew
only when the group does not hold their product. What a schedule takes over at
its start is a choice of what the formula is remembered to have said:

    its start, or a base rate   begin: what is found over it is the factor of others (see `_at_beginning`)
    the rate that is found      jump: the factor is 1
    the same, or its own value  resume: 1 if the rate is on the curve or still the base, else what it is over the curve
"""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch.optim import Optimizer

from glidepath.errors import GlidepathWarning

from .base import NOT_GIVEN, LRScheduler, warn_outside_step
from .groups import Group, copy_value, match_type, round_to_type
from .last_written import last_write


class ClosedForm(LRScheduler, ABC):
    """A scheduler that knows the rate of every step: `lr_at(step)`."""

    _goes_on: ClassVar[bool] = True  # from the rate that an older schedule or a checkpoint has left

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: Any = NOT_GIVEN) -> None:
        self._formula: list[float] = []
        self._external: list[float] = []
        self._started: list[float | None] = []  # another start than the base rate
        super().__init__(optimizer, last_epoch, verbose)

    @abstractmethod
    def lr_at(self, step: int) -> list[float]:
        """The rates of all groups at `step`, if nobody but this scheduler writes them. Changes nothing."""

    def _now(self) -> list[float]:
        return self.lr_at(self.last_epoch)

    def _ignores(self, found: float) -> bool:
        """Whether a rate that is found before the first step counts for nothing, however it came there."""
        return False

    def get_lr(self) -> list[Any]:
        """The rates of this step, in the types of the groups."""
        warn_outside_step(self)
        before, now, held = self._formula, self._now(), [group["lr"] for group in self.optimizer.param_groups]
        found = [float(lr) for lr in held]
        self._notice(held, found)
        # where the formula stands still the rate does too: even at 0, where no factor can be seen
        values = [
            f if n == b and self._counts(f) else n * e
            for f, b, n, e in zip(found, before, now, self._external, strict=True)
        ]
        self._warn_unless_finite(values)
        self._formula = now
        return [match_type(lr, value) for lr, value in zip(held, values, strict=True)]

    def _get_closed_form_lr(self) -> list[Any]:
        return [
            match_type(group["lr"], value)
            for group, value in zip(self.optimizer.param_groups, self._now(), strict=True)
        ]

    # --- the memory ---

    def _notice(self, held: list[Any], found: list[float]) -> None:
        """Where a group does not hold what it was given, somebody else's factor is what it holds over the formula."""
        for i, formula in enumerate(self._formula):
            if found[i] == formula * self._external[i] or not math.isfinite(formula) or formula == 0:
                continue
            if found[i] != round_to_type(held[i], formula * self._external[i]) and self._counts(found[i]):
                self._external[i] = found[i] / formula

    def _counts(self, found: float) -> bool:
        return self._step_count > 2 or not self._ignores(found)

    def _factor(self) -> list[float]:
        self._notice([group["lr"] for group in self.optimizer.param_groups], self._found())
        return list(self._external)

    def _remember(self, formula: list[float]) -> None:
        self._formula = formula
        self._external = [1.0] * len(formula)

    def _found(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _join(self, group: Group) -> None:
        super()._join(group)
        found, base = float(group["lr"]), float(self.base_lrs[-1])
        self._formula.append(found if self._ignores(found) else base)
        self._external.append(1.0)
        self._started.append(None)

    def _initial_step(self) -> None:
        starts = self._at_beginning if self.last_epoch < 0 else self._at_resuming
        self._remember([starts(i, found) for i, found in enumerate(self._found())])
        super()._initial_step()

    def _at_beginning(self, i: int, found: float) -> float:
        """What the formula is taken to have said: `found` if that is the start, a base if it has a factor on it."""
        record, group = last_write(self.optimizer), self.optimizer.param_groups[i]
        if self._ignores(found):
            return found
        if record is not None and not record.wrote(i, found) and found != 0:  # set by hand, for this schedule
            group["initial_lr"], self.base_lrs[i] = copy_value(group["lr"]), copy_value(group["lr"])
            return found
        if record is not None and record.wrote(i, found) and record.step == 0:  # by one that runs together with this
            return self._start(i, record.starts[i])
        if self._goes_on and found != 0:
            return self._start(i, found)
        return found or float(self.base_lrs[i])

    def _start(self, i: int, start: float) -> float:
        self._started[i] = None if start == float(self.base_lrs[i]) else start
        return start

    def _start_from_base(self) -> None:
        self._started = [None] * len(self.base_lrs)

    def _starts(self) -> list[float]:
        return [float(b) if s is None else s for b, s in zip(self.base_lrs, self._started, strict=True)]

    def _at_resuming(self, i: int, found: float) -> float:
        held, coming = self.optimizer.param_groups[i]["lr"], self.lr_at(self.last_epoch + 1)[i]
        known = (float(self.base_lrs[i]), self.lr_at(self.last_epoch)[i], coming)
        return found if any(math.isclose(found, round_to_type(held, k), rel_tol=1e-6) for k in known) else coming

    def _begin(self, step: int) -> None:
        self._join_groups()
        self._start_from_base()
        self._remember(self._starts())
        self.last_epoch = step - 1
        super()._initial_step()

    def _values(self, *, jump: bool) -> list[Any]:
        if jump:
            self._remember(self._found())
        return self.get_lr()

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        if "_formula" not in state:  # PyTorch's own state
            self._start_from_base()
            self._remember(self._now())

    def _warn_unless_finite(self, values: list[float]) -> None:
        if not all(map(math.isfinite, values)):
            i, value = next((i, value) for i, value in enumerate(values) if not math.isfinite(value))
            warnings.warn(
                f"{type(self).__name__} gives group {i} the rate {value} at step {self.last_epoch}: "
                "no update can use it",
                GlidepathWarning,
                stacklevel=2,
            )
