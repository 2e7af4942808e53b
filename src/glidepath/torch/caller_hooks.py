"""A wrapper around a scheduled optimizer that is seen at the first update, because the optimizer does not know it.

From then on its step begins the updates: some wrappers read the rate before they call the inner step (schedulefree with
decay at y), and some copy the values of groups of their own into the inner ones there (badam, ZeroRedundancyOptimizer).
"""

from typing import Any, Protocol, final

from .compiling import skip_compiling
from .wrapper_chain import HookHandle, caller_of, refer_weakly, steps_through
from .wrappers import UpdateClock, UpdateWatch


class WritingClock(UpdateClock, Protocol):
    """What a wrapper's hooks tell a clock."""

    schedules: Any

    def write(self, optimizer: Any) -> None:
        """Write the values of the next update."""


def expect_caller(clock: WritingClock, optimizer: Any, before: Any, after: Any, handles: list[Any]) -> None:
    """Look for a wrapper at the first update, and have its step begin the updates from then on.

    Args:
        clock: whose hooks these are.
        optimizer: that has the hooks.
        before: handle of the pre-hook; another stands in its place until the first update, and costs nothing later.
        after: handle of the post-hook.
        handles: of the clock, to which those of the wrapper are added.
    """
    before_hooks, after_key = optimizer._optimizer_step_pre_hooks, after.id
    key, clock_writes = before.id, before_hooks[before.id]

    @skip_compiling
    def before_first(optimizer: Any, args: Any, kwargs: Any) -> None:
        if clock.paused:
            return
        caller, hook = caller_of(optimizer), clock_writes
        if caller is not None and steps_through(caller, optimizer):
            watch = UpdateWatch(clock, [optimizer])
            handles.append(watch.handle)
            hook, optimizer._optimizer_step_post_hooks[after_key] = watch.before, watch.after
        elif caller is not None:
            handles.append(CopyingCaller(clock, caller, optimizer).handle)
        optimizer._optimizer_step_pre_hooks[key] = hook
        hook(optimizer, args, kwargs)

    before_hooks[key] = before_first


@final
class CopyingCaller:
    """The hooks on a wrapper that copies values of its own down: what it copies is what the clock writes then."""

    def __init__(self, clock: WritingClock, caller: Any, optimizer: Any) -> None:
        self._clock, self._optimizer = clock, refer_weakly(optimizer)
        self._shown: dict[tuple[int, str], Any] = {}  # the values that were put into the wrapper's groups
        self.handle = HookHandle()
        self.handle.put(caller, self)
        self._put_back(caller, optimizer)
        self._show(caller, optimizer)

    @skip_compiling
    def before(self, caller: Any, args: Any, kwargs: Any) -> None:
        """Write the values of the update that begins."""
        if self._clock.paused:
            return
        optimizer = self._optimizer()
        self._take_changes(caller, optimizer)
        self._clock.write(optimizer)
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
