"""The clock: counts the updates that an optimizer really makes, and writes before each of them.

The pre-hook of `optimizer.step` writes the values of the coming update, the post-hook counts it. An update counts
once however the call is nested (a subclass whose step calls its parent's), not at all if it raises, not if a fused
optimizer was told by the GradScaler to skip it, and not if it is only a rehearsal. The clock holds no optimizer, so it
keeps working when the driver object is dropped, and is freed without the garbage collector.

The way of nearly every update is short: where all values are plain floats, the rows of the next updates are computed
in blocks, and an update only compares each slot with what it last wrote there and writes the next number. Anything
unusual (a hand change, a new group, a tensor, a Python function as a plan, the end of a block) takes the long way,
through the lanes.
"""

from collections.abc import Iterator
from typing import Any, final

from glidepath.errors import SchedulerError

from .bound import Lane
from .dry_step import rehearsed
from .targets import Group

ROW_BLOCK = 65_536  # numbers computed ahead
MOST_SKIPS = 100  # of an update by a GradScaler, in a row; more are a mistake


@final
class Clock:
    """A position and the lanes that follow it. Lives in the hooks of one optimizer."""

    __slots__ = (
        *("lanes", "position", "_members", "_armed", "_handles"),
        *("_rows", "_due", "_written", "_last", "_alone", "_keys", "_slots"),
    )

    _members: list[Group]  # the groups that the lanes know
    _armed: bool  # whether an update has begun and was not counted yet
    _rows: Iterator[Any]  # a row holds, for each lane, a number for each of its groups
    _due: Any  # the row of the next update
    _written: Any  # the row that was written last
    _last: Group | None  # the last group, where rows are known
    _alone: Any  # the only group, where only its rate is driven; a row is then that number
    _keys: list[str]
    _slots: list[list[Group]]

    def __init__(self, lanes: list[Lane], position: int) -> None:
        self.lanes, self.position = lanes, position
        self._members, self._armed, self._handles = [], False, list[Any]()
        self._forget_rows()

    # --- hooks ---

    def attach(self, optimizer: Any, *, counts: bool) -> None:
        """Registers with the optimizer; `counts` is whether its updates move the clock."""
        fused = may_skip(optimizer)
        hooks: list[tuple[Any, Any]] = [(optimizer.register_load_state_dict_post_hook, self.loaded)]
        if counts:
            sees_rates = any(lane.target.hyperparameter.key == "lr" for lane in self.lanes)
            hooks += [
                (optimizer.register_step_pre_hook, self.before if sees_rates else self.before_blindly),
                (optimizer.register_step_post_hook, self.after_fused if fused else self.after),
            ]
        self._handles = [register(hook) for register, hook in hooks]

    def detach(self) -> None:
        """Takes the hooks out again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Pre-hook: this update uses the values of `position`."""
        self._armed = True
        group = optimizer.param_groups[-1]
        if group is self._alone and group["lr"] is self._written:  # as `_write_row`, without its price of a call
            group["lr"] = self._written = self._due
        else:
            self.write(optimizer)

    def before_blindly(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Pre-hook where no plan drives the rate, so that no slot tells if somebody has put it to zero."""
        self._armed = not rehearsed(optimizer)
        if self._armed:
            self.write(optimizer)

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Post-hook: counts the update."""
        if self._armed:
            self._armed = False
            self.position += 1
            try:
                self._due = next(self._rows)
            except StopIteration:
                if self._last is not None:
                    self._refill()

    def after_fused(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Post-hook where a GradScaler leaves it to the optimizer to skip an update whose gradients overflowed."""
        self._armed = self._armed and not skipped(optimizer)
        self.after(optimizer, args, kwargs)

    def loaded(self, optimizer: Any) -> None:
        """Load hook: what the state put into the groups is no hand change, and gives way to the plan."""
        self.write(optimizer)

    # Under torch.compile the hooks run as plain Python between the graphs.
    before._torchdynamo_disable = True  # type: ignore[attr-defined]
    before_blindly._torchdynamo_disable = True  # type: ignore[attr-defined]
    after._torchdynamo_disable = True  # type: ignore[attr-defined]
    after_fused._torchdynamo_disable = True  # type: ignore[attr-defined]

    # --- writing ---

    def write(self, optimizer: Any) -> None:
        """Writes the values of `position`: all of them, or, if one is refused, none."""
        # another last group than before: one was added, or all were replaced
        if optimizer.param_groups[-1] is not self._last or not self._write_row():
            self._write_slowly(optimizer)

    def _write_row(self) -> bool:
        """Writes the row that is due, unless a slot no longer holds what was last written there."""
        if self._alone is not None:
            if self._alone["lr"] is not self._written:
                return False
            self._alone["lr"] = self._due
        else:
            for key, slots, before, due in zip(self._keys, self._slots, self._written, self._due):  # noqa: B905
                for slot, old, new in zip(slots, before, due):  # noqa: B905 (strict costs a third here)
                    if slot[key] is not old:
                        return False
                    slot[key] = new
        self._written = self._due
        return True

    def advance(self) -> None:
        """One update more, without the hooks."""
        self._armed = True
        self.after(None, None, None)

    def move(self, position: int) -> None:
        """To another position, as loading a state does."""
        self.position = position
        self._forget_rows()

    def _write_slowly(self, optimizer: Any) -> None:
        if self._armed and rehearsed(optimizer):
            self._armed = False
            return
        self.regroup(optimizer)
        for lane in self.lanes:
            lane.prepare(self.position)
        for lane in self.lanes:
            lane.commit()
        if all(lane.foreseeable for lane in self.lanes):
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Leaves the next updates to rows."""
        self._keys = [lane.target.hyperparameter.key for lane in self.lanes]
        self._slots = [lane.groups for lane in self.lanes]
        self._last, self._written = self._members[-1], [lane.written for lane in self.lanes]
        if self._keys == ["lr"] and len(self._members) == 1:
            self._alone, self._written = self._last, self._written[0][0]
        self._refill()

    def _refill(self) -> None:
        """Computes the rows from `position` on. Where a value is not finite they end, and the long way refuses it."""
        steps = max(64, ROW_BLOCK // sum(map(len, self._slots)))
        columns = [lane.columns(self.position, min(steps, 2048)) for lane in self.lanes]
        if self._alone is not None:
            self._rows = iter(columns[0][0])
        else:
            self._rows = zip(*(zip(*column, strict=False) for column in columns), strict=False)
        self._due = next(self._rows, None)
        if self._due is None:
            self.settle()

    def settle(self) -> None:
        """Tells the lanes what the rows have written, and forgets the rows."""
        if self._alone is not None:
            self.lanes[0].written = [self._written]
        elif self._last is not None:
            for lane, written in zip(self.lanes, self._written, strict=True):
                lane.written = list(written)
        self._forget_rows()

    def _forget_rows(self) -> None:
        """From here the next write goes the long way."""
        self._last = self._alone = None
        self._keys, self._slots = [], []
        self._rows, self._due, self._written = iter(()), None, None

    # --- groups ---

    def regroup(self, optimizer: Any) -> None:
        """Follows groups whose dict was replaced, and lets new ones join."""
        self.settle()
        groups = optimizer.param_groups
        self._refuse_fewer(len(groups))
        for old, new in zip(self._members, groups, strict=False):
            if old is not new:
                for lane in self.lanes:
                    lane.replace(old, new)
        for number in range(len(self._members), len(groups)):
            self._admit(groups[number], number)
        self._members = list(groups)

    def _refuse_fewer(self, groups: int) -> None:
        before = len(self._members)
        if groups < before:
            raise SchedulerError(
                f"the optimizer has {groups} group{'s' * (groups != 1)}, and had {before}: make another driver if you "
                'took one out; if DeepSpeed steps group by group, give Scheduler(..., clock="calls")'
            )

    def _admit(self, group: Group, number: int) -> None:
        driven: set[str] = set()
        for lane in self.lanes:
            if lane.target.selects(group):
                name = str(lane.target.hyperparameter)
                if name in driven:
                    raise SchedulerError(f"two plans drive {name} of group {number}: let only one of them select it")
                driven.add(name)
                lane.join(group, number)


def may_skip(optimizer: Any) -> bool:
    """Whether a GradScaler leaves it to this optimizer to skip an update whose gradients overflowed."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def skipped(optimizer: Any) -> bool:
    """Whether such an optimizer was told to skip the update that it was just asked for."""
    found_inf = getattr(optimizer, "found_inf", None)
    return found_inf is not None and bool(found_inf.item())


def made_update(optimizer: Any) -> bool:
    """Whether the call of `step` that has just ended was an update, and not one that a GradScaler let it skip."""
    return not (may_skip(optimizer) and skipped(optimizer))


def unwrapped(optimizer: Any) -> Any:
    """The optimizer that has the hooks; Accelerate wraps it in one that has none."""
    while not hasattr(optimizer, "_optimizer_step_pre_hooks") and hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    return optimizer


def clocks_of(optimizer: Any) -> list[Clock]:
    """The clocks that listen to an optimizer."""
    hooks = optimizer._optimizer_load_state_dict_post_hooks.values()
    return [hook.__self__ for hook in hooks if isinstance(getattr(hook, "__self__", None), Clock)]
