"""Puts a training back as it was, bit for bit and in place: `restored` is a context around whatever is to be undone.

Nothing is replaced by a copy. Every tensor that is there before holds its old bits again afterwards, every container
its old members, so whoever refers to one of them (an optimizer to its parameters, a driver to its groups) notices
nothing. What came in between, such as the state that an optimizer makes at its first update, is gone again.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from glidepath.core.errors import DriverError

from .randomness import kept_randomness

Undo = Callable[[], Any]


@contextmanager
def restored(
    models: Iterable[nn.Module], optimizer: Optimizer, carried: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Afterwards, also after an exception, everything is as it was.

    That is: parameters, gradients and buffers (also those in no state), the modes of modules and the plain attributes
    of users' modules; the optimizer's state, its groups and its hooks; what is carried; and the global random numbers
    of Python, NumPy and PyTorch.

    Args:
        models: what is trained.
        optimizer: what trains it.
        carried: other things by name: modules, a GradScaler, a `torch.Generator`, or anything with `state_dict` and
            `load_state_dict`, which promises that loading what was saved makes it go on as it would have.

    Raises:
        DriverError: if one of these cannot be put back.
    """
    keeper = Keeper()
    for model in models:
        keeper.keep(model)
    keeper.keep(vars(optimizer))
    for name, thing in (carried or {}).items():
        keeper.carry(name, thing)
    with kept_randomness():
        try:
            yield
        finally:
            keeper.put_back()


@final
class Keeper:
    """Remembers what it is shown, and what is inside that."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}  # holds what it has seen, so that no other object gets the same id
        self._undo: list[Undo] = []

    def put_back(self) -> None:
        """Makes everything what it was; once."""
        with torch.no_grad():
            for undo in self._undo:
                undo()

    def carry(self, name: str, thing: Any) -> None:
        """Remembers a thing that changes beside the model."""
        if isinstance(thing, (nn.Module, torch.Generator)):
            self.keep(thing)
        elif isinstance(thing, torch.amp.GradScaler):
            self.keep(vars(thing))  # its state does not tell that an update was begun and not ended
        elif hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict"):
            state = copy.deepcopy(thing.state_dict())
            self._undo.append(lambda: thing.load_state_dict(state))
        else:
            raise DriverError(
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
        elif isinstance(thing, np.ndarray):
            bits = thing.copy()
            self._undo.append(lambda: np.copyto(thing, bits))
        elif isinstance(thing, torch.Generator):
            state = thing.get_state()
            self._undo.append(lambda: thing.set_state(state))

    def _keep_tensor(self, tensor: Tensor) -> None:
        bits, gradient = tensor.detach().clone(), tensor.grad if tensor.is_leaf else None
        self._undo.append(lambda: tensor.copy_(bits))
        if tensor.is_leaf:
            self._undo.append(lambda: setattr(tensor, "grad", gradient))
            self.keep(gradient)

    def _keep_module(self, module: nn.Module) -> None:
        """PyTorch's own modules keep counts and caches of theirs; only users' attributes are part of a model."""
        own = vars(module)
        if type(module).__module__.partition(".")[0] == "torch":
            training = module.training
            self._undo.append(lambda: setattr(module, "training", training))
            parts = [own["_parameters"], own["_buffers"], own["_modules"]]
        else:
            parts = [own]
        for part in parts:
            self.keep(part)

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
