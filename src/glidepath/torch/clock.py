"""The clock: counts the updates that an optimizer really makes, and writes the scheduled values before each of them.

The pre-hook of `optimizer.step` writes the values of the coming update, and the post-hook counts it. An update counts
once however the call is nested (a subclass whose step calls its parent's), and not if it raises or is skipped
(`skipped_steps.py`). The clock does not refer to the optimizer, so it keeps working when the `Scheduler` object is
dropped, and is freed without the garbage collector.

Nearly every update takes the fast path, from row to row (`row_cache.py`); the slow path through the bound schedules
takes in changes by other code and new groups, and refuses values that are not finite.
"""

from typing import Any, final

from glidepath.errors import SchedulerError

from .bound_schedule import BoundSchedule
from .hyperparameter import Group
from .row_cache import RowCache
from .skipped_steps import can_skip, has_skipped, is_dry_step


@final
class Clock:
    """A position and the bound schedules that follow it. Lives in the hooks of one optimizer."""

    __slots__ = ("_cache", "_groups", "_handles", "_pending", "position", "schedules")

    _groups: list[Group]  # of the optimizer, as far as they are bound
    _pending: bool  # whether an update has begun and is not counted yet

    def __init__(self, schedules: list[BoundSchedule], position: int) -> None:
        self.schedules, self.position = schedules, position
        self._groups, self._pending, self._handles = [], False, list[Any]()
        self._cache = RowCache(schedules)

    # --- hooks ---

    def attach(self, optimizer: Any, *, counts: bool) -> None:
        """Register the hooks of the optimizer; `counts` says whether its updates move the clock."""
        hooks: list[tuple[Any, Any]] = [(optimizer.register_load_state_dict_post_hook, self.after_load)]
        if counts:
            writes_rates = any(schedule.target.hyperparameter.key == "lr" for schedule in self.schedules)
            hooks += [
                (optimizer.register_step_pre_hook, self.before if writes_rates else self.before_without_rates),
                (optimizer.register_step_post_hook, self.after_fused if can_skip(optimizer) else self.after),
            ]
        self._handles = [register(hook) for register, hook in hooks]

    def detach(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Write the values of this update: the pre-hook."""
        self._pending = True
        cache = self._cache
        group: Group = optimizer.param_groups[-1]
        if group is cache.only_group and group["lr"] is cache.written:  # as `RowCache.write`, without its call
            group["lr"] = cache.written = cache.due
        else:
            self.write(optimizer)

    def before_without_rates(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Write the values of this update, where no plan writes the rate, so that a dry step shows in no slot."""
        self._pending = not is_dry_step(optimizer)
        if self._pending:
            self.write(optimizer)

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count this update: the post-hook."""
        if self._pending:
            self._pending = False
            self.position += 1
            cache = self._cache
            try:
                cache.due = next(cache.rows)
            except StopIteration:
                if cache.last_group is not None:
                    cache.refill(self.position)

    def after_fused(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count this update, unless the optimizer skipped it."""
        self._pending = self._pending and not has_skipped(optimizer)
        self.after(optimizer, args, kwargs)

    def after_load(self, optimizer: Any) -> None:
        """Write the values of `position` over those of a loaded state, which are not changes by other code."""
        self.write(optimizer)

    # Under torch.compile the hooks run as plain Python between the graphs.
    before._torchdynamo_disable = True  # type: ignore[attr-defined]
    before_without_rates._torchdynamo_disable = True  # type: ignore[attr-defined]
    after._torchdynamo_disable = True  # type: ignore[attr-defined]
    after_fused._torchdynamo_disable = True  # type: ignore[attr-defined]

    # --- position and values ---

    def write(self, optimizer: Any) -> None:
        """Write the values of `position`: all of them, or, if one is refused, none."""
        if not self._cache.write(optimizer.param_groups[-1]):
            self._write_slowly(optimizer)

    def _write_slowly(self, optimizer: Any) -> None:
        if self._pending and is_dry_step(optimizer):
            self._pending = False
            return
        self.bind_groups(optimizer)
        values = [schedule.prepare(self.position) for schedule in self.schedules]
        for schedule, row in zip(self.schedules, values, strict=True):
            schedule.write(row)
        if all(schedule.is_cacheable for schedule in self.schedules):
            self._cache.fill(self.position, self._groups)

    def count(self) -> None:
        """Count one update, without the hooks."""
        self._pending = True
        self.after(None, None, None)

    def move(self, position: int) -> None:
        """Move to another position, as loading a state does."""
        self.position = position
        self._cache.clear()

    # --- groups ---

    def bind_groups(self, optimizer: Any) -> None:
        """Follow groups whose dict was replaced, and bind new ones.

        Raises:
            SchedulerError: if a group is gone, or two plans select one group.
        """
        self._cache.flush()
        groups = optimizer.param_groups
        self._check_number(len(groups))
        for old, new in zip(self._groups, groups, strict=False):
            if old is not new:
                for schedule in self.schedules:
                    schedule.replace_group(old, new)
        for number in range(len(self._groups), len(groups)):
            self._bind(groups[number], number)
        self._groups = list(groups)

    def _check_number(self, groups: int) -> None:
        before = len(self._groups)
        if groups < before:
            raise SchedulerError(
                f"the optimizer has {groups} group{'s' * (groups != 1)}, and had {before}: build another Scheduler if "
                'you removed one; if DeepSpeed steps group by group, use Scheduler(..., clock="calls")'
            )

    def _bind(self, group: Group, number: int) -> None:
        scheduled: set[str] = set()
        for schedule in self.schedules:
            if schedule.target.selects(group):
                name = str(schedule.target.hyperparameter)
                if name in scheduled:
                    raise SchedulerError(f"two plans select {name} of group {number}: let only one of them select it")
                scheduled.add(name)
                schedule.add_group(group, number)


def unwrap_optimizer(optimizer: Any) -> Any:
    """Return the optimizer that has the hooks; Accelerate wraps it in one that has none."""
    while not hasattr(optimizer, "_optimizer_step_pre_hooks") and hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    return optimizer


def clocks_of(optimizer: Any) -> list[Clock]:
    """Return the clocks in an optimizer's hooks."""
    hooks = optimizer._optimizer_load_state_dict_post_hooks.values()
    return [hook.__self__ for hook in hooks if isinstance(getattr(hook, "__self__", None), Clock)]
