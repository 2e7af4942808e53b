"""A hook that reads what an update has used: when the step has ended, and before any other post-hook writes again."""

from collections.abc import Callable
from typing import Any, final

from .compiling import skip_compiling
from .watched_step import watch_step
from .wrapper_chain import has_step_hooks


@final
class Reader:
    """Hooks that read when a step has ended."""

    def __init__(self, read: Callable[[], None]) -> None:
        self._read = read

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Do nothing."""

    @skip_compiling
    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Read the values."""
        self._read()


def put_reader(optimizer: Any, read: Callable[[], None]) -> Callable[[], None]:
    """Have the values of an optimizer read after each step, first of all post-hooks; return what ends that."""
    reader = Reader(read)
    if has_step_hooks(optimizer):
        handle = optimizer.register_step_post_hook(reader.after)
        optimizer._optimizer_step_post_hooks.move_to_end(handle.id, last=False)
        return handle.remove  # type: ignore[no-any-return]
    remove = watch_step(optimizer, reader)
    if remove is None:
        return lambda: None
    optimizer.step.hooks.insert(0, optimizer.step.hooks.pop())
    return remove
