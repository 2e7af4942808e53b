"""All global random number generators, and the settings that decide the bits of a sum."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch

RngState = dict[str, Any]


def get_rng_state() -> RngState:
    """Return the state of the global generators of Python, NumPy and PyTorch, CUDA's included.

    Its hundreds of integers are tensors: a list of them takes longer to save than a small model.
    """
    version, numbers, gauss = random.getstate()
    kind, keys, *numpy = cast("tuple[Any, ...]", np.random.get_state(legacy=True))
    return {
        "python": [version, torch.tensor(numbers), gauss],
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), *numpy],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],  # type: ignore[no-untyped-call]
    }


def set_rng_state(state: RngState) -> None:
    """Set the state of all global generators to one that `get_rng_state` returned."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    kind, keys, *numpy = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *numpy))
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def seed_everything(seed: int) -> None:
    """Seed all global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def preserve_rng_state() -> Iterator[None]:
    """Restore the state of all global generators at the end of the context, whatever was drawn inside."""
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)


@contextmanager
def deterministic_kernels(threads: int) -> Iterator[None]:
    """Use deterministic kernels and `threads` CPU threads inside: their number changes the last bits of a sum."""
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict, warn_only=lenient)
