"""The metrics that a LightningModule logs while it is evaluated, reduced over an epoch as Lightning does."""

import inspect
from collections.abc import Mapping
from typing import Any, cast, final

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.data import extract_batch_size
from torch import Tensor
from torchmetrics import Metric

from glidepath.errors import TaskError

LOG = inspect.signature(LightningModule.log)


@final
class MetricLog:
    """A replacement of the module's `log` that listens while it is evaluated. Mutable.

    Its `batch` is the one that is evaluated: its size weighs what is logged without a `batch_size`.
    """

    def __init__(self) -> None:
        self.listening = False
        self.batch: Any = None
        self.totals: dict[str, RunningValue | Metric] = {}

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Take a value in the place of `LightningModule.log`."""
        if self.listening:
            options = LOG.bind(None, *args, **kwargs).arguments
            self.note(options["name"], options["value"], options)

    def note(self, name: str, value: Any, options: Mapping[str, Any]) -> None:
        """Count one value in, unless it is logged for its step only."""
        if options.get("on_epoch") is False:
            return
        if isinstance(value, Metric):
            self.totals[name] = value
            return
        total = self.totals.setdefault(name, RunningValue(options.get("reduce_fx", "mean")))
        if isinstance(total, RunningValue):
            total.add(value, self.size(options.get("batch_size")))

    def size(self, batch_size: int | None = None) -> int:
        """Return the size of this batch; 1 where there is none."""
        if batch_size is not None or self.batch is None:
            return batch_size or 1
        size: int = extract_batch_size(self.batch)
        return size

    def values(self) -> dict[str, float]:
        """Return every name's value, in the order in which they were first logged, and forget them."""
        values = {name: float(total.compute()) for name, total in self.totals.items()}
        for total in self.totals.values():
            total.reset()
        self.totals.clear()
        return values


@final
class RunningValue:
    """A mean, sum, minimum or maximum that grows, in float32 as Lightning's. Mutable."""

    def __init__(self, reduction: Any) -> None:
        self.reduction = getattr(reduction, "__name__", str(reduction)).lower().replace("avg", "mean")
        if self.reduction not in ("mean", "sum", "max", "min"):
            raise TaskError(f"a metric is reduced by mean, sum, max or min, not by {reduction!r}")
        self.value: Tensor | None = None
        self.size = 0

    def add(self, value: Any, size: int) -> None:
        """Count a value in, of a batch of `size` samples."""
        new = torch.as_tensor(value).detach().squeeze()
        new = new if new.dtype == torch.float64 else new.float()
        self.size += size
        counted = new * size if self.reduction == "mean" else new
        join = {"max": torch.maximum, "min": torch.minimum}.get(self.reduction, torch.add)
        self.value = counted if self.value is None else join(self.value, counted)

    def compute(self) -> Tensor:
        """Return its value, once there was one to count in."""
        value = cast(Tensor, self.value)
        return value / self.size if self.reduction == "mean" else value

    def reset(self) -> None:
        """Begin again."""
        self.value, self.size = None, 0
