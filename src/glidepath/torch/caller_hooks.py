"""A wrapper around a scheduled optimizer: it is seen at the first update, and gets the values before its own step.

Some wrappers read the rate before they call the inner step (schedulefree with decay at y), and some copy the values of
groups of their own into the inner ones there (badam, ZeroRedundancyOptimizer).
"""

from typing import Any, Protocol, final

from .compiling import skip_compiling
from .wrapper_chain import caller_of, put_hooks, refer_weakly, shares_groups


class WritingClock(Protocol):
    """What a wrapper's hooks tell a clock."""

    schedules: Any
    paused: bool

    def write(self, optimizer: Any) -> None:
        """Write the values of the next update."""


def expect_caller(clock: WritingClock, optimizer: Any, handle: Any, handles: list[Any]) -> None:
    """Look for a wrapper at the first update, and have the clock write from then on when the wrapper begins its step.

    An optimizer does not know its wrapper, but is called by it. Some read the rate before they call the inner step,
    and some (badam, ZeRO) copy the rates of groups of their own into the inner ones there.

    Args:
        clock: whose pre-hook writes.
        optimizer: that has the hook.
        handle: of the hook; another one stands in its place until the first update, and costs nothing afterwards.
        handles: of the clock, to which that of the wrapper is added.
    """
    key, before = handle.id, optimizer._optimizer_step_pre_hooks[handle.id]

    @skip_compiling
    def before_first(optimizer: Any, args: Any, kwargs: Any) -> None:
        if clock.paused:
            return
        optimizer._optimizer_step_pre_hooks[key] = before
        caller = caller_of(optimizer)
        if caller is not None:
            handles.append(CallerHooks(clock, caller, optimizer))
        before(optimizer, args, kwargs)

    optimizer._optimizer_step_pre_hooks[key] = before_first


@final
class CallerHooks:
    """The hooks on a wrapper of a scheduled optimizer: they write the values of the next update, and count nothing."""

    def __init__(self, clock: WritingClock, caller: Any, optimizer: Any) -> None:
        self._clock, self._optimizer = clock, refer_weakly(optimizer)
        self._copies = not shares_groups(caller, optimizer)  # whether it has values of its own
        self._shown: dict[tuple[int, str], Any] = {}  # the values that were put into the wrapper's groups
        self._removals = put_hooks(caller, self)
        if self._copies:
            self._put_back(caller, optimizer)
            self._show(caller, optimizer)

    def remove(self) -> None:
        """Remove the hooks."""
        for remove in self._removals:
            remove()
        self._removals = []

    @skip_compiling
    def before(self, caller: Any, args: Any, kwargs: Any) -> None:
        """Write the values of the update that begins."""
        if self._clock.paused:
            return
        optimizer = self._optimizer()
        if self._copies:
            self._take_changes(caller, optimizer)
        self._clock.write(optimizer)
        if self._copies:
            self._show(caller, optimizer)

    @skip_compiling
    def after(self, caller: Any, args: Any, kwargs: Any) -> None:
        """Do nothing: the optimizer's own hooks count."""

    def _slots(self) -> list[Any]:
        return [slot for schedule in self._clock.schedules for slot in schedule.slots]

    def _put_back(self, caller: Any, optimizer: Any) -> None:
        """Put back what the clock wrote, where the wrapper has just overwritten it with its own."""
        own = self._values(caller)
        copies = {
            (id(group), key): value
            for (number, key), value in reversed(own.items())
            for group in _groups_beside(number, caller, optimizer)
        }
        overwritten = [
            slot
            for slot in self._slots()
            if slot.group[slot.hyperparameter.key] is copies.get((id(slot.group), slot.hyperparameter.key), self)
        ]
        for slot in overwritten:
            slot.write(slot.written)

    def _values(self, caller: Any) -> dict[tuple[int, str], Any]:
        """Return the scheduled values in the wrapper's groups, by the number of the group and the key."""
        keys = {slot.hyperparameter.key for slot in self._slots()}
        return {(i, key): group[key] for i, group in enumerate(caller.param_groups) for key in keys & group.keys()}

    def _take_changes(self, caller: Any, optimizer: Any) -> None:
        """Pass on what other code has written into the wrapper's groups."""
        for (number, key), value in self._values(caller).items():
            if value is not self._shown.get((number, key), value):
                for group in _groups_beside(number, caller, optimizer):
                    group[key] = value

    def _show(self, caller: Any, optimizer: Any) -> None:
        """Put the values into the wrapper's groups, so that what it copies is what the clock wrote."""
        for number, key in self._values(caller):
            caller.param_groups[number][key] = _groups_beside(number, caller, optimizer)[0][key]
        self._shown = self._values(caller)


def _groups_beside(number: int, caller: Any, optimizer: Any) -> list[Any]:
    """Return the optimizer's groups that get the values of a wrapper's group: its own one, or all of them."""
    groups: list[Any] = optimizer.param_groups
    return [groups[number]] if len(groups) == len(caller.param_groups) else groups
