"""Optimizers that wrap others (SAM, Lookahead, opacus, schedulefree): whose step is an update, and when does it begin.

A chain of wrappers has one set of parameter groups, by which the inner optimizers are recognized. The outermost call of
a `step` begins an update, so that wrappers which read the rate first read the right one; it counts when that call ends,
if the innermost `step` ran in it. So it does not matter which object of the chain a scheduler is built on, nor which
one is stepped: SAM's two-step API calls the inner one alone, and opacus leaves it out for a part of a batch.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from inspect import signature
from types import FrameType
from typing import Any, Protocol, final
from weakref import ref

from torch import Tensor
from torch.optim import Optimizer

from glidepath.warn import warn_caller

from .skipped_steps import was_update
from .watched_step import StepHooks, WatchedStep, watch_step

INNER_NAMES = (  # of the attribute that holds the wrapped optimizer
    *("original_optimizer", "_base_optimizer", "base_optimizer", "optimizer", "optim", "_optimizer"),
    *("wrapped_optimizer", "base"),
)
FORWARDERS = ("accelerate", "lightning", "lightning_fabric", "pytorch_lightning")  # their wrappers only forward `step`
PARAMETER_NAMES = {"param", "parameter"}  # of a `step` that updates a single parameter
STEP_CODES = (  # of the functions around a `step` whose calls are watched
    Optimizer.profile_hook_step(lambda: None).__code__,
    WatchedStep.__call__.__code__,
)
MAX_FRAMES = 64  # between the step of a wrapper and that of the optimizer in it


# --- the chain ---


def members_of(optimizer: Any) -> list[Any]:
    """Return the chain of optimizers from a wrapper to the innermost one, without wrappers that only forward calls."""
    members = [optimizer]
    while (inner := _find_inner(members[-1], members)) is not None:
        members.append(inner)
    return [member for member in members[:-1] if not _only_forwards(member)] + members[-1:]


def is_plain(optimizer: Any) -> bool:
    """Return whether an optimizer wraps none, has PyTorch's step hooks, and does not step by parameter."""
    first, *others = members_of(optimizer)
    return not others and has_step_hooks(first) and not steps_by_parameter(first)


def has_step_hooks(optimizer: Any) -> bool:
    """Return whether PyTorch's step hooks work: some wrappers have the attributes, and a `step` that ignores them."""
    return hasattr(optimizer, "_optimizer_step_pre_hooks") and getattr(type(optimizer).step, "hooked", False)


def steps_by_parameter(optimizer: Any) -> bool:
    """Return whether `step` takes a parameter, to update it alone as soon as it has its gradient."""
    released = getattr(optimizer, "defaults", {}).get("gradient_release", True)
    return bool(released) and bool(PARAMETER_NAMES & set(signature(type(optimizer).step).parameters))


def inner_name(optimizer: Any) -> str | None:
    """Return where an object holds an optimizer that can be scheduled in its place, as "optimizer.base_optimizer"."""
    return next((f"optimizer.{name}" for name, value in _attributes(optimizer) if _is_optimizer(value)), None)


def caller_of(optimizer: Any) -> Any | None:
    """Return the wrapper that is calling the `step` of an optimizer, for hooks of that step."""
    callers = (frame.f_locals.get("self") for frame in _callers() if _is_method_of_optimizer(frame))
    return next((caller for caller in callers if _wraps(caller, optimizer)), None)


def _is_method_of_optimizer(frame: FrameType) -> bool:
    """Return whether a frame runs a method of a class that can step: the locals of others are not to be read.

    Up to Python 3.12, `f_locals` keeps all locals alive until the frame ends, which may be that of a training loop.
    """
    name, _, method = frame.f_code.co_qualname.partition(".")
    owner = frame.f_globals.get(name)
    return bool(method) and isinstance(owner, type) and hasattr(owner, "step") and hasattr(owner, "zero_grad")


def _wraps(caller: Any, optimizer: Any) -> bool:
    if caller is optimizer or not _is_optimizer(caller) or _only_forwards(caller):
        return False
    return any(value is optimizer for _, value in _attributes(caller))


