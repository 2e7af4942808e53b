"""Optimizers that wrap others (SAM, Lookahead, opacus, schedulefree): whose step is an update, and when does it begin.

A chain of wrappers has one set of parameter groups, by which the inner optimizers are recognized. The outermost call of
a `step` begins an update, so that wrappers which read the rate first read the right one; it counts when that call ends,
if the innermost `step` ran in it. So it does not matter which object of the chain a scheduler is built on, nor which
one is stepped: SAM's two-step API calls the inner one alone, and opacus leaves it out for a part of a batch.
"""

from typing import Any, Protocol, final

from torch import Tensor
from torch.optim import Optimizer

from glidepath.warn import warn_caller

from .compiling import skip_compiling
from .skipped_steps import was_update
from .watched_step import WatchedStep
from .wrapper_chain import (
    HookHandle,
    call_stack,
    caller_of,
    has_step_hooks,
    refer_weakly,
    steps_by_parameter,
    steps_through,
)
from .wrapper_chain import is_plain as is_plain
from .wrapper_chain import members_of as members_of

STEP_CODES = (  # of the functions around a `step` whose calls are watched
    Optimizer.profile_hook_step(lambda: None).__code__,
    WatchedStep.__call__.__code__,
)


class UpdateClock(Protocol):
    """What the watch tells a clock."""

    paused: bool

    def begin_update(self, optimizer: Any) -> bool:
        """Write the values of the update that begins; return False for a dry step, which does not count."""

    def end_update(self) -> None:
        """Count the update that has ended."""


@final
class UpdateWatch:
    """Sees the updates of a chain of optimizers, and tells a clock of each, once. Refers to the optimizers weakly."""

    def __init__(self, clock: UpdateClock, members: list[Any]) -> None:
        self._clock = clock
        self._members, self._innermost = [refer_weakly(member) for member in members], refer_weakly(members[-1])
        self.handle = HookHandle()
        self._root: int | None = None  # identity of the member whose call is the outermost
        self._counts = self._ran = self._warned = self._began = False
        self._by_parameter = any(map(steps_by_parameter, members))
        self._released: set[int] = set()  # identities of the parameters stepped alone in this update

    # --- hooks ---

    def attach(self) -> HookHandle:
        """Put the hooks on every member; return what removes them."""
        registries = set()
        for reference in self._members:
            member: Any = reference()
            registry = id(member._optimizer_step_pre_hooks if has_step_hooks(member) else member)
            if registry not in registries:  # some wrappers share that of the inner optimizer
                registries.add(registry)
                self.handle.put(member, self)
        return self.handle

    @skip_compiling
    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Begin an update, unless a call of an outer `step` that is still running has begun it: the pre-hook."""
        if self._clock.paused or (self._root not in (None, id(optimizer)) and _is_running(self._root)):
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

    @skip_compiling
    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Note that the innermost step has run, and count the update when the outermost call ends: the post-hook."""
        if self._root is None:
            return
        if optimizer is self._innermost():
            self._ran = self._ran or was_update(optimizer)
        if self._root == id(optimizer):
            self._finish()

    def _join_caller(self, optimizer: Any) -> None:
        """Put the hooks on the wrapper around the chain as well, which shows when it calls the first update."""
        caller = caller_of(optimizer)
        if caller is not None and steps_through(caller, optimizer):
            self.handle.put(caller, self)

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
        for frame in call_stack()
        if frame.f_code in STEP_CODES
    )
