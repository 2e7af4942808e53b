"""The rates that a run logged: what is compared with a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from glidepath.errors import Place, RunError

from ..run import check_each_rate


@final
@dataclass(frozen=True)
class Rates:
    """The rates that a run logged.

    Args:
        name: of the run.
        steps: the indices of the updates that used them, ascending, from 0.
        rates: absolute, from 0 to 100, as many.
        horizon: the updates that the run was made for, if the log says it.

    Raises:
        RunError: if any of this does not hold.
    """

    name: str
    steps: Sequence[int]
    rates: Sequence[float]
    horizon: int | None = None

    def __post_init__(self) -> None:
        steps, rates = np.asarray(self.steps), np.asarray(self.rates, dtype=np.float64)
        if not len(steps) or len(steps) != len(rates):
            problem = f"{len(steps)} steps and {len(rates)} rates; each rate has a step of its own"
            raise RunError(problem, place=self.name)
        if steps[0] < 0 or not (np.diff(steps) > 0).all():
            raise RunError("the steps of rates ascend from 0, each of them once", place=self.name)
        if self.horizon is not None and self.horizon < 1:
            raise RunError(f"a run is made for at least one update, not {self.horizon}", place=self.name)
        check_each_rate(rates, steps, lambda _: Place(self.name))
