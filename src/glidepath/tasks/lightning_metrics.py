"""What a LightningModule logs while it is evaluated, reduced as Lightning reduces it over an epoch."""

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
class Logged:
    """Takes the place of the module's `log`, and listens while it is evaluated. Mutable.

    Its `batch` is the one that is evaluated: its size weighs what is logged without a `batch_size`.
    """

    def __init__(self) -> None:
        self.listening = False
        self.batch: Any = None
        self.found: dict[str, Total | Metric] = {}

    def log(self, *args: Any, **kwargs: Any) -> None:
        """In the place of `LightningModule.log`."""
        if self.listening:
            given = LOG.bind(None, *args, **kwargs).arguments
            self.note(given["name"], given["value"], given)

    def note(self, name: str, value: Any, given: Mapping[str, Any]) -> None:
        """Count one value in, unless it is logged for its step only."""
        if given.get("on_epoch") is False:
            return
        if isinstance(value, Metric):
            self.found[name] = value
            return
        total = self.found.setdefault(name, Total(given.get("reduce_fx", "mean")))
        if isinstance(total, Total):
            total.add(value, self.size(given.get("batch_size")))

    def size(self, given: int | None = None) -> int:
        """Of this batch; 1 where there is none."""
        if given is not None or self.batch is None:
            return given or 1
        found: int = extract_batch_size(self.batch)
        return found

    def values(self) -> dict[str, float]:
        """Every name's value, in the order in which they were first logged; and forget them."""
        values = {name: float(total.compute()) for name, total in self.found.items()}
        for total in self.found.values():
            total.reset()
        self.found.clear()
        return values


@final
class Total:
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
        """What it has come to, once a value was counted in."""
        value = cast(Tensor, self.value)
        return value / self.size if self.reduction == "mean" else value

    def reset(self) -> None:
        """Begin anew."""
        self.value, self.size = None, 0
