"""The state of a training: everything that the next updates depend on, as plain data.

A state is nested dicts, lists and tuples of tensors (on the CPU), numbers, texts and None; nothing in it is shared
with the training that it was taken from, nor with one that it was given to (an optimizer keeps the tensors that it
loads, so the second branch from one state would go wrong without a word: pytorch/pytorch#147288).
"""

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from glidepath.tasks import Task

State = dict[str, Any]


def captured(task: Task) -> State:
    """A copy of what a task trains and carries."""
    shared = {
        "model": task.model.state_dict(),
        "buffers": _hidden_buffers(task),
        "optimizer": task.optimizer.state_dict(),
        "carried": {name: carried.state_dict() for name, carried in task.carried.items()},
    }
    return {name: copied(part) for name, part in shared.items()}


def restored(task: Task, state: State) -> None:
    """Put a state back; the state stays as it is, whatever becomes of the task."""
    own = copied(state)
    task.model.load_state_dict(own["model"])
    _load_optimizer(task.optimizer, own["optimizer"])
    for name, carried in task.carried.items():
        carried.load_state_dict(own["carried"][name])
    for name, buffer in _hidden_buffers(task).items():
        buffer.copy_(own["buffers"][name])


def copied(state: Any) -> Any:
    """The same data, with tensors of its own on the CPU; what is no plain data is deep-copied."""
    return mapped(state, _alone, copy.deepcopy)


def _alone(data: Any) -> Any:
    """A tensor or an array that shares no memory with another."""
    return data.detach().to("cpu", copy=True) if isinstance(data, Tensor) else data.copy()


def mapped(state: Any, tensor: Callable[[Any], Any], other: Callable[[Any], Any] = lambda value: value) -> Any:
    """The same nesting, with every tensor or array replaced."""
    if isinstance(state, (Tensor, np.ndarray)):
        return tensor(state)
    if isinstance(state, dict):
        return _like(state, {key: mapped(value, tensor, other) for key, value in state.items()})
    if isinstance(state, (list, tuple)) and not hasattr(state, "_fields"):
        return type(state)(mapped(value, tensor, other) for value in state)
    return other(state)


def _like(state: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    """A model's state is an ordered dict that also bears the versions of its modules."""
    if not isinstance(state, OrderedDict):
        return new
    ordered = OrderedDict(new)
    vars(ordered).update(copy.deepcopy(vars(state)))
    return ordered


def digest(state: Any) -> str:
    """SHA-256 over a state's structure and every bit of it.

    Examples:
        >>> digest({"w": torch.zeros(2)}) == digest({"w": -torch.zeros(2)})
        False
    """
    found = hashlib.sha256()
    _update(found, state)
    return found.hexdigest()


def _update(found: Any, state: Any) -> None:
    if isinstance(state, Tensor):
        plain = state.detach().cpu().contiguous()
        found.update(f"T{plain.dtype}{tuple(plain.shape)}".encode())
        found.update(plain.reshape(-1).view(torch.uint8).numpy())
    elif isinstance(state, dict):
        found.update(f"D{len(state)}".encode())
        for key, value in state.items():
            _update(found, key)
            _update(found, value)
    elif isinstance(state, (list, tuple)):
        found.update(f"L{len(state)}".encode())
        for value in state:
            _update(found, value)
    elif isinstance(state, (np.ndarray, np.generic)):
        found.update(f"A{state.dtype}{state.shape}".encode())
        found.update(np.ascontiguousarray(state).tobytes())
    else:  # only of plain values does the text say which they are, and nothing of where they lie
        shown = repr(state) if isinstance(state, (bool, int, float, str, bytes, type(None))) else ""
        found.update(f"{type(state).__name__}{shown};".encode())


def _load_optimizer(optimizer: Optimizer, state: State) -> None:
    """Loads it; hyperparameters that are tensors stay the same tensors, on their own device."""
    held = [{k: v for k, v in group.items() if isinstance(v, Tensor)} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, tensors in zip(optimizer.param_groups, held, strict=True):
        for name, tensor in tensors.items():
            group[name] = tensor.copy_(group[name])


def _hidden_buffers(task: Task) -> dict[str, Tensor]:
    """Buffers that the states of the model, and of modules that are carried, leave out."""
    carried = {f"{name}: ": module for name, module in task.carried.items() if isinstance(module, nn.Module)}
    return {
        f"{where}{name}": buffer
        for where, module in {"": task.model, **carried}.items()
        for name, buffer in _unsaved(module)
    }


def _unsaved(module: nn.Module) -> list[tuple[str, Tensor]]:
    saved = module.state_dict(keep_vars=True)
    return [(name, buffer) for name, buffer in module.named_buffers() if name not in saved]
