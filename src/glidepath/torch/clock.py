"""The clock: counts the updates that an optimizer really makes, and writes the scheduled values before each of them.

The pre-hook of `optimizer.step` writes the values of the coming update, and the post-hook counts it. An update counts
once however the call is nested (a subclass whose step calls its parent's; wrappers: `wrappers.py`), and not if it
raises or is skipped (`skipped_steps.py`). The clock does not refer to the optimizer, so it keeps working when the
`Scheduler` object is dropped, and is freed without the garbage collector.

Nearly every update takes the fast path, from row to row (`row_cache.py`); the slow path through the bound schedules
takes in changes by other code and new groups, and refuses values that cannot be used.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any, final

from glidepath.errors import SchedulerError

from .bound_schedule import BoundSchedule
from .caller_hooks import expect_caller
from .chain import follow_writer
from .compiling import skip_compiling
from .foreign_state import warn_if_state_is_missing
from .hyperparameter import Group
from .late_groups import add_late_group
from .once import OnceWarnings
from .row_cache import RowCache
from .shared_rates import Claim, check_shared_rates, claim_tensors
from .skipped_steps import can_skip, has_skipped, is_dry_step
from .update_counts import updates_in
from .wrappers import UpdateWatch, is_plain, members_of
from .writes import Moment

LOAD_HOOKS = "_optimizer_load_state_dict_post_hooks"


@final
class Clock:
    """A position and the bound schedules that follow it. Lives in the hooks of one optimizer."""

    __slots__ = (
        "_awaits_state",
        "_claim",
        "_groups",
        "_handles",
        "_has_decayed",
        "_list",
        "_listeners",
        "_made",
        "_pending",
        "_start",
        "bases",
        "built_at",
        "cache",
        "once",
        "optional",
        "paused",
        "schedules",
    )  # fmt: skip

    _groups: list[Group]  # of the optimizer, as far as they are bound
    _list: list[Group]  # that of the optimizer, which holds them
    _pending: bool  # whether an update has begun and is not counted yet
    _start: int | None  # the position when this was built or loaded, until an update is made
    _claim: Claim | None  # on the tensors that are written
    _awaits_state: bool  # whether an optimizer of another update was loaded, and no state of this scheduler yet
    _made: int | None  # updates that the optimizer counts, while another state is loaded into it during a run
    _has_decayed: bool  # whether that optimizer came with rates of a later update
    _listeners: list[Callable[[], None]]  # called after every update
    built_at: int  # the position when this was built
    bases: list[float] | None  # of the groups, where they were given
    optional: frozenset[str]  # hyperparameters that the groups may lack
    paused: bool  # whether it neither writes nor counts, while a range test runs

    def __init__(self, schedules: list[BoundSchedule], position: int, once: OnceWarnings) -> None:
        self.schedules, self.once = schedules, once
        self._groups, self._pending, self._handles = [], False, list[Any]()
        self._start, self._awaits_state, self.bases, self.optional = position, False, None, frozenset()
        self._claim, self.paused, self._has_decayed, self._listeners = None, False, False, []
        self._made, self._list, self.built_at = None, list[Group](), position
        self.cache = RowCache(schedules, position)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return what is copied and pickled: the hooks belong to this optimizer, and a copy gets others."""
        slots = {name: getattr(self, name) for name in self.__slots__}
        return None, {**slots, "_handles": [], "_claim": None, "_listeners": []}

    # --- hooks ---

    def attach(self, optimizer: Any, *, counts: bool) -> None:
        """Register the hooks of the optimizer; `counts` says whether its updates move the clock."""
        members = members_of(optimizer)
        inner = members[-1]
        plain = is_plain(optimizer)
        registries = {id(vars(member).get(LOAD_HOOKS)): member for member in members if LOAD_HOOKS in vars(member)}
        hooks: list[tuple[Any, Any]] = [
            (member.register_load_state_dict_post_hook, self.after_load) for member in registries.values()
        ]
        hooks += [(member.register_load_state_dict_pre_hook, self.before_load) for member in registries.values()]
        self._handles = [register(hook) for register, hook in hooks]
        if counts and plain:
            writes_rates = any(schedule.target.hyperparameter.key == "lr" for schedule in self.schedules)
            before = inner.register_step_pre_hook(self.before if writes_rates else self.before_without_rates)
            after = inner.register_step_post_hook(self.after_fused if can_skip(inner) else self.after)
            self._handles += [before, after]
            expect_caller(self, inner, before, after, self._handles)
        if counts and not plain:
            self._handles.append(UpdateWatch(self, members).attach())
        self._claim = claim_tensors(self.schedules)

    def detach(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    @skip_compiling
    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Write the values of this update: the pre-hook."""
        self._pending = True
        cache = self.cache
        group: Group = optimizer.param_groups[-1]
        if group is cache.only_group and group["lr"] is cache.written:  # as `RowCache.write`, without its call
            group["lr"] = cache.written = cache.rows[cache.index]
        elif not cache.write(optimizer.param_groups):
            self._write_slowly(optimizer)

    @skip_compiling
    def before_without_rates(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Write the values of this update, where no plan writes the rate, so that a dry step shows in no slot."""
        self.begin_update(optimizer)

    @skip_compiling
    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count this update: the post-hook."""
        if self._pending:
            self._pending = False
            cache = self.cache
            cache.index = index = cache.index + 1
            if index == cache.end:
                cache.refill()

    @skip_compiling
    def after_fused(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count this update, unless the optimizer skipped it."""
        self._pending = self._pending and not has_skipped(optimizer)
        self.after(optimizer, args, kwargs)

    @skip_compiling
    def after_and_tell(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count this update, and tell those who follow: the post-hook once there are any."""
        before = self.position
        self.after_fused(optimizer, args, kwargs)
        if self.position != before:
            self._tell()

    def follow(self, optimizer: Any, listener: Callable[[], None]) -> None:
        """Call a function after every update, once it is counted; a wrapper may be found only as it steps."""
        self._listeners.append(listener)
        hooks = getattr(optimizer, "_optimizer_step_post_hooks", {})
        for key, hook in hooks.items():
            if getattr(hook, "__self__", None) is self:
                hooks[key] = self.after_and_tell

    def unfollow(self, listener: Callable[[], None]) -> None:
        """Call a function no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def pause(self) -> None:
        """Write and count nothing until `resume`: a range test writes rates of its own."""
        self.cache.flush()
        self.paused = True

    def resume(self) -> None:
        """Write and count again."""
        self.paused = False

    def begin_update(self, optimizer: Any) -> bool:
        """Write the values of an update that begins; return False if its step is a dry one."""
        self._pending = not is_dry_step(optimizer)
        if self._pending:
            self.before(optimizer, None, None)
        else:
            self._unmark()
        return self._pending

    def count_call(self, optimizer: Any) -> None:
        """Count an update that no hook saw; what was written before it is taken in first."""
        self._refuse_call(allowed=not self.paused)
        self._pending = True
        cache = self.cache
        group: Group = optimizer.param_groups[-1]
        holds_row = group is cache.only_group and group["lr"] is cache.written
        if not holds_row and not cache.write(optimizer.param_groups):
            self._write_slowly(optimizer, can_be_dry=False)
        self.after(None, None, None)

    def end_update(self) -> None:
        """Count an update, without the hooks."""
        self._refuse_call(allowed=not self.paused)
        self._pending = True
        self.after(None, None, None)
        self._tell()

    def before_load(self, optimizer: Any, state: Any) -> None:
        """Note the optimizer's own count of updates: the one that is loaded during a run may be of another time."""
        self._made = updates_in(optimizer) if self.start is None else None

    def after_load(self, optimizer: Any) -> None:
        """Write the values of `position` over those of a loaded state, which are not changes by other code."""
        before, self._made = self._made, None
        updates = updates_in(optimizer)
        moved = before is not None and updates != before
        self._replace_groups(self._pair_groups(optimizer.param_groups, by_place=True))
        self._has_decayed = any(schedule.has_decayed() for schedule in self.schedules if schedule.is_rate)
        is_trained = bool(optimizer.state or self._has_decayed if updates is None else updates)
        self._awaits_state = self._awaits_state or moved or (self.position == 0 and is_trained)
        self.restart()
        self.write(optimizer)

    def _refuse_call(self, *, allowed: bool) -> None:
        if not allowed:
            raise SchedulerError("update() calls a scheduler: leave schedulers out of a range test")

    # --- position and values ---

    @property
    def position(self) -> int:
        """Return the number of updates made."""
        return self.cache.first + self.cache.index

    def write(self, optimizer: Any) -> None:
        """Write the values of `position`: all of them, or, if one is refused, none."""
        if not self.cache.write(optimizer.param_groups):
            self._write_slowly(optimizer)

    def show(self, optimizer: Any) -> None:
        """Write the values of the next update early; if one cannot be used, it is for that update to refuse it."""
        if self.paused:
            self._refuse_call(allowed=False)
        with contextlib.suppress(SchedulerError):
            self.write(optimizer)

    def _follow_writer(self, groups: list[Group]) -> bool:
        """Take the short way where other code writes the rate at every update; return False if it does not."""
        if len(self.schedules) != 1 or len(groups) != len(self._groups) or groups[-1] is not self._groups[-1]:
            return False
        return follow_writer(self.schedules[0], self.position, begins=self._pending)

    def _write_slowly(self, optimizer: Any, *, can_be_dry: bool = True) -> None:
        if self.paused:
            self._refuse_call(allowed=self._pending)
            self._pending = False
            return
        if self.cache.last_group is None and self._follow_writer(optimizer.param_groups):
            return
        if self._pending and can_be_dry and is_dry_step(optimizer):
            self._pending = False
            self._unmark()
            return
        self.bind_groups(optimizer)
        if any(schedule.holds_other_tensors for schedule in self.schedules):
            check_shared_rates(self.schedules, self._groups)
        if self._pending:
            self._check_update(optimizer)
        moment = self._moment()
        rows = [schedule.prepare(moment) for schedule in self.schedules]
        for schedule, row in zip(self.schedules, rows, strict=True):
            if row is not None:
                schedule.write(row)
        for schedule in self.schedules:
            schedule.mark_bases()
        waits = self._awaits_state or self.once.waits
        if not waits and all(schedule.can_run_ahead(self.position) for schedule in self.schedules):
            self.cache.fill(self._groups)

    @property
    def groups(self) -> list[Group]:
        """Return the groups of the optimizer, as far as they are bound."""
        return self._groups

    @property
    def start(self) -> int | None:
        """Return the position at which this was built or loaded; None once an update was made since."""
        return self._start if self._start == self.position else None

    def _moment(self) -> Moment:
        return Moment(self.position, first=self._start == self.position, begins=self._pending)

    def _check_update(self, optimizer: Any) -> None:
        """Warn, before an update, about a state that was never loaded and about a plan that has ended at zero."""
        self.once.give_deferred()
        if self._awaits_state:
            self._awaits_state = False
            warn_if_state_is_missing(optimizer, self.position, decayed=self._has_decayed)
        for schedule in self.schedules:
            schedule.warn_at_end(self.position)

    def restart(self, position: int | None = None) -> None:
        """Begin anew at a position, as building and loading do: a write before the next update may be a base."""
        if position is not None:
            self.cache.move(position)
            self._awaits_state = False
            self.once.drop_deferred()
        self._start = self.position
        self.cache.clear()

    def observe(self, optimizer: Any) -> None:
        """Take in new groups and changes by other code, and leave the next write to the slow path."""
        self.bind_groups(optimizer)
        moment = self._moment()._replace(begins=False)
        for schedule in self.schedules:
            schedule.prepare(moment)

    def _unmark(self) -> None:
        """Take the marks out of the groups until the next update: checkpoints without them can be loaded then."""
        if self.start is not None:
            self.cache.flush()
            for schedule in self.schedules:
                schedule.unmark_bases()

    # --- groups ---

    def bind_groups(self, optimizer: Any) -> None:
        """Follow groups whose dict was replaced, and bind new ones.

        Raises:
            SchedulerError: if a group is gone, or two plans select one group.
        """
        self.cache.flush()
        groups = optimizer.param_groups
        is_other_list, self._list = groups is not self._list, groups
        if len(groups) == len(self._groups) and all(map(_is, groups, self._groups)):
            return
        pairs = self._pair_groups(groups, by_place=is_other_list)
        self._check_removed(groups, [number for number, _ in pairs])
        self._replace_groups(pairs)
        late = bool(self._groups)
        new = _not_in(groups, self._groups)
        try:
            for number, group in new:
                self._bind(optimizer, group, number, late=late)
            if late:
                check_shared_rates(self.schedules, groups)
        except SchedulerError:
            for schedule in self.schedules:
                schedule.remove_groups([group for _, group in new])
            raise
        self._groups = list(groups)
        for schedule in self.schedules:
            schedule.sort_slots(groups)

    def _check_removed(self, groups: list[Group], replaced: list[int]) -> None:
        gone = [number for number, _ in _not_in(self._groups, groups) if number not in replaced]
        there = ", and another is there" if len(groups) >= len(self._groups) else ""
        if gone:
            raise SchedulerError(
                f"the optimizer has {len(groups)} group{'s' * (len(groups) != 1)}, and had {len(self._groups)}: group "
                f"{', '.join(map(str, gone))} is gone{there}; detach() and build another Scheduler with position="
                f"{self.position} if you removed it; if DeepSpeed steps group by group, use Scheduler(..., "
                'clock="calls")'
            )

    def _pair_groups(self, groups: list[Group], *, by_place: bool) -> list[tuple[int, Group]]:
        """Return the numbers of bound groups whose dict was replaced, and the new dicts.

        That is one with the same parameters; or one at the same place where all of them were replaced together, as by
        a load, or by an optimizer that trains one block of parameters after another (badam).
        """
        new = _not_in(groups, self._groups)
        pairs = []
        for number, old in _not_in(self._groups, groups):
            here = [pair for pair in new if pair[0] == number]
            twins = [pair for pair in here if _has_parameters_of(pair[1], old)]
            twins += [pair for pair in new if old.get("params") and _has_parameters_of(pair[1], old)]
            for twin in (twins or here * by_place)[:1]:
                new = [pair for pair in new if pair is not twin]
                pairs.append((number, twin[1]))
        return pairs

    def _replace_groups(self, pairs: Iterable[tuple[int, Group]]) -> None:
        """Follow groups whose dict was replaced, as loading a state does."""
        for number, new in pairs:
            for schedule in self.schedules:
                schedule.replace_group(self._groups[number], new)
            self._groups[number] = new

    def _bind(self, optimizer: Any, group: Group, number: int, *, late: bool) -> None:
        scheduled: set[str] = set()
        for schedule in self.schedules:
            name = str(schedule.target.hyperparameter)
            if name in self.optional and schedule.target.hyperparameter.key not in group:
                continue
            if schedule.target.selects(group):
                if name in scheduled:
                    raise SchedulerError(f"two plans select {name} of group {number}: let only one of them select it")
                scheduled.add(name)
                if late:
                    add_late_group(schedule, group, number, optimizer, self.position)
                else:
                    base = None if self.bases is None or name != "lr" else self.bases[number]
                    schedule.add_group(group, number, optimizer=optimizer, position=self.position, base=base)


def _is(first: Any, second: Any) -> bool:
    return first is second


def _has_parameters_of(first: Group, second: Group) -> bool:
    parameters = [list(group.get("params", ())) for group in (first, second)]
    return len(parameters[0]) == len(parameters[1]) and all(map(_is, *parameters))


def _not_in(groups: list[Group], others: list[Group]) -> list[tuple[int, Group]]:
    """Return the groups that are none of the others, with their numbers."""
    return [(number, group) for number, group in enumerate(groups) if not any(group is other for other in others)]


def unwrap_optimizer(optimizer: Any) -> Any:
    """Return the optimizer that updates the parameters, and has the hooks: the innermost of a chain of wrappers."""
    return members_of(optimizer)[-1]


def clocks_of(optimizer: Any) -> list[Clock]:
    """Return the clocks in an optimizer's hooks."""
    hooks = getattr(optimizer, LOAD_HOOKS, {}).values()
    return [hook.__self__ for hook in hooks if isinstance(getattr(hook, "__self__", None), Clock)]
