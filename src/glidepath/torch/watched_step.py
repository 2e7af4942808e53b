"""The `step` of one object with hooks around it, for wrappers that have none of PyTorch's.

PyTorch's step hooks come with `Optimizer.__init__`, which many wrappers never run. Their `step` is wrapped on the
instance, and is as it was when the last hook is gone. A copy or an unpickled wrapper has its class's own `step`.
"""

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, Protocol, final
from weakref import ref


class StepHooks(Protocol):
    """A pair of hooks, with the arguments of PyTorch's."""

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Run before a step."""

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Run after a step, also after one that raised."""


@final
class WatchedStep:
    """Stands in the place of `wrapper.step`; refers to the wrapper weakly."""

    def __init__(self, wrapper: Any) -> None:
        self.owner = ref(wrapper)
        self.hooks: list[StepHooks] = []
        self._own: Callable[..., Any] | None = vars(wrapper).get("step")  # of the instance, as other code has put it
        update_wrapper(self, self._own or type(wrapper).step)
        self.__signature__ = inspect.signature(wrapper.step)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the wrapper's own `step` between the hooks."""
        owner: Any = self.owner()
        arguments = (owner, *args)
        for hooks in self.hooks:
            hooks.before(owner, arguments, kwargs)
        try:
            return type(owner).step(*arguments, **kwargs) if self._own is None else self._own(*args, **kwargs)
        finally:
            for hooks in self.hooks:
                hooks.after(owner, arguments, kwargs)

    @property
    def __func__(self) -> Callable[..., Any]:
        """Return the unbound function, which PyTorch's schedulers ask a method for."""

        def step(owner: Any, *args: Any, **kwargs: Any) -> Any:
            return self(*args, **kwargs)

        owner: Any = self.owner()
        return update_wrapper(step, type(owner).step)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave copies and pickles of the wrapper with the `step` of their class."""
        return getattr, (self.owner(), "step")

    def remove(self, hooks: StepHooks) -> None:
        """Take hooks away, and this object with the last of them, unless other code has wrapped it since."""
        if hooks in self.hooks:
            self.hooks.remove(hooks)
        owner = self.owner()
        if self.hooks or owner is None or vars(owner).get("step") is not self:
            return
        if self._own is None:
            del vars(owner)["step"]
        else:
            vars(owner)["step"] = self._own


def watch_step(wrapper: Any, hooks: StepHooks) -> Callable[[], None] | None:
    """Put hooks around the `step` of a wrapper; return what removes them, or None if it takes no attributes."""
    if not hasattr(wrapper, "__dict__"):
        return None
    step = vars(wrapper).get("step")
    if not isinstance(step, WatchedStep):
        vars(wrapper)["step"] = step = WatchedStep(wrapper)
    step.hooks.append(hooks)
    return partial(_remove, ref(step), ref(hooks))


def _remove(step: Callable[[], WatchedStep | None], hooks: Callable[[], StepHooks | None]) -> None:
    watched, present = step(), hooks()
    if watched is not None and present is not None:
        watched.remove(present)
