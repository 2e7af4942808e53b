"""The learning-rate range test: the rate rises from update to update until the loss runs away, then all is restored.

Update k of n uses  low * (high / low)^(k / (n - 1))  in the group with the highest rate; the others keep their ratio
to it. What the losses suggest is left to `glidepath.range_test`, restoring the training to `restore.py`.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, cast, final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Sampler

from glidepath.core.checks import count, real
from glidepath.errors import SchedulerError
from glidepath.range_test import RangeTest, analyze_sweep
from glidepath.range_test.result import FEWEST, Ending

from .clock import clocks_of, unwrap_optimizer
from .hyperparameter import tensor_version
from .plateau import mean_over_processes
from .recorder import recorders_of
from .restore import restore_afterwards
from .skipped_steps import MAX_SKIPS, was_update
from .wrapper_chain import members_of, put_hooks

RUNAWAY = 3.0  # a loss this many times the lowest above the lowest does not recover

OnUpdate = Callable[[int, float, float], Any]


def range_test(
    model: nn.Module | Sequence[nn.Module],
    optimizer: Optimizer,
    update: Callable[[Any], Tensor | float],
    *,
    data: Iterable[Any] | Callable[[], Any] | None = None,
    low: float = 1e-7,
    high: float = 10.0,
    updates: int = 200,
    stateful: Mapping[str, Any] | None = None,
    reduce: Callable[[float], float] = mean_over_processes,
    progress: OnUpdate | None = None,
    seed: int = 0,
) -> RangeTest:
    """Sweep the rate over a model in training, and return the losses and the rates that they suggest.

    Afterwards the model, the optimizer, the stateful objects, and all random numbers are as before, bit for bit, also
    if `update` raises or is interrupted. A scheduler on the optimizer pauses meanwhile. Suggestions are not applied:
    `set_rate` does that, so that the schedule follows.

    Args:
        model: what is trained, or several models.
        optimizer: its groups keep the ratios of their rates.
        update: `update(step)`, or with data `update(batch)`: makes one update of the optimizer, however many batches
            go into it, and returns the loss. Gradients are zero and the model is in training mode; schedulers are
            left out.
        data: batches, read from their beginning and again if they run out; or a function without arguments that
            returns a batch, called once for each update, as in `lambda: get_batch("train")`. The global random numbers
            that it draws are restored; name a random generator of its own in `stateful`. Not an iterator, which cannot
            be rewound.
        low: the rate of the first update, above 0.
        high: the rate of the last update, above `low`; 10 is safe, because the sweep stops when the loss runs away.
        updates: of the whole sweep, at least 20.
        stateful: other objects that change with the updates, by name: see `restore.restore_afterwards`.
        reduce: combines the losses of several processes, so that all of them stop alike.
        progress: called after every update with its number, rate and loss.
        seed: of the resampling behind the intervals.

    Raises:
        SchedulerError: if an argument is invalid, or `update` does not make one update at the rate of the sweep.
        RunError: if the loss ran away before there was a curve.

    Examples:
        >>> import torch
        >>> from glidepath.torch import range_test
        >>> x, _ = torch.randn(512, 8, generator=torch.Generator().manual_seed(0)), torch.manual_seed(0)
        >>> model = torch.nn.Linear(8, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> def update(batch):
        ...     loss = ((model(batch) - batch.sum(1, keepdim=True)) ** 2).mean()
        ...     loss.backward()
        ...     optimizer.step()
        ...     return loss
        >>> result = range_test(model, optimizer, update, data=x.split(32))
        >>> result.ended, bool(result["steepest"]), optimizer.param_groups[0]["lr"]
        ('diverged', True, 0.1)

    Sources:
        Smith, 2017, Cyclical learning rates, section 3.3, https://arxiv.org/abs/1506.01186 (the rate rises linearly).
    """
    models = [model] if isinstance(model, nn.Module) else list(model)
    rates = _rates(low, high, updates)
    argument = _arguments_of(data)
    everything = {**_stateful_parts(data), **(stateful or {})}
    optimizers = [optimizer, *(other for other in everything.values() if isinstance(other, Optimizer))]
    with restore_afterwards(models, optimizer, everything), _pause_schedulers(optimizers):
        sweep = _Sweep(models, optimizer, lambda k: update(argument(k)))
        losses, ended = _run_sweep(sweep, rates, reduce, progress)
    return analyze_sweep(rates[: len(losses)], losses, ended, seed=seed)


def _rates(low: float, high: float, updates: int) -> list[float]:
    first, last = real(low, "low", above=0), real(high, "high", above=0)
    if not first < last:
        raise SchedulerError(f"a sweep rises from low to high, not from {first:g} to {last:g}")
    n = count(updates, "updates", at_least=FEWEST)
    return [first * (last / first) ** (k / (n - 1)) for k in range(n)]


# --- data ---


def _arguments_of(data: Iterable[Any] | Callable[[], Any] | None) -> Callable[[int], Any]:
    """Return a function of k that returns the argument of update k: its number, or the next batch."""
    if data is None:
        return lambda k: k
    if isinstance(data, Iterator):
        raise SchedulerError(
            "data is an iterator, which cannot be rewound: give the loader itself, or a function that returns a batch"
        )
    if callable(data) and not hasattr(data, "__iter__"):
        return _from_function(data)
    if not isinstance(data, Iterable) and not hasattr(data, "__getitem__"):
        raise SchedulerError(f"data is batches, or a function that returns a batch, not {data!r:.60}")
    if isinstance(data, DataLoader) and data.persistent_workers:
        raise SchedulerError(
            "the workers of this loader persist, and cannot be restored: build a second loader for the test"
        )
    batches = _endless(cast("Iterable[Any]", data))
    return lambda k: next(batches)


def _from_function(batch: Callable[[], Any]) -> Callable[[int], Any]:
    try:
        inspect.signature(batch).bind()
    except TypeError as error:
        raise SchedulerError(
            f'data is a function that is called without arguments, and needs some ({error}): lambda: get_batch("train")'
        ) from error
    except ValueError:  # a builtin may have no signature
        pass
    return lambda k: batch()


def _endless(data: Iterable[Any]) -> Iterator[Any]:
    while True:
        batches = 0
        for batches, batch in enumerate(data, 1):  # noqa: B007
            yield batch
        if not batches:
            raise SchedulerError("data has no batch")


def _stateful_parts(data: Any) -> dict[str, Any]:
    """Return the parts of the data that change as it is read: stateful loaders, samplers and random generators."""
    batches = getattr(data, "batch_sampler", None)
    things = {
        "data": data,
        "data's generator": getattr(data, "generator", None),
        "data's batch sampler": batches,
        "data's sampler": getattr(data, "sampler", None),
        "the sampler of data's batches": getattr(batches, "sampler", None),
    }
    return {name: thing for name, thing in things.items() if _is_stateful(thing)}


def _is_stateful(thing: Any) -> bool:
    return isinstance(thing, (Sampler, torch.Generator)) or hasattr(thing, "load_state_dict")


# --- updates ---


def _run_sweep(
    sweep: "_Sweep",
    rates: Sequence[float],
    reduce: Callable[[float], float],
    progress: OnUpdate | None,
) -> tuple[list[float], Ending]:
    """Return the losses of the updates, until one is not finite or they have diverged, and how the sweep ended."""
    losses: list[float] = []
    lowest = math.inf
    for number, rate in enumerate(rates):
        loss = reduce(sweep.update(number, rate))
        if not math.isfinite(loss):
            return losses, "not finite"
        losses.append(loss)
        if progress is not None:
            progress(number, rate, loss)
        recent = median(losses[-3:])
        lowest = min(lowest, recent)
        if recent > lowest + RUNAWAY * (abs(lowest) or abs(losses[0])):
            return losses, "diverged"
    return losses, "swept"


@final
class _Sweep:
    """Makes updates at the rates of a sweep, and checks that each is one update and uses its rate."""

    def __init__(self, models: Sequence[nn.Module], optimizer: Optimizer, update: Callable[[int], Any]) -> None:
        self._models, self._outer, self._update = models, optimizer, update
        self._optimizer = unwrap_optimizer(optimizer)  # a wrapper may have updates of its own kind
        groups = self._optimizer.param_groups
        bases = [float(group["lr"]) for group in groups]
        if not max(bases) > 0:
            raise SchedulerError("every group has the rate 0, and the sweep keeps their ratios: set one above 0")
        self._ratios = [base / max(bases) for base in bases]
        self._written: list[Any] = []
        self._updates = 0
        put_hooks(self._optimizer, self)

    def update(self, number: int, rate: float) -> float:
        """Return the loss of one update; repeat the call if a GradScaler skipped the update."""
        for _ in range(MAX_SKIPS):
            self._updates = 0
            self._write(rate)
            for model in self._models:
                model.train()
            self._outer.zero_grad()
            loss = _number(self._update(number))
            if self._updates == 1 or not math.isfinite(loss):
                return loss
            if self._updates > 1:
                raise SchedulerError(
                    f"update() made {self._updates} updates of the optimizer: make one, from one or more batches"
                )
        raise SchedulerError(f"update() made no update of the optimizer, {MAX_SKIPS} times: call optimizer.step()")

    def _write(self, rate: float) -> None:
        for group, ratio in zip(self._optimizer.param_groups, self._ratios, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio
        self._written = self._read_rates()

    def _read_rates(self) -> list[Any]:
        return [(float(group["lr"]), tensor_version(group["lr"])) for group in self._optimizer.param_groups]

    def before(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Check that the update is at the rate of the sweep: the pre-hook."""
        if len(optimizer.param_groups) != len(self._ratios):
            raise SchedulerError("update() adds a parameter group: add it before the range test")
        if self._read_rates() != self._written:
            raise SchedulerError("update() changes the rate itself: leave schedulers out of a range test")

    def after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Count the update, unless a fused optimizer skipped it: the post-hook."""
        self._updates += was_update(optimizer)


@contextmanager
def _pause_schedulers(optimizers: Iterable[Any]) -> Iterator[None]:
    members = [member for optimizer in optimizers for member in members_of(optimizer)]
    clocks: list[Any] = [clock for member in members for clock in (*clocks_of(member), *recorders_of(member))]
    for clock in clocks:
        clock.pause()
    try:
        yield
    finally:
        for clock in clocks:
            clock.resume()


def _number(loss: Any) -> float:
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return float(loss.detach())
    if isinstance(loss, (int, float)):
        return float(loss)
    raise SchedulerError(f"update() returned {loss!r:.60}: return the loss, a number or a tensor with one element")
