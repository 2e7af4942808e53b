"""What every law is: some letters with names, fitted at one peak, from which the loss of any schedule follows."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.errors import LawError
from glidepath.core.schedule import Schedule
from glidepath.law.evaluation.cells import Cells
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.formula import Letter, Letters, Noise, losses
from glidepath.law.evaluation.rates import checked_rates, counts, ratios_of
from glidepath.law.evaluation.timeline import Clock, History, Timeline

AT_A_TIME = 1000  # losses, so that what is held stays small
LONG = 25_000  # updates of the runs that the priors come from
NEARLY_ZERO = 1e-300  # a rate whose logarithm and inverse exist


@final
@dataclass(frozen=True)
class Free:
    """A letter that a fit may choose, as the number that it searches.

    Args:
        letter: which.
        log: whether the search is over its logarithm.
        mean: where the search begins, and the mean of the prior; a logarithm if `log`.
        deviation: of the prior; infinite: none.
        hurried: whether it is per update, and larger in runs shorter than 25,000 updates: those are of small models,
            where everything happens sooner.
    """

    letter: Letter
    log: bool = False
    mean: float = 0.0
    deviation: float = np.inf
    hurried: bool = False

    def mean_over(self, steps: int) -> float:
        """The mean, where the longest run has so many updates."""
        return self.mean + (np.log(max(1.0, LONG / steps)) if self.hurried else 0.0)

    def value(self, z: float) -> float:
        """The letter."""
        return float(np.exp(z)) if self.log else float(z)


# the letters that every law has; language models have exponents alpha near 0.5
ALWAYS_FREE = (
    Free("limit"),
    Free("gap", log=True),
    Free("alpha", log=True, mean=math.log(0.5), deviation=0.2),
    Free("noise", log=True),
)


class Law(ABC):
    """A law of the loss."""

    FREE: ClassVar[tuple[Free, ...]]
    FIXED: ClassVar[Letters] = Letters(limit=1.0, gap=1.0, alpha=0.5, noise=0.3)  # what a fit leaves as it is
    CLOCK: ClassVar[Clock | None] = "progress"  # along which the noise follows; None: it is the convex bound's
    peak: float

    @classmethod
    @abstractmethod
    def from_letters(cls, peak: float, letters: Letters) -> Self:
        """The law with these letters of the formula."""

    @abstractmethod
    def letters(self) -> Letters:
        """The letters of the formula."""

    @classmethod
    @abstractmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        """The law's noise on a run."""

    def predict(
        self, plan: Schedule | ArrayLike, steps: int | None = None, *, updates: ArrayLike | None = None
    ) -> FloatArray:
        """The loss that a run under a schedule would have.

        Args:
            plan: a schedule, whose values are ratios of the law's peak, or the absolute rate of every update.
            steps: updates of the run; None: as many as the schedule lasts, or as there are rates.
            updates: (m,), ascending: after how many updates; None: after each, from the first with a rate above 0.

        Returns:
            (m,): the losses.

        Raises:
            LawError: if the plan has no length, is absolute, or moves nothing before a loss that is wanted.
        """
        ratios = ratios_of(plan, self.peak, steps)
        first = int(np.flatnonzero(ratios)[0]) + 1
        wanted = np.arange(first, len(ratios) + 1) if updates is None else counts(updates)
        return self.losses(ratios, wanted)

    def losses(self, ratios: FloatArray, updates: IntArray) -> FloatArray:
        """(m,): the losses after some updates of a run with these rates over the peak."""
        whole = self.timeline(ratios, updates)
        parts = np.array_split(updates, max(1, -(-len(updates) // AT_A_TIME)))
        return np.concatenate([self._losses(Timeline(whole.history, part)) for part in parts])

    def timeline(self, ratios: FloatArray, updates: IntArray) -> Timeline:
        """A run of these rates over the peak, looked at after some updates.

        Raises:
            LawError: if a loss is wanted where none is known.
        """
        history = History(checked_rates(ratios))
        first = int(np.flatnonzero(ratios)[0]) + 1
        if not len(updates) or (np.diff(updates) <= 0).any() or not first <= updates[0] <= updates[-1] <= len(ratios):
            raise LawError(
                f"the loss of this run is known after {first} to {len(ratios)} updates: ask for ascending numbers from "
                f"there, not {np.asarray(updates)}"
            )
        return Timeline(history, updates)

    def final_loss(self, plan: Schedule | ArrayLike, steps: int | None = None) -> float:
        """The loss at the end of a run, as the last of `predict`, at once."""
        history = History(ratios_of(plan, self.peak, steps))
        lengths = np.diff(history.changes, append=len(history.ratios)).astype(np.float64)
        return Cells(self.letters(), self.CLOCK, lengths).loss(np.maximum(history.levels, NEARLY_ZERO))[0]

    def _losses(self, timeline: Timeline) -> FloatArray:
        return losses(timeline, self.noise_of(timeline), self.letters())[0]
