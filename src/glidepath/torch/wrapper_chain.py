"""Optimizers that wrap others: which ones stand behind an object, and which one is calling it.

A wrapper and the optimizer in it share their parameter groups, by which the inner one is recognized; an inner one does
not know its wrapper, which shows on the stack of calls while it steps.
"""

import sys
from collections.abc import Callable, Iterator
from inspect import signature
from types import FrameType
from typing import Any, final
from weakref import ref

from .watched_step import StepHooks, watch_step

INNER_NAMES = (  # of the attribute that holds the wrapped optimizer
    *("original_optimizer", "_base_optimizer", "base_optimizer", "optimizer", "optim", "_optimizer"),
    *("wrapped_optimizer", "base"),
)
FORWARDERS = ("accelerate", "lightning", "lightning_fabric", "pytorch_lightning")  # their wrappers only forward `step`
PARAMETER_NAMES = {"param", "parameter"}  # of a `step` that updates a single parameter
MAX_FRAMES = 64  # between the step of a wrapper and that of the optimizer in it


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
    step = getattr(type(optimizer), "step", None)
    return hasattr(optimizer, "_optimizer_step_pre_hooks") and getattr(step, "hooked", False)


def steps_by_parameter(optimizer: Any) -> bool:
    """Return whether `step` takes a parameter, to update it alone as soon as it has its gradient."""
    released = getattr(optimizer, "defaults", {}).get("gradient_release", True)
    step = getattr(type(optimizer), "step", optimizer.step)
    return bool(released) and bool(PARAMETER_NAMES & set(signature(step).parameters))


def inner_name(optimizer: Any) -> str | None:
    """Return where an object holds an optimizer that can be scheduled in its place, as "optimizer.base_optimizer"."""
    return next((f"optimizer.{name}" for name, value in _attributes(optimizer) if _optimizers_in(value)), None)


def container_name(optimizer: Any) -> str | None:
    """Return where an object holds optimizers that it steps, if their groups, and so their rates, are not its own."""
    own = {id(group) for group in getattr(optimizer, "param_groups", ())}
    for name, value in list(getattr(optimizer, "__dict__", {}).items()):
        groups = [group for inner in _optimizers_in(value) for group in inner.param_groups]
        if groups and not _is_optimizer(value) and not own & set(map(id, groups)):
            return f"optimizer.{name}"
    return None


def _optimizers_in(value: Any) -> list[Any]:
    """Return the optimizer that an attribute is, or those that it lists; none if it lists other things as well."""
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    return list(values) if all(map(_is_optimizer, values)) else []


def caller_of(optimizer: Any) -> Any | None:
    """Return the wrapper that is calling the `step` of an optimizer, for hooks of that step."""
    callers = (frame.f_locals.get("self") for frame in call_stack() if _is_method_of_optimizer(frame))
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
    return next((value for value in inner if steps_through(optimizer, value)), None)


def steps_through(outer: Any, inner: Any) -> bool:
    """Return whether one optimizer updates by the other: they share groups, or did before a state was loaded."""
    return shares_groups(outer, inner) or (not has_step_hooks(outer) and _parameters(outer) == _parameters(inner))


def _parameters(optimizer: Any) -> set[int]:
    return {id(p) for group in getattr(optimizer, "param_groups", ()) for p in group["params"]}


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


def shares_groups(outer: Any, inner: Any) -> bool:
    """Return whether two optimizers have the same parameter groups, in one list or in two."""
    return {id(group) for group in getattr(outer, "param_groups", ())} == {id(group) for group in inner.param_groups}


def _only_forwards(optimizer: Any) -> bool:
    if not hasattr(type(optimizer), "step"):  # `__getattr__` finds that of the inner one, as in fastai
        return True
    return type(optimizer).__module__.partition(".")[0] in FORWARDERS


def put_hooks(optimizer: Any, hooks: StepHooks) -> list[Callable[[], None]]:
    """Put hooks on an optimizer, PyTorch's or around its `step`; return functions that remove and do not hold them."""
    if has_step_hooks(optimizer):
        before = optimizer.register_step_pre_hook(hooks.before)
        after = optimizer.register_step_post_hook(hooks.after)
        return [before.remove, after.remove]
    remove = watch_step(optimizer, hooks)
    return [] if remove is None else [remove]


@final
class HookHandle:
    """Removes the hooks on several optimizers; refers to nothing that it would keep alive."""

    def __init__(self) -> None:
        self._removals: list[Callable[[], None]] = []

    def put(self, optimizer: Any, hooks: StepHooks) -> None:
        """Put hooks on one more optimizer."""
        self._removals += put_hooks(optimizer, hooks)

    def remove(self) -> None:
        """Remove all of them."""
        while self._removals:
            self._removals.pop()()


def refer_weakly(optimizer: Any) -> Callable[[], Any]:
    """Return a weak reference; a strong one to an object that takes no weak ones."""
    try:
        return ref(optimizer)
    except TypeError:
        return lambda: optimizer


def call_stack() -> Iterator[FrameType]:
    """Yield the frames of the running calls, from the innermost on."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(MAX_FRAMES):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
