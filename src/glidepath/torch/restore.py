"""Puts a training back as it was, bit for bit and in place: `restored` is a context around whatever is to be undone.

Every tensor that is there before holds its old bits again afterwards, every container its old members, so whoever
refers to one of them (an optimizer to its parameters, a driver to its groups) notices nothing. What came in between,
such as the state that an optimizer makes at its first update, is gone again. Only what is carried by a `state_dict` of
its own is given back a copy.
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

Undo = Callable[[], Any]

WRAPPERS = ("torch.nn.parallel", "torch._dynamo", "torch.distributed")
GENERATORS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {  # their state, and how to give it
    torch.Generator: (torch.Generator.get_state, torch.Generator.set_state),
    random.Random: (random.Random.getstate, random.Random.setstate),
    np.random.RandomState: (np.random.RandomState.get_state, np.random.RandomState.set_state),
    np.random.Generator: (
        lambda one: copy.deepcopy(one.bit_generator.state),
        lambda one, state: setattr(one.bit_generator, "state", state),
    ),
}


@contextmanager
def restore_afterwards(
    models: Iterable[nn.Module], optimizer: Optimizer, stateful: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Afterwards, also after an exception, everything is as it was.

    That is: parameters, gradients and buffers (also those in no state), what is trained and what is frozen, the modes
    and the attributes of modules as far as they are plain data (numbers, texts, tensors, arrays, random generators, and
    lists, tuples, sets and dicts of these); the optimizer's state, its groups and its hooks; what is carried; and the
    global random numbers of Python, NumPy and PyTorch. What an attribute of another class holds is not seen.

    Args:
        models: what is trained.
        optimizer: what trains it.
        carried: other things by name: modules, optimizers, samplers, random generators, a GradScaler, or anything with
            `state_dict` and `load_state_dict`, which promises that loading what was saved makes it go on as it would
            have.

    Raises:
        SchedulerError: if one of these cannot be put back.
    """
    keeper = Restorer()
    for model in models:
        keeper.keep(model)
    keeper.keep(vars(optimizer))
    for name, thing in (stateful or {}).items():
        keeper.carry(name, thing)
    with preserve_rng_state():
        try:
            yield
        finally:
            keeper.put_back()


@final
class Restorer:
    """Remembers what it is shown, and the plain data inside that."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}  # holds what it has seen, so that no other object gets the same id
        self._undo: list[Undo] = []

    def put_back(self) -> None:
        """Makes everything what it was, as far as it can, and only then says what could not be."""
        errors = []
        with torch.no_grad():
            for undo in self._undo:
                try:
                    undo()
                except Exception as error:
                    errors.append(error)
        if errors:
            raise SchedulerError(f"not all could be put back: {errors[0]}") from errors[0]

    def carry(self, name: str, thing: Any) -> None:
        """Remembers a thing that changes beside the model."""
        if isinstance(thing, nn.Module) or type(thing) in GENERATORS:
            self.keep(thing)
        elif isinstance(thing, (Optimizer, torch.amp.GradScaler, Sampler)):
            self.keep(vars(thing))  # their states leave things out: hooks, types, that an update has begun
        elif hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict"):
            state = copy.deepcopy(thing.state_dict())
            self._undo.append(lambda: thing.load_state_dict(state))
        else:
            raise SchedulerError(
                f"carried {name!r} cannot be put back: a {type(thing).__name__} has no state_dict and load_state_dict"
            )

    def keep(self, thing: Any) -> None:
        """Remembers a thing with all that it contains; whatever is no data is remembered as the object that it is."""
        if id(thing) in self._seen:
            return
        self._seen[id(thing)] = thing
        if isinstance(thing, Tensor):
            self._keep_tensor(thing)
        elif isinstance(thing, nn.Module):
            self._keep_module(thing)
        elif isinstance(thing, (dict, list, set, deque, tuple)):
            self._keep_members(thing)
        elif isinstance(thing, np.ndarray) and thing.flags.writeable:
            bits = thing.copy()
            self._undo.append(lambda: np.copyto(thing, bits))
        elif type(thing) in GENERATORS:
            state_of, give = GENERATORS[type(thing)]
            state = state_of(thing)
            self._undo.append(lambda: give(thing, state))

    def _keep_tensor(self, tensor: Tensor) -> None:
        if is_lazy(tensor):
            raise SchedulerError("a lazy module has no weights yet: give the model one batch first")
        self._undo.append(_refill_tensor(tensor))
        if tensor.is_leaf:
            trained, gradient = tensor.requires_grad, tensor.grad
            self._undo.append(lambda: tensor.requires_grad_(trained))
            self._undo.append(lambda: setattr(tensor, "grad", gradient))
            self.keep(gradient)

    def _keep_module(self, module: nn.Module) -> None:
        """What wraps a module (DDP, a compiled one) keeps counts and caches of its own, and only its parts matter."""
        own = vars(module)
        if type(module).__module__.startswith(WRAPPERS):
            own = {name: own[name] for name in ("_parameters", "_buffers", "_modules")}
            training = module.training
            self._undo.append(lambda: setattr(module, "training", training))
        self.keep(own)

    def _keep_members(self, members: Any) -> None:
        for member in members.values() if isinstance(members, dict) else members:
            self.keep(member)
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
    """Also if it was given other memory, or if several of its elements share one place."""
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
