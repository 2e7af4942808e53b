"""States as NumPy arrays, which Ray moves between processes without copying them.

A tensor travels as its bytes, with type, shape and the order of its dimensions in memory, so that what arrives is the
same to the last bit and is laid out alike, whether or not NumPy has the type. What arrives must not be written to.
"""

import warnings
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glidepath.study.engine.state import map_tensors
from glidepath.study.store import State


@final
@dataclass(frozen=True)
class Packed:
    """A tensor as bytes.

    Args:
        content: bytes, in the order of memory.
        dtype: of the tensor.
        shape: with the dimensions in the order of memory.
        order: which dimensions these are.
    """

    content: NDArray[np.uint8]
    dtype: torch.dtype
    shape: tuple[int, ...]
    order: tuple[int, ...]


def pack(state: State) -> State:
    """Return a state with its tensors as bytes, which share their memory."""
    return map_tensors(state, _pack_tensor)  # type: ignore[no-any-return]


def unpack(state: State) -> State:
    """Return the state that was packed; its tensors share the bytes, so they may be read-only.

    Examples:
        >>> unpack(pack({"w": torch.tensor([1.5, 2.0], dtype=torch.bfloat16)}))
        {'w': tensor([1.5000, 2.0000], dtype=torch.bfloat16)}
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writ", UserWarning)  # they are only read
        return map_tensors(state, lambda array: array, _unpack_tensor)  # type: ignore[no-any-return]


def _pack_tensor(tensor: Any) -> Any:
    """Return its bytes; a tensor that is not one dense block (sparse, expanded) stays one, and is pickled as such."""
    if not isinstance(tensor, Tensor) or tensor.layout is not torch.strided or tensor.is_quantized:
        return tensor
    order = tuple(sorted(range(tensor.dim()), key=lambda place: -tensor.stride()[place]))
    laid = tensor.permute(order)
    if not laid.is_contiguous():
        return tensor
    return Packed(laid.reshape(-1).view(torch.uint8).numpy(), tensor.dtype, tuple(laid.shape), order)


def _unpack_tensor(value: Any) -> Any:
    if not isinstance(value, Packed):
        return value
    laid = torch.from_numpy(value.content).view(value.dtype).view(value.shape)
    return laid.permute(tuple(np.argsort(value.order).tolist()))
