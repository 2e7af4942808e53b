"""The state of a training: everything that the next updates depend on, as plain data.

A state is nested dicts, lists and tuples of tensors (on the CPU), numbers, texts and None; nothing in it is shared
with the training that it was taken from, nor with one that it was given to (an optimizer keeps the tensors that it
loads, so the second branch from one state would silently go wrong: pytorch/pytorch#147288).
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


def capture_state(task: Task) -> State:
    """Return a copy of what a task trains and carries."""
    shared = {
        "model": task.model.state_dict(),
        "buffers": _hidden_buffers(task),
        "optimizer": task.optimizer.state_dict(),
        "carried": {name: carried.state_dict() for name, carried in task.carried.items()},
    }
    return {name: copy_state(part) for name, part in shared.items()}


def restore_state(task: Task, state: State) -> None:
    """Load a state into a task; the state stays as it is, however the task changes."""
    own = copy_state(state)
    task.model.load_state_dict(own["model"])
    _load_optimizer(task.optimizer, own["optimizer"])
    for name, carried in task.carried.items():
        carried.load_state_dict(own["carried"][name])
    for name, buffer in _hidden_buffers(task).items():
        buffer.copy_(own["buffers"][name])


def copy_state(state: Any) -> Any:
    """Return the same data, with tensors of its own on the CPU; objects that are not plain data are deep-copied."""
    return map_tensors(state, _copy_tensor, copy.deepcopy)


def _copy_tensor(data: Any) -> Any:
    """Return a copy of a tensor or an array that shares no memory with it."""
    return data.detach().to("cpu", copy=True) if isinstance(data, Tensor) else data.copy()


def map_tensors(state: Any, tensor: Callable[[Any], Any], other: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return the same nesting, with every tensor or array replaced by `tensor(it)`."""
    if isinstance(state, (Tensor, np.ndarray)):
        return tensor(state)
    if isinstance(state, dict):
        return _like(state, {key: map_tensors(value, tensor, other) for key, value in state.items()})
    if isinstance(state, (list, tuple)) and not hasattr(state, "_fields"):
        return type(state)(map_tensors(value, tensor, other) for value in state)
    return other(state)


def _like(state: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    """Return `new` as the kind of dict that `state` is: a model's is ordered and bears the versions of its modules."""
    if not isinstance(state, OrderedDict):
        return new
    ordered = OrderedDict(new)
    vars(ordered).update(copy.deepcopy(vars(state)))
    return ordered


def digest(state: Any) -> str:
    """Return the SHA-256 over a state's structure and every bit of it.

    Examples:
        >>> digest({"w": torch.zeros(2)}) == digest({"w": -torch.zeros(2)})
        False
    """
    hasher = hashlib.sha256()
    _update(hasher, state)
    return hasher.hexdigest()


def _update(hasher: Any, state: Any) -> None:
    if isinstance(state, Tensor):
        plain = state.detach().cpu().contiguous()
        hasher.update(f"T{plain.dtype}{tuple(plain.shape)}".encode())
        hasher.update(plain.reshape(-1).view(torch.uint8).numpy())
    elif isinstance(state, dict):
        hasher.update(f"D{len(state)}".encode())
        for key, value in state.items():
            _update(hasher, key)
            _update(hasher, value)
    elif isinstance(state, (list, tuple)):
        hasher.update(f"L{len(state)}".encode())
        for value in state:
            _update(hasher, value)
    elif isinstance(state, (np.ndarray, np.generic)):
        hasher.update(f"A{state.dtype}{state.shape}".encode())
        hasher.update(np.ascontiguousarray(state).tobytes())
    else:  # only of plain values does the text say which they are, and not where they lie in memory
        shown = repr(state) if isinstance(state, (bool, int, float, str, bytes, type(None))) else ""
        hasher.update(f"{type(state).__name__}{shown};".encode())


def _load_optimizer(optimizer: Optimizer, state: State) -> None:
    """Load an optimizer's state; hyperparameters that are tensors stay the same tensors, on their own device."""
    before = [{k: v for k, v in group.items() if isinstance(v, Tensor)} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, tensors in zip(optimizer.param_groups, before, strict=True):
        for name, tensor in tensors.items():
            group[name] = tensor.copy_(group[name])


def _hidden_buffers(task: Task) -> dict[str, Tensor]:
    """Return the buffers that the states of the model, and of modules that are carried, leave out."""
    carried = {f"{name}: ": module for name, module in task.carried.items() if isinstance(module, nn.Module)}
    return {
        f"{where}{name}": buffer
        for where, module in {"": task.model, **carried}.items()
        for name, buffer in _buffers_outside_state(module)
    }


def _buffers_outside_state(module: nn.Module) -> list[tuple[str, Tensor]]:
    names = module.state_dict(keep_vars=True)
    return [(name, buffer) for name, buffer in module.named_buffers() if name not in names]
