"""A lane: one plan on one hyperparameter of some groups, with what was last written there.

The value that group i gets at update k is exactly

    max(own_i * plan(k), minimum),    own_i = base_i * factor_i,

where base_i is the value that the group had when it joined (1 for `Set`), and factor_i is what somebody else has
multiplied it by since. A change by somebody else is seen because the group no longer holds what was last written.

Rates that are tensors are filled in place with the float64 value, and a change is seen by the tensor's version
counter, without reading it back from the device.
"""

import math
from itertools import takewhile
from typing import Any, final

from torch import Tensor, tensor

from glidepath.errors import SchedulerError

from .targets import Group, Target


@final
class Lane:
    """The groups that one target drives. Mutable; holds no optimizer."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.groups: list[Group] = []
        self.bases: list[float] = []
        self.factors: list[float] = []
        self.written: list[float] = []
        self._versions: list[tuple[int, int] | None] = []
        self._next: list[float] | None = None

    # --- groups ---

    def join(self, group: Group, number: int) -> None:
        """Drives one more group, from the value that it has now."""
        self.target.hyperparameter.check(group, number)
        value = self._get(group)
        self.groups.append(group)
        self.bases.append(1.0 if self.target.sets else float(value))
        self.factors.append(1.0)
        self.written.append(float(value))
        self._versions.append(version(value))

    def replace(self, old: Group, new: Group) -> None:
        """Follows a group whose dict was replaced, as loading a state does; what `new` holds is no hand change."""
        for i, group in enumerate(self.groups):
            if group is old:
                self.groups[i] = new
                self._accept(i)

    def restore(self, target: Target, bases: list[float], factors: list[float]) -> None:
        """Goes on with a saved state; what the groups hold now is no hand change."""
        self.target, self.bases, self.factors = target, bases, factors
        for i in range(len(self.groups)):
            self._accept(i)

    def _accept(self, i: int) -> None:
        value = self._get(self.groups[i])
        self.written[i], self._versions[i] = float(value), version(value)

    def _get(self, group: Group) -> Any:
        return self.target.hyperparameter.get(group)

    @property
    def foreseeable(self) -> bool:
        """Whether rows can be computed ahead: plain floats, and no Python function that might not bear being asked."""
        plain = self.target.hyperparameter.index is None and all(type(self._get(g)) is float for g in self.groups)
        return plain and self.target.is_data

    # --- values ---

    def owned(self) -> list[float]:
        """base * factor of each group."""
        return [base * factor for base, factor in zip(self.bases, self.factors, strict=True)]

    def values_at(self, k: int) -> list[float]:
        """What each group gets at update k.

        Raises:
            SchedulerError: if that is not finite.
        """
        value = self.target.plan(k)
        values = [self._bounded(own * value) for own in self.owned()]
        if not all(map(math.isfinite, values)):
            raise SchedulerError(
                f"{self.target.label} would become {value * self.bases[0]} at update {k}: {self.target.plan!r} gives "
                f"{value} there; nothing was changed (plan.review() finds such steps before the run)"
            )
        return values

    def columns(self, start: int, steps: int) -> list[list[float]]:
        """What each group gets at updates start, start + 1, ... as far as that is finite, at most `steps` of them."""
        values = self.target.plan.block(start, start + steps)
        column = {own: self._column(own, values) for own in set(self.owned())}
        return [column[own] for own in self.owned()]

    def _column(self, own: float, values: list[float]) -> list[float]:
        column = [own * value for value in values]
        if not math.isfinite(sum(column)):
            column = list(takewhile(math.isfinite, column))
        minimum = self.target.minimum
        return column if minimum is None else [max(value, minimum) for value in column]

    def _bounded(self, value: float) -> float:
        minimum = self.target.minimum
        return value if minimum is None or not value < minimum else minimum

    # --- writing, in two steps, so that nothing is written if anything is refused ---

    def prepare(self, k: int) -> None:
        """What update k needs: the values, with what somebody else has changed taken in."""
        self.observe(k)
        self._next = self.values_at(k)

    def commit(self) -> None:
        """Writes what was prepared."""
        values = self._next or []
        for i, (group, value) in enumerate(zip(self.groups, values, strict=True)):
            old = self._get(group)
            if isinstance(old, Tensor):
                old.fill_(value)
                self._versions[i] = version(old)
            else:
                self.target.hyperparameter.put(group, value)
        self.written = values

    def observe(self, k: int) -> None:
        """Keeps a change by somebody else as a factor. Writing what update k gets anyway is no change."""
        seen = [self._seen(i, self._get(group)) for i, group in enumerate(self.groups)]
        if seen == self.written:
            return
        due = self.values_at(k)
        changed = {i: now for i, now in enumerate(seen) if now not in (self.written[i], due[i])}
        factors = {i: self._factor(i, now, k) for i, now in changed.items()}
        for i, factor in factors.items():
            self.factors[i] = factor
        self.written = seen

    def _seen(self, i: int, value: Any) -> float:
        """What group i holds; a tensor that nobody changed holds what was written, whatever its precision."""
        if not isinstance(value, Tensor):
            return float(value)
        if version(value) == self._versions[i]:
            return self.written[i]
        stored = tensor(self.written[i], dtype=value.dtype).item()
        return self.written[i] if float(value) == stored else float(value)

    def _factor(self, i: int, now: float, k: int) -> float:
        if not math.isfinite(now):
            raise SchedulerError(f"somebody set {self.target.label} of group {i} to {now}: set it to a finite number")
        if self.written[i] != 0:
            return self.factors[i] * (now / self.written[i])
        # after a written 0 no ratio can be told: take `now` for what the plan has at this update, or at its peak
        return now / (self.bases[i] * self.target.plan(k) or self.bases[i])


def version(value: Any) -> tuple[int, int] | None:
    """The identity and the version of a tensor, which every in-place change moves on."""
    if not isinstance(value, Tensor) or value.is_inference():
        return None
    return id(value), value._version
