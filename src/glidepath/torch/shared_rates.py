"""Tensors that several parameter groups or optimizers share: PyTorch gives every group the same object.

Groups of one plan that agree in their base may share a tensor: the same value is written into it for each. Everything
else would have the last plan win, and is refused.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, final
from weakref import WeakSet

from torch import Tensor

from glidepath.errors import Cure, SchedulerError

from .bound_schedule import BoundSchedule
from .group_names import name_group
from .hyperparameter import Group
from .slot import Slot

_claims: "WeakSet[Claim]" = WeakSet()


@final
class Claim:
    """The tensors that one scheduler writes; they are free again when it is released or gone."""

    def __init__(self, schedules: Sequence[BoundSchedule]) -> None:
        self._schedules = schedules

    def tensors(self) -> Iterator[Tensor]:
        """Yield what the groups hold now; loading a state replaces their tensors."""
        for schedule in self._schedules:
            for slot in schedule.slots:
                value = slot.hyperparameter.get(slot.group)
                if isinstance(value, Tensor):
                    yield value

    def release(self) -> None:
        """Free the tensors, as when the scheduler is detached."""
        _claims.discard(self)


def claim_tensors(schedules: Sequence[BoundSchedule]) -> Claim | None:
    """Claim the tensors that a scheduler writes in one optimizer; it keeps the claim as long as it writes.

    Returns:
        The claim; None if no group holds a tensor.
    """
    claim = Claim(schedules)
    if next(claim.tensors(), None) is None:
        return None
    _claims.add(claim)
    return claim


def check_claims(optimizers: Sequence[Sequence[BoundSchedule]]) -> None:
    """Check that no tensor of an optimizer is written by a scheduler of another one.

    Args:
        optimizers: the schedules of each optimizer of a new scheduler.

    Raises:
        SchedulerError: if one is.
    """
    claims = list(_claims)
    for schedules in optimizers:
        claim = Claim(schedules)
        tensors = {id(tensor) for tensor in claim.tensors()}
        for tensor in (tensor for other in claims if tensors for tensor in other.tensors()):
            if id(tensor) in tensors:
                _refuse_other(schedules, tensor)
        claims.append(claim)


def _refuse_other(schedules: Sequence[BoundSchedule], tensor: Tensor) -> NoReturn:
    schedule, slot = next(
        (schedule, slot)
        for schedule in schedules
        for slot in schedule.slots
        if slot.hyperparameter.get(slot.group) is tensor
    )
    raise SchedulerError(
        f"{schedule.target.label} of {name_group(slot.group, slot.number)} is a tensor that is scheduled in another "
        "optimizer too, so the last one would win",
        cures=[_clone(slot), Cure("detach the other scheduler first, glidepath.torch.detach(optimizer)")],
    )


def check_shared_rates(schedules: Sequence[BoundSchedule], groups: Sequence[Group] = ()) -> None:
    """Check that every tensor gets one value: that of one plan, and of one base.

    Args:
        schedules: of one scheduler.
        groups: all groups of its optimizer, as one that no plan selects may share a tensor with one that does.

    Raises:
        SchedulerError: if two plans, two bases, or a plan and a group without one meet on one tensor.
    """
    owners: dict[int, tuple[BoundSchedule, Slot]] = {}
    numbers = {id(group): number for number, group in enumerate(groups)}
    for schedule in schedules:
        for slot in schedule.slots:
            value: Any = slot.hyperparameter.get(slot.group)
            if isinstance(value, Tensor):
                owner, first = owners.setdefault(id(value), (schedule, slot))
                number = numbers.get(id(slot.group), slot.number)
                if owner is not schedule:
                    _refuse(slot, number, f"{owner.target.label} and {schedule.target.label} have two plans")
                if first.multiplier != slot.multiplier:
                    bases = f"{first.multiplier:g} and {slot.multiplier:g}"
                    _refuse(slot, number, f"the groups have different bases, {bases}")
    _check_rest(schedules, groups, owners)


def _check_rest(
    schedules: Sequence[BoundSchedule], groups: Sequence[Group], owners: dict[int, tuple[BoundSchedule, Slot]]
) -> None:
    """Check that no group without a plan holds a tensor that a plan writes."""
    if not owners:
        return
    selected = {(id(slot.group), slot.hyperparameter.key) for schedule in schedules for slot in schedule.slots}
    for number, group in enumerate(groups):
        for key, value in group.items():
            if id(value) in owners and (id(group), key) not in selected:
                schedule, slot = owners[id(value)]
                _refuse(slot, number, f"{schedule.target.label} is scheduled, and this group has no plan", group)


def _refuse(slot: Slot, number: int, reason: str, group: Group | None = None) -> NoReturn:
    raise SchedulerError(
        f"{slot.hyperparameter} of {name_group(group or slot.group, number)} is the same tensor as that of another "
        f"group, and {reason}",
        cures=[_clone(slot)],
    )


def _clone(slot: Slot) -> Cure:
    key = slot.hyperparameter.key
    return Cure(f'give each its own, group["{key}"] = group["{key}"].clone()')