def _find_inner(optimizer: Any, members: list[Any]) -> Any | None:
    """Return the optimizer in an attribute that has the same groups, and is not among `members`."""
    candidates = (value for _, value in _attributes(optimizer) if _is_optimizer(value))
    inner = (value for value in candidates if not any(value is member for member in members))
    return next((value for value in inner if _shares_groups(optimizer, value)), None)


def _attributes(optimizer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that may hold a wrapped optimizer, those with well-known names first."""
    for name in INNER_NAMES:
        try:
            yield name, getattr(optimizer, name, None)
        except Exception:  # a property of another library, for a state that the object is not in
            continue
    yield from list(getattr(optimizer, "__dict__", {}).items())


def _is_optimizer(value: Any) -> bool:
    if isinstance(value, type) or not callable(getattr(value, "step", None)):
        return False
    groups = getattr(value, "param_groups", None)
    return isinstance(groups, list) and bool(groups) and all(isinstance(group, dict) for group in groups)


def _shares_groups(outer: Any, inner: Any) -> bool:
    return {id(group) for group in getattr(outer, "param_groups", ())} == {id(group) for group in inner.param_groups}


def _only_forwards(optimizer: Any) -> bool:
    return type(optimizer).__module__.partition(".")[0] in FORWARDERS


# --- hooks ---


def put_hooks(optimizer: Any, hooks: StepHooks) -> list[Callable[[], None]]:
    """Put hooks on an optimizer, PyTorch's or around its `step`; return the functions that remove them."""
    if has_step_hooks(optimizer):
        before = optimizer.register_step_pre_hook(hooks.before)
        after = optimizer.register_step_post_hook(hooks.after)
        return [before.remove, after.remove]
    step = watch_step(optimizer, hooks)
    return [] if step is None else [partial(step.remove, hooks)]


def _refer(optimizer: Any) -> Callable[[], Any]:
    """Return a weak reference; a strong one to an object that takes no weak ones."""
    try:
        return ref(optimizer)
    except TypeError:
        return lambda: optimizer


# --- updates of a chain ---


class UpdateClock(Protocol):
    """What the watch tells a clock."""

    def begin_update(self, optimizer: Any) -> bool:
        """Write the values of the update that begins; return False for a dry step, which does not count."""

    def end_update(self) -> None:
        """Count the update that has ended."""


@final
class UpdateWatch:
    """Sees the updates of a chain of optimizers, and tells a clock of each, once. Refers to the optimizers weakly."""

    def __init__(self, clock: UpdateClock, members: list[Any]) -> None:
        self._clock = clock
        self._members, self._innermost = [_refer(member) for member in members], _refer(members[-1])
        self._removals: list[Any] = []
        self._root: int | None = None  # identity of the member whose call is the outermost
        self._counts = self._ran = self._warned = self._began = False
        self._by_parameter = any(map(steps_by_parameter, members))
        self._released: set[int] = set()  # identities of the parameters stepped alone in this update

    # --- hooks ---

    def attach(self) -> None:
        """Put the hooks on every member: PyTorch's, or around the `step` of a wrapper that has none."""
        registries = set()
        for reference in self._members:
            member: Any = reference()
            registry = id(member._optimizer_step_pre_hooks if has_step_hooks(member) else member)
            if registry not in registries:  # some wrappers share that of the inner optimizer
                registries.add(registry)
                self._removals += put_hooks(member, self)

    def detach(self) -> None:
        """Remove the hooks."""
        for remove in self._removals:
            remove()
        self._removals, self._root = [], None

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Begin an update, unless a call of an outer `step` that is still running has begun it: the pre-hook."""
        if self._root not in (None, id(optimizer)) and _is_running(self._root):
            return
        self._finish()  # a call that raised after the innermost step had run
        parameter = _parameter_in(args, kwargs) if self._by_parameter else None
        if parameter is not None:
            self._note_release(optimizer, parameter)
        if not self._began:
            self._began = True
            self._join_caller(optimizer)
        self._counts = self._clock.begin_update(self._innermost()) and parameter is None
        self._root = id(optimizer)

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Note that the innermost step has run, and count the update when the outermost call ends: the post-hook."""
        if self._root is None:
            return
        if optimizer is self._innermost():
            self._ran = self._ran or was_update(optimizer)
        if self._root == id(optimizer):
            self._finish()

    before._torchdynamo_disable = True  # type: ignore[attr-defined]
    after._torchdynamo_disable = True  # type: ignore[attr-defined]

    def _join_caller(self, optimizer: Any) -> None:
        """Put the hooks on the wrapper around the chain as well, which shows when it calls the first update."""
        caller = caller_of(optimizer)
        if caller is not None and _shares_groups(caller, optimizer):
            self._removals += put_hooks(caller, self)

    def _finish(self) -> None:
        counts, self._root, self._counts, self._ran = self._counts and self._ran, None, False, False
        if counts:
            self._released.clear()
            self._clock.end_update()

    # --- steps of a single parameter ---

    def _note_release(self, optimizer: Any, parameter: Tensor) -> None:
        """Note the step of a single parameter; one that comes again shows that an update has ended without a word."""
        if getattr(optimizer, "optimizer_accumulation", False):
            return
        if id(parameter) in self._released:
            self._released.clear()
            self._clock.end_update()
            self._warn_about_release()
        self._released.add(id(parameter))

    def _warn_about_release(self) -> None:
        if not self._warned:
            self._warned = True
            warn_caller(
                "this optimizer steps every parameter alone, during backward, and its step() without a parameter is "
                "never called, so the end of an update shows only when the next one begins: it is counted then, and "
                "position is 1 behind until then. Call optimizer.step() after each backward(), which does nothing "
                'else, or use clock="calls" and call scheduler.step() there.',
                "GP731",
            )


# --- a wrapper that is seen at the first update ---


class WritingClock(Protocol):
    """What a wrapper's hooks tell a clock."""

    schedules: Any

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

    def before_first(optimizer: Any, args: Any, kwargs: Any) -> None:
        optimizer._optimizer_step_pre_hooks[key] = before
        caller = caller_of(optimizer)
        if caller is not None:
            handles.append(CallerHooks(clock, caller, optimizer))
        before(optimizer, args, kwargs)

    before_first._torchdynamo_disable = True  # type: ignore[attr-defined]
    optimizer._optimizer_step_pre_hooks[key] = before_first


@final
class CallerHooks:
    """The hooks on a wrapper of a scheduled optimizer: they write the values of the next update, and count nothing."""

    def __init__(self, clock: WritingClock, caller: Any, optimizer: Any) -> None:
        self._clock, self._optimizer = clock, _refer(optimizer)
        self._copies = not _shares_groups(caller, optimizer)  # whether it has values of its own
        self._shown: dict[tuple[int, str], Any] = {}  # the values that were put into the wrapper's groups
        self._removals = put_hooks(caller, self)
        if self._copies:
            self._put_back()
            self._show(caller, optimizer)

    def remove(self) -> None:
        """Remove the hooks."""
        for remove in self._removals:
            remove()
        self._removals = []

    def before(self, caller: Any, args: Any, kwargs: Any) -> None:
        """Write the values of the update that begins."""
        optimizer = self._optimizer()
        if self._copies:
            self._take_changes(caller, optimizer)
        self._clock.write(optimizer)
        if self._copies:
            self._show(caller, optimizer)

    def after(self, caller: Any, args: Any, kwargs: Any) -> None:
        """Do nothing: the optimizer's own hooks count."""

    before._torchdynamo_disable = True  # type: ignore[attr-defined]
    after._torchdynamo_disable = True  # type: ignore[attr-defined]

    def _slots(self) -> list[Any]:
        return [slot for schedule in self._clock.schedules for slot in schedule.slots]

    def _put_back(self) -> None:
        """Put back what the clock wrote, and the wrapper has just overwritten with its own."""
        for slot in self._slots():
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


def _parameter_in(args: Any, kwargs: Any) -> Tensor | None:
    """Return the parameter among the arguments of a `step`."""
    values = (*args[1:], *kwargs.values())
    return next(
        (value for value in values if isinstance(value, Tensor) and value.is_leaf and value.requires_grad), None
    )


def _is_running(root: int) -> bool:
    """Return whether the watched `step` of an object is running now, by the identity of the object."""
    return any(
        id(frame.f_locals.get("self")) == root or id(frame.f_locals.get("owner")) == root
        for frame in _callers()
        if frame.f_code in STEP_CODES
    )


def _callers() -> Iterator[FrameType]:
    """Yield the frames of the running calls, from the innermost on."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(MAX_FRAMES):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
