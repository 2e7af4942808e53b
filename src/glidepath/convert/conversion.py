"""The result of reading a schedule of another library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, final

from glidepath.core.schedule import Schedule
from glidepath.errors import ConvertError

if TYPE_CHECKING:
    from glidepath.torch import Scheduler


@final
@dataclass(frozen=True)
class Conversion:
    """A schedule that was read: update k of parameter group i uses `bases[i] * schedules[i](k)`.

    Args:
        source: the library and what it calls the schedule, as in "torch CosineAnnealingLR".
        schedules: one for each parameter group; a single one where the library knows no groups.
        bases: what each is a ratio of: the group's own rate; 1.0 where the library's values are rates already.
        quirks: what the source does that people do not expect, and that was kept; each a sentence.
        others: schedules of other hyperparameters by name, as OneCycleLR drives the momentum: values as they are
            (`Set` in the scheduler), one for each group.
        shares: whether the values are shares of a rate that the source does not know; its base of 1.0 is then no rate.
        position: steps that the source has already made; the schedules begin at step 0 all the same.
        updates: updates that its optimizer has made, by the optimizer's own count; None if it keeps none. Where this is
            not the position, a step is an epoch or a batch, and not an update.

    Examples:
        >>> read = Conversion("torch StepLR", (step(every=30),), (0.1,))
        >>> read.schedule, read.rate(30)
        (step(every=30), 0.010000000000000002)
    """

    source: str
    schedules: tuple[Schedule, ...]
    bases: tuple[float, ...] = (1.0,)
    quirks: tuple[str, ...] = ()
    others: Mapping[str, tuple[Schedule, ...]] = field(default_factory=dict)
    position: int = 0
    shares: bool = False
    updates: int | None = None

    @property
    def schedule(self) -> Schedule:
        """Return the one schedule of every group.

        Raises:
            ConvertError: if the groups have different ones.
        """
        if len(set(self.schedules)) > 1:
            raise ConvertError(
                f"{self.source} is a different schedule in each group: take them from `schedules`, one for each group"
            )
        return self.schedules[0]

    def rate(self, step: int, group: int = 0) -> float:
        """Return the rate that update `step` of a group uses."""
        return self.bases[group] * float(self.schedules[group](step))

    def attach(self, optimizer: Any, **options: Any) -> "Scheduler":
        """Build a `glidepath.torch.Scheduler` that goes on where the source stands, from the same base rates.

        Args:
            optimizer: the one that the source scheduled, or one with as many groups.
            **options: for the scheduler, as `horizon=`; `position=` begins elsewhere.

        Raises:
            ConvertError: if the steps of the source are not updates, or its groups are not those of the optimizer.

        Examples:
            >>> import torch
            >>> from glidepath.convert import read
            >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            >>> theirs = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30)
            >>> read(theirs).attach(optimizer)
            Scheduler(lr=step(every=30), position=0)
        """
        scheduler: Scheduler = import_module(".attachment", __package__).attach(self, optimizer, **options)
        return scheduler
