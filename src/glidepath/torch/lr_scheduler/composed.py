"""Schedulers made of schedulers, and the sequence: one after the other. The chain is in `chained.py`; they nest.

A member that begins starts from its own base rates, times the factor that other code (a user, a plateau, another
scheduler) has put on the rates of the member before it.
"""

from abc import ABC
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch.optim import Optimizer
from torch.optim import lr_scheduler as stock

from glidepath.core.checks import count
from glidepath.errors import OptimizerError, ScheduleError, StateError
from glidepath.torch.compiling import skip_compiling
from glidepath.torch.scheduler import Scheduler

from .base import NOT_GIVEN, LRScheduler, warn_about_verbose
from .call_order import watch_updates
from .groups import check_optimizer, read_rates, write_value
from .last_written import record_write

Member = Any  # a scheduler of this package, or any subclass of PyTorch's


class Composite(LRScheduler, ABC):
    """Base of both: members on one optimizer, whose states are part of the state."""

    _schedulers: list[Member]

    @property
    def base_lrs(self) -> list[Any]:  # type: ignore[override]
        """Return the base rates of the first member."""
        return cast(list[Any], self._schedulers[0].base_lrs)

    def _join_groups(self) -> None:
        for member in self._schedulers:
            if isinstance(member, LRScheduler):
                member._join_groups()

    def _start_from_base(self) -> None:
        for member in self._schedulers:
            if isinstance(member, LRScheduler):
                member._start_from_base()

    def get_lr(self) -> list[Any]:
        """Return the rates that the members have written."""
        return read_rates(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every scheduler, with the states of the members."""
        return {**super().state_dict(), "_schedulers": [member.state_dict() for member in self._schedulers]}

    def _check_state(self, state: Mapping[str, Any]) -> None:
        super()._check_state(state)
        if len(state["_schedulers"]) != len(self._schedulers):
            raise StateError(
                f"a state of {len(state['_schedulers'])} schedulers does not fit {len(self._schedulers)} of them"
            )
        for member, member_state in zip(self._schedulers, state["_schedulers"], strict=True):
            if isinstance(member, LRScheduler):
                member._check_state(member_state)

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load({key: value for key, value in state.items() if key != "_schedulers"})
        for member, member_state in zip(self._schedulers, state["_schedulers"], strict=True):
            _load(member, member_state)

    def _active_members(self) -> list[Member]:
        """Return the members that write now, in their order."""
        return list(self._schedulers)

    def _restore(self, values: list[Any]) -> None:
        for member in self._active_members():
            if isinstance(member, LRScheduler):
                member._restore(values)
        super()._restore(values)


class SequentialLR(Composite):
    """schedulers[i](k - m_i) from milestone m_i on: each in its turn, with its own clock and its own base rates

    Args:
        optimizer: the optimizer.
        schedulers: at least one; none of them a ReduceLROnPlateau.
        milestones: the steps at which the second, third, ... begin, ascending.
        last_epoch: -1 to begin; k to resume after step k.
        verbose: deprecated.

    Differs from PyTorch's: members may be SequentialLR and ChainedScheduler themselves; `last_epoch` resumes in the
    right member at the right step; each member begins at its own base rates (a OneCycleLR does not change those of
    the first); changes by other code are kept at a milestone; unsorted milestones are refused.
    """

    _state_key = "_milestones"

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[Member],
        milestones: list[int],
        last_epoch: int = -1,
        verbose: Any = NOT_GIVEN,
    ) -> None:
        warn_about_verbose(verbose)
        self._schedulers = check_members(type(self).__name__, check_optimizer(optimizer), schedulers)
        if any(isinstance(member, Scheduler) for member in schedulers):
            raise ScheduleError(
                "glidepath.torch.Scheduler counts updates by itself and writes at each of them, in the turns of others "
                "too: join the plans, Scheduler(optimizer, warmup(500) >> cosine(9_500))"
            )
        self._milestones = _check_milestones(milestones)
        if len(milestones) != len(schedulers) - 1:
            raise ScheduleError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got {len(schedulers)} schedulers and {len(milestones)} milestones"
            )
        self.optimizer = optimizer
        watch_updates(optimizer)
        self._begin(last_epoch + 1)

    @skip_compiling
    def step(self) -> None:  # type: ignore[override]
        """Advance by one step; at a milestone begin the next member."""
        last, self.last_epoch = self._active(), self.last_epoch + 1
        active = self._active()
        member = self._schedulers[active]
        if active != last:
            self._enter(self._schedulers[last])
        else:
            member.step()
            if getattr(member, "_fast_path", None) is not None:  # it has recorded this write
                self._last_lr = member._last_lr[:]
                return
        record_write(self)

    def _active(self) -> int:
        return bisect_right(self._milestones, self.last_epoch)

    def _active_members(self) -> list[Member]:
        return [self._schedulers[self._active()]]

    def _enter(self, before: Member | None = None) -> None:
        """Begin the member whose turn it is, at its own step."""
        self._join_groups()
        i = self._active()
        member = self._schedulers[i]
        factor = before._factor() if isinstance(before, LRScheduler) else [1.0] * len(self.optimizer.param_groups)
        _write_base_rates(member, factor)
        begin_member(member, self.last_epoch - (self._milestones[i - 1] if i else 0))

    def lr_at(self, step: int) -> list[float]:
        """Return the rates of all groups at `step`, if only the members write them; change nothing."""
        i = bisect_right(self._milestones, step)
        return rates_at(self._schedulers[i], step - (self._milestones[i - 1] if i else 0))

    def _begin(self, step: int) -> None:
        self.last_epoch = step
        self._start_from_base()
        self._enter()
        record_write(self)

    def _factor(self) -> list[float]:
        member = self._schedulers[self._active()]
        return member._factor() if isinstance(member, LRScheduler) else super()._factor()


def rates_at(member: Member, step: int) -> list[float]:
    """Return the rates of a member at `step`.

    Raises:
        ScheduleError: if it has no formula.
    """
    if not hasattr(member, "lr_at"):
        raise ScheduleError(f"{type(member).__name__} has no formula to look ahead with: give one of glidepath's own")
    return cast(list[float], member.lr_at(step))


def _load(member: Member, state: Mapping[str, Any]) -> None:
    """Load a member's state without writing rates, unless the member has its own `load_state_dict`."""
    ours = getattr(type(member), "load_state_dict", None) is LRScheduler.load_state_dict
    member._load(state) if ours else member.load_state_dict(state)


def begin_member(member: Member, step: int) -> None:
    """Begin a member at `step` of its own."""
    if isinstance(member, LRScheduler):
        member._begin(step)
    else:
        member.last_epoch = step - 1
        member._initial_step()


def _write_base_rates(member: Member, factor: list[float]) -> None:
    """Write the member's base rates, times `factor`."""
    for group, base, ratio in zip(member.optimizer.param_groups, member.base_lrs, factor, strict=True):
        write_value(group, "lr", float(base) * ratio)


def check_members(name: str, optimizer: Any, schedulers: Sequence[Member]) -> list[Member]:
    """Return the members as a list, if each is a scheduler of this optimizer that needs no metric.

    Raises:
        ScheduleError: if there is none, or one needs a metric or has another optimizer.
        OptimizerError: if one is not a scheduler.
    """
    if not schedulers:
        raise ScheduleError(f"{name} expects at least one scheduler, but got none")
    for i, member in enumerate(schedulers):
        if not hasattr(member, "optimizer"):
            raise OptimizerError(f"{name} at index {i} should have `optimizer` as its attribute: give a scheduler")
        if isinstance(member, stock.ReduceLROnPlateau):
            raise ScheduleError(
                f"{name} does not support ReduceLROnPlateau, which needs a metric at every step, but got one at index "
                f"{i}: step it by itself, on the same optimizer"
            )
        if member.optimizer is not optimizer:
            raise ScheduleError(
                f"{name} expects all schedulers to belong to the same optimizer, but the {type(member).__name__} at "
                f"index {i} has another one"
            )
    return list(schedulers)


def _check_milestones(milestones: Sequence[int]) -> list[int]:
    steps = [count(milestone, "a milestone") for milestone in milestones]
    if steps != sorted(steps):
        raise ScheduleError(f"milestones must ascend, not {steps}")
    return steps
