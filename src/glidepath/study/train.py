"""One run: train a fresh task under one schedule, and note the rate that each update really used.

Fair and repeatable: the seed decides the first weights and the batches, whatever the schedule; evaluation leaves the
random numbers as they were; the run uses one thread, because the number of threads changes the last bits of a sum.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from glidepath.core.errors import GlidepathError
from glidepath.tasks import Task, TaskError
from glidepath.tasks.loading import NamedTask
from glidepath.torch import Plateau, Scheduler

from .curve import Curve, Record
from .errors import Mistake, StudyError
from .feedback import arguments
from .runs import Run

Watch = Callable[[Run, Record], None]


def train(named: NamedTask, run: Run, evaluate_every: int, watch: Watch) -> Curve:
    """Train one run to its end.

    Raises:
        TaskError: if the task fails or answers wrongly.
    """
    with reproducible(run.seed):
        task = named(run.seed)
        peak = _set_peak(task.optimizer, run.peak)
        records = []
        for record in _updates(named, task, run, evaluate_every):
            records.append(record)
            watch(run, record)
    return Curve(run, peak, tuple(records))


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """One thread, deterministic kernels, and every global random number drawn from `seed`; put back afterwards."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with kept_randomness():
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict, warn_only=lenient)


@contextmanager
def kept_randomness() -> Iterator[None]:
    """Whatever is drawn inside, the global random numbers afterwards go on as if nothing had been."""
    python, array = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


def check_plateau(name: str, text: str) -> None:
    """Refuse a plateau with arguments that it does not have.

    Raises:
        StudyError: with the schedule's name.
    """
    try:
        _plateau(torch.optim.SGD([torch.zeros(1)], lr=0.1), text).step(1.0)
    except (GlidepathError, TypeError) as error:
        raise StudyError(
            [Mistake(("schedules", name), str(error).partition("__init__() ")[2] or str(error))]
        ) from error


def _updates(named: NamedTask, task: Task, run: Run, evaluate_every: int) -> Iterator[Record]:
    optimizer = task.optimizer
    plateau = _plateau(optimizer, run.text) if run.plan is None else None
    if run.plan is not None:
        Scheduler(optimizer, run.plan)  # lives on in the optimizer's hooks
    used = _noted_rates(optimizer)
    for step in range(run.horizon):
        loss = _update(named, task, step)
        due = (step + 1) % evaluate_every == 0 or step + 1 == run.horizon
        metrics = _evaluate(named, task) if due and math.isfinite(loss) else {}
        yield Record(step, used[-1], loss, metrics)
        if not math.isfinite(loss):
            return
        if plateau is not None and metrics:
            plateau.step(next(iter(metrics.values())))


def _update(named: NamedTask, task: Task, step: int) -> float:
    with named.blaming(f"making batch {step}"):
        batch = task.batch(step)
    with named.blaming(f"training on batch {step}"):
        task.model.train()
        task.optimizer.zero_grad()
        loss = task.loss(task.model, batch)
        value = _scalar(named, loss)
        loss.backward()  # type: ignore[no-untyped-call]
        task.optimizer.step()
    return value


def _scalar(named: NamedTask, loss: Any) -> float:
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        shown = f"shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else repr(loss)
        raise TaskError(f"the loss of {named.name} is {shown}: return a tensor with one element")
    return float(loss.detach())


def _evaluate(named: NamedTask, task: Task) -> dict[str, float]:
    """The task's metrics as floats; the model, its mode and the random numbers are left as they were."""
    with kept_randomness(), torch.no_grad(), named.blaming("evaluating"):
        task.model.eval()
        found = task.evaluate(task.model)
        metrics = found if isinstance(found, Mapping) else {"validation": found}
        if not metrics:
            raise TaskError(f"{named.name} evaluated to nothing: return a number, or several by name")
        return {str(name): float(value) for name, value in metrics.items()}


def _plateau(optimizer: Optimizer, text: str) -> Plateau:
    keywords: dict[str, Any] = arguments(text)
    return Plateau(optimizer, **keywords)


def _noted_rates(optimizer: Optimizer) -> list[float]:
    """The largest rate of every update, read when all other hooks have run, just before the update uses it."""
    rates: list[float] = []
    optimizer.register_step_pre_hook(lambda *_: rates.append(_largest(optimizer)))
    return rates


def _largest(optimizer: Optimizer) -> float:
    return max(float(group["lr"]) for group in optimizer.param_groups)


def _set_peak(optimizer: Optimizer, peak: float | None) -> float:
    """Scale every group's rate so that the largest is `peak`; the largest rate now."""
    largest = _largest(optimizer)
    if peak is None:
        return largest
    if largest <= 0:
        raise TaskError(f"a peak of {peak:g} cannot scale an optimizer whose largest rate is {largest:g}")
    for group in optimizer.param_groups:
        rate = peak * (float(group["lr"]) / largest)
        group["lr"] = group["lr"].new_tensor(rate) if isinstance(group["lr"], torch.Tensor) else rate
    return peak
