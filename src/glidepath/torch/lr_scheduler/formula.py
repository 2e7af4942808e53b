"""A schedule with a formula: rate = what the formula says of this step, times what everybody else has done.

Two schedulers on one optimizer multiply, and a change by hand stays, without a recursion that drifts. For each group
two numbers are kept: what the formula said when it was last asked, and the factor of the others, which is found anew
only when the group does not hold their product. Every start is the same picture with another memory:

    begin    formula = base rate              whatever else is found becomes the factor
    jump     formula = the rate that is found  the factor is 1
    resume   the same, if that rate is on the curve or is the base; else the formula's value at this step
"""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from glidepath.core.errors import GlidepathWarning

from . import order
from .base import NOT_GIVEN, LRScheduler, warn_outside_step
from .groups import Group, like, same, stored


class ClosedForm(LRScheduler, ABC):
    """A scheduler that knows the rate of every step: `lr_at(step)`."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: Any = NOT_GIVEN) -> None:
        self._formula: list[float] = []
        self._external: list[float] = []
        super().__init__(optimizer, last_epoch, verbose)

    @abstractmethod
    def lr_at(self, step: int) -> list[float]:
        """The rates of all groups at `step`, if nobody but this scheduler writes them. Changes nothing."""

    def _now(self) -> list[float]:
        return self.lr_at(self.last_epoch)

    def _overrules(self, found: float) -> bool:
        """Whether a rate that is found before the first step counts for nothing: this schedule sets its own."""
        return False

    def _is_leftover(self, found: float) -> bool:
        """Whether an older schedule left this rate: it ended at zero, or came with a checkpoint."""
        return found == 0 or not order.is_watched(self.optimizer)

    def get_lr(self) -> list[Any]:
        """The rates of this step, in the types of the groups."""
        warn_outside_step(self)
        before, now = self._formula, self._now()
        self._notice()
        groups = self.optimizer.param_groups
        values = [self._value(*each) for each in zip(self._found(), before, now, self._external, strict=True)]
        self._warn_unless_finite(values)
        self._formula = now
        return [like(group["lr"], value) for group, value in zip(groups, values, strict=True)]

    def _value(self, found: float, before: float, now: float, external: float) -> float:
        # where the formula stands still the rate does too: even at 0, where no factor can be seen
        return found if now == before and self._counts(found) else now * external

    def _get_closed_form_lr(self) -> list[Any]:
        return [like(group["lr"], value) for group, value in zip(self.optimizer.param_groups, self._now(), strict=True)]

    # --- the memory ---

    def _notice(self) -> None:
        """Where a group does not hold what it was given, somebody else's factor is what it holds over the formula."""
        for i, group in enumerate(self.optimizer.param_groups):
            formula, found = self._formula[i], float(group["lr"])
            given = stored(group["lr"], formula * self._external[i])
            if not same(found, given) and formula != 0 and math.isfinite(formula) and self._counts(found):
                self._external[i] = found / formula

    def _counts(self, found: float) -> bool:
        return self._step_count > 2 or not self._overrules(found)

    def _factor(self) -> list[float]:
        self._notice()
        return list(self._external)

    def _remember(self, formula: list[float]) -> None:
        self._formula = formula
        self._external = [1.0] * len(formula)

    def _found(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _join(self, group: Group) -> None:
        super()._join(group)
        self._formula.append(float(self.base_lrs[-1]))
        self._external.append(1.0)

    def _initial_step(self) -> None:
        starts = self._at_beginning if self.last_epoch < 0 else self._at_resuming
        self._remember([starts(i, found) for i, found in enumerate(self._found())])
        super()._initial_step()

    def _at_beginning(self, i: int, found: float) -> float:
        return found if self._overrules(found) else float(self.base_lrs[i])

    def _at_resuming(self, i: int, found: float) -> float:
        held, coming = self.optimizer.param_groups[i]["lr"], self.lr_at(self.last_epoch + 1)[i]
        known = (float(self.base_lrs[i]), self.lr_at(self.last_epoch)[i], coming)
        return found if any(math.isclose(found, stored(held, k), rel_tol=1e-6) for k in known) else coming

    def _begin(self, step: int) -> None:
        self._join_groups()
        self._remember([float(base) for base in self.base_lrs])
        self.last_epoch = step - 1
        super()._initial_step()

    def _values(self, *, jump: bool) -> list[Any]:
        if jump:
            self._remember(self._found())
        return self.get_lr()

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        if "_formula" not in state:  # PyTorch's own state
            self._remember(self._now())

    def _warn_unless_finite(self, values: list[float]) -> None:
        for i, value in enumerate(values):
            if not math.isfinite(value):
                warnings.warn(
                    f"{type(self).__name__} gives group {i} the rate {value} at step {self.last_epoch}: "
                    "no update can use it",
                    GlidepathWarning,
                    stacklevel=2,
                )
