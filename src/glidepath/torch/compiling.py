"""Keeps `torch.compile` out of schedulers and their hooks, without importing its compiler.

A compiled training step that calls a scheduler has one graph break there, as with PyTorch's own schedulers, which the
compiler skips by the name of their file. `torch.compiler.disable` would do the same, but imports the compiler (most of
a second) when the class is defined, and wraps every call.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import torch

P = ParamSpec("P")
R = TypeVar("R")


def skip_compiling(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, marked so that the compiler neither inlines it nor compiles what it calls."""
    cast(Any, function)._torchdynamo_disable = True
    _skip_frames(function)
    return function


def _skip_frames(function: Any) -> None:
    """Skip the frame of `function` and all below it; a PyTorch that is too old for this compiles those one by one."""
    frames: Any = getattr(getattr(torch._C, "_dynamo", None), "eval_frame", None)
    if hasattr(frames, "set_code_exec_strategy"):
        skip = frames._FrameAction.SKIP
        frames.set_code_exec_strategy(function.__code__, frames._FrameExecStrategy(skip, skip))
