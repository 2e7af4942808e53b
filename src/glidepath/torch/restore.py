"""Restoring a training as it was, bit for bit and in place: `restore_afterwards` is a context around what is undone.

Every tensor that exists before holds its old bits again afterwards, and every container its old members, so references
to them (of an optimizer to its parameters, of a scheduler to its groups) stay valid. What was added in between, such as
the state that an optimizer creates at its first update, is removed. Objects with a `state_dict` of their own load it.
"""

import copy
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.utils.data import Sampler

from glidepath.errors import SchedulerError

from .randomness import preserve_rng_state
from .wrapper_chain import members_of

Undo = Callable[[], Any]

WRAPPERS = ("torch.nn.parallel", "torch._dynamo", "torch.distributed")
GENERATORS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {  # how to get and set their state
    torch.Generator: (torch.Generator.get_state, torch.Generator.set_state),
    random.Random: (random.Random.getstate, random.Random.setstate),
    np.random.RandomState: (np.random.RandomState.get_state, np.random.RandomState.set_state),
    np.random.Generator: (
        lambda generator: copy.deepcopy(generator.bit_generator.state),
        lambda generator, state: setattr(generator.bit_generator, "state", state),
    ),
}


@contextmanager
def restore_afterwards(
    models: Iterable[nn.Module], optimizer: Optimizer, stateful: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Restore everything at the end of the context, also after an exception.

    That is: parameters, gradients and buffers (also those in no state), what is trained and what is frozen, the modes
    and the attributes of modules as far as they are plain data (numbers, texts, tensors, arrays, random generators, and
    lists, tuples, sets and dicts of these); the optimizer's state, its groups and its hooks; the stateful objects; and
    the global random numbers of Python, NumPy and PyTorch. Attributes of other classes are not restored.

    Args:
        models: what is trained.
        optimizer: what trains it; of a wrapper, the optimizers in it too.
        stateful: other objects by name: modules, optimizers, samplers, random generators, a GradScaler, or anything
            with `state_dict` and `load_state_dict`, which must restore all that matters.

    Raises:
        SchedulerError: if one of these cannot be restored.
    """
    restorer = Restorer()
    for model in models:
        restorer.add(model)
    for member in (optimizer, *members_of(optimizer)):
        restorer.add(vars(member))
    for name, thing in (stateful or {}).items():
        restorer.add_stateful(name, thing)
    with preserve_rng_state():
        try:
            yield
        finally:
            restorer.restore()


@final
class Restorer:
    """Records objects, and the plain data inside them, and restores them."""

    def __init__(self) -> None:
        self._recorded: dict[int, Any] = {}  # refers to the objects, so that no other object gets the same id
        self._undo: list[Undo] = []

    def restore(self) -> None:
        """Restore all that can be restored, and only then raise the first error.

        Raises:
            SchedulerError: if something cannot be restored.
        """
        errors = []
        with torch.no_grad():
            for undo in self._undo:
                try:
                    undo()
                except Exception as error:
                    errors.append(error)
        if errors:
            raise SchedulerError(f"not everything could be restored: {errors[0]}") from errors[0]

    def add_stateful(self, name: str, thing: Any) -> None:
        """Record an object that changes beside the model.

        Raises:
            SchedulerError: if it cannot be restored.
        """
        if isinstance(thing, nn.Module) or type(thing) in GENERATORS:
            self.add(thing)
        elif isinstance(thing, (Optimizer, torch.amp.GradScaler, Sampler)):
            self.add(vars(thing))  # their states leave things out: hooks, types, that an update has begun
        elif hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict"):
            state = copy.deepcopy(thing.state_dict())
            self._undo.append(lambda: thing.load_state_dict(state))
        else:
            raise SchedulerError(
                f"stateful {name!r} cannot be restored: a {type(thing).__name__} has no state_dict and load_state_dict"
            )

    def add(self, thing: Any) -> None:
        """Record an object with all plain data that it contains; of anything else, only the reference."""
        if id(thing) in self._recorded:
            return
        self._recorded[id(thing)] = thing
        if isinstance(thing, Tensor):
            self._add_tensor(thing)
        elif isinstance(thing, nn.Module):
            self._add_module(thing)
        elif isinstance(thing, (dict, list, set, deque, tuple)):
            self._add_members(thing)
        elif isinstance(thing, np.ndarray) and thing.flags.writeable:
            bits = thing.copy()
            self._undo.append(lambda: np.copyto(thing, bits))
        elif type(thing) in GENERATORS:
            get_state, set_state = GENERATORS[type(thing)]
            state = get_state(thing)
            self._undo.append(lambda: set_state(thing, state))

    def _add_tensor(self, tensor: Tensor) -> None:
        if is_lazy(tensor):
            raise SchedulerError("a lazy module has no weights yet: run the model on one batch first")
        self._undo.append(_refill_tensor(tensor))
        if tensor.is_leaf:
            trained, gradient = tensor.requires_grad, tensor.grad
            self._undo.append(lambda: tensor.requires_grad_(trained))
            self._undo.append(lambda: setattr(tensor, "grad", gradient))
            self.add(gradient)

    def _add_module(self, module: nn.Module) -> None:
        """Record a module; of a wrapper (DDP, a compiled module), which has counts and caches, only its parts."""
        own = vars(module)
        if type(module).__module__.startswith(WRAPPERS):
            own = {name: own[name] for name in ("_parameters", "_buffers", "_modules")}
            training = module.training
            self._undo.append(lambda: setattr(module, "training", training))
        self.add(own)

    def _add_members(self, members: Any) -> None:
        for member in members.values() if isinstance(members, dict) else members:
            self.add(member)
        if isinstance(members, dict):
            self._undo.append(_refill(members, dict(members), members.update))
        elif isinstance(members, set):
            self._undo.append(_refill(members, set(members), members.update))
        elif not isinstance(members, tuple):
            self._undo.append(_refill(members, list(members), members.extend))


def _refill(container: Any, before: Any, fill: Callable[[Any], None]) -> Undo:
    def undo() -> None:
        container.clear()
        fill(before)

    return undo


def _refill_tensor(tensor: Tensor) -> Undo:
    """Return what restores a tensor, even if its memory was replaced or several elements share one place."""
    plain = type(tensor) in (Tensor, nn.Parameter) and tensor.layout == torch.strided
    if not plain:
        values = tensor.detach().clone()
        return lambda: tensor.copy_(values)
    data = tensor.data
    memory = data.untyped_storage()
    bits = memory.clone()  # type: ignore[no-untyped-call]

    def undo() -> None:
        if tensor.dtype != data.dtype or tensor.data_ptr() != data.data_ptr():
            tensor.data = data
        memory.copy_(bits)
        if not tensor.is_inference():
            torch.autograd.graph.increment_version(tensor)

    return undo
