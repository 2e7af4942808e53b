"""The origin of a training: everything, except the schedule, that two equal runs must have in common."""

import hashlib
import json
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from glidepath.errors import TaskError
from glidepath.tasks.loading import NamedTask
from glidepath.torch.hyperparameter import Group
from glidepath.torch.randomness import deterministic_kernels, preserve_rng_state

from .session import Session
from .state import digest

ENGINE = 1  # goes up when the engine itself would train other bits


@final
@dataclass(frozen=True)
class Origin:
    """Where a training begins.

    Args:
        key: a hash of all that decides its bits; see `described`.
        described: what the key was made of, by name.
        groups: the parameter groups of the optimizer, without their parameters.
        bytes: the size of a state, roughly.
    """

    key: str
    described: dict[str, str]
    groups: list[Group] = field(repr=False)
    bytes: int

    @property
    def task(self) -> str:
        """Return the part of the key that is about the task and the machine, not about the seed."""
        return _hash({name: text for name, text in self.described.items() if name not in BY_SEED})


KERNELS = ("ATEN_", "CUBLAS_", "DNNL_", "MKL_", "NVIDIA_TF32_", "ONEDNN_", "TORCH_ALLOW_TF32_")  # choose among them
BY_SEED = ("seed", "first state", "first batch")


def find_origin(named: NamedTask, seed: int, threads: int) -> Origin:
    """Build a task once, and compute its origin.

    Raises:
        TaskError: if it cannot be built, or its optimizer has no rate.
    """
    session = Session(named, seed, threads)
    state, batch = first_digests(session)
    described = {
        "task": named.name.rpartition(":")[2],
        "code": named.fingerprint,
        "seed": str(seed),
        "threads": str(threads),
        "machine": machine(),
        "versions": versions(),
        "engine": str(ENGINE),
        "first state": state,
        "first batch": batch,
    }
    groups = [{key: value for key, value in group.items() if key != "params"} for group in _groups(session)]
    return Origin(_hash(described), described, groups, _bytes(session.first))


def first_digests(session: Session) -> tuple[str, str]:
    """Return digests of the first state and of the first batch; a task with its own update shows no batches.

    The states of accelerators' random numbers are left out: whether there are any depends on code that ran before.
    """
    first = digest(session.first | {"randomness": session.first["randomness"] | {"cuda": None}})
    if session.task.batch is None:
        return first, "unseen"
    with deterministic_kernels(session.threads), preserve_rng_state(), session.named.blame("making batch 0"):
        batch = digest(session.task.batch(0))
    session.restore(None)  # a loader may have advanced
    return first, batch


def machine() -> str:
    """Return what else decides the last bits of a sum: the processor, its kernels, and the accelerator."""
    kinds = {
        torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())
    }  # not how many: a process may see a part of them
    settings = [f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith(KERNELS)]
    kernels = torch.backends.cpu.get_cpu_capability()
    return ", ".join([platform.system(), platform.machine(), _processor(), kernels, *sorted(kinds), *settings])


def versions() -> str:
    """Return the versions of the libraries that compute."""
    return f"Python {platform.python_version()}, torch {torch.__version__}, NumPy {np.__version__}"


def _processor() -> str:
    """Return the name of the processor, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _groups(session: Session) -> list[Group]:
    groups: list[Group] = session.task.optimizer.param_groups
    if any("lr" not in group for group in groups):
        raise TaskError(f"the optimizer of {session.named.name} has no lr: there is nothing to schedule")
    return groups


def _bytes(state: Any) -> int:
    if isinstance(state, torch.Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, dict):
        return sum(map(_bytes, state.values()))
    return sum(map(_bytes, state)) if isinstance(state, (list, tuple)) else 8


def _hash(described: dict[str, str]) -> str:
    return hashlib.blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=16).hexdigest()
