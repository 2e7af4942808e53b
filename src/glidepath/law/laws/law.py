"""What every law is: parameters with names, fitted at one peak, from which the loss of any schedule follows."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.schedule import Schedule
from glidepath.errors import LawError
from glidepath.law.evaluation.cells import Cells, cells_of
from glidepath.law.evaluation.fast_sum import FloatArray, IntArray
from glidepath.law.evaluation.formula import Noise, ParameterName, Parameters, progress_loss
from glidepath.law.evaluation.rates import Length, as_counts, check_rates, ratios_of
from glidepath.law.evaluation.timeline import Clock, History, Timeline

LONG = 25_000  # updates of the runs that the priors come from
NEARLY_ZERO = 1e-300  # a rate whose logarithm and inverse exist


@final
@dataclass(frozen=True)
class FreeParameter:
    """A parameter that a fit may choose, and the prior on the number that is searched.

    Args:
        name: of the parameter in the formula.
        log: whether its logarithm is searched instead of its value.
        prior_mean: the mean of the prior, where the search begins; a logarithm if `log`.
        prior_std: the standard deviation of the prior; infinite for no prior.
        per_update: whether it is a speed per update. In runs shorter than 25,000 updates its prior mean is higher:
            those are of small models, where everything happens sooner.
    """

    name: ParameterName
    log: bool = False
    prior_mean: float = 0.0
    prior_std: float = np.inf
    per_update: bool = False

    def prior_mean_over(self, steps: int) -> float:
        """Return the mean of the prior where the longest run has so many updates."""
        return self.prior_mean + (np.log(max(1.0, LONG / steps)) if self.per_update else 0.0)

    def value(self, z: float) -> float:
        """Return the parameter at a point z of the search."""
        return float(np.exp(z)) if self.log else float(z)


# the parameters that every law has, in units of the least loss; language models have exponents alpha near 0.5
ALWAYS_FREE = (
    FreeParameter("limit", prior_mean=0.8),
    FreeParameter("gap", log=True, prior_mean=math.log(0.3), prior_std=3.0),
    FreeParameter("alpha", log=True, prior_mean=math.log(0.5), prior_std=0.2),
    FreeParameter("noise", log=True, prior_mean=math.log(0.1), prior_std=3.0),
)


class Law(ABC):
    """A law of the loss.

    Attributes:
        NAME: of the law, as `glidepath fit --law` and `LAWS` have it.
        FREE: the parameters that a fit chooses.
        FIXED: the parameters of the formula before a fit chooses the free ones.
        CLOCK: along which the noise follows the rate; None for the noise of the convex bound.
    """

    NAME: ClassVar[str]
    FREE: ClassVar[tuple[FreeParameter, ...]]
    FIXED: ClassVar[Parameters] = Parameters(limit=1.0, gap=1.0, alpha=0.5, noise=0.3)
    CLOCK: ClassVar[Clock | None] = "progress"
    peak: float

    @classmethod
    @abstractmethod
    def from_parameters(cls, peak: float, parameters: Parameters) -> Self:
        """Return the law with these parameters of the formula."""

    @property
    @abstractmethod
    def parameters(self) -> Parameters:
        """Return the parameters of the formula."""

    @classmethod
    @abstractmethod
    def noise_of(cls, timeline: Timeline) -> Noise:
        """Return the law's noise on a run."""

    def __post_init__(self) -> None:
        """Check that the parameters are numbers that the formula allows.

        Raises:
            LawError: naming the law's field or the formula's parameter.
        """
        invalid = [name for name, value in vars(self).items() if not isinstance(value, (int, float)) or value != value]
        if invalid or not 0 < self.peak < np.inf:
            name = invalid[0] if invalid else "peak"
            raise LawError(f"{name} of a {type(self).__name__} is a finite number, and a peak is above 0: {self!r}")
        try:
            parameters = self.parameters
        except (ZeroDivisionError, ValueError, OverflowError) as error:
            raise LawError(f"{self!r} has parameters outside their ranges: {error}") from None
        exponents = parameters.gap > 0 < parameters.alpha and parameters.rho > 0 < parameters.beta
        if not (exponents and parameters.noise >= 0):
            raise LawError(f"{self!r}: A, alpha, rho (or C) and beta are above 0, the noise B is at least 0")

    def predict(
        self, plan: Schedule | ArrayLike, steps: Length = None, *, updates: ArrayLike | None = None
    ) -> FloatArray:
        """Predict the loss of a run under a schedule.

        Args:
            plan: a schedule, whose values are ratios of the law's peak, or the absolute rate of every update.
            steps: updates of the run, also "10k"; None: as many as the schedule lasts, or as there are rates.
            updates: (m,), ascending: after how many updates; None: after each, from the first with a rate above 0.

        Returns:
            (m,): the losses.

        Raises:
            LawError: if the plan has no length, is absolute, or moves nothing before a loss that is wanted.
        """
        ratios = ratios_of(plan, self.peak, steps)
        first = int(np.flatnonzero(ratios)[0]) + 1
        wanted = np.arange(first, len(ratios) + 1) if updates is None else as_counts(updates)
        return self.losses(ratios, wanted)

    def losses(self, ratios: FloatArray, updates: IntArray) -> FloatArray:
        """Compute the losses (m,) after some updates of a run with these rates over the peak."""
        timeline, parameters = self.timeline(ratios, updates), self.parameters
        progress, _ = timeline.sum_powers(parameters.q)
        return progress_loss(progress, parameters) + parameters.noise * self.noise_of(timeline).size(parameters)

    def timeline(self, ratios: FloatArray, updates: IntArray) -> Timeline:
        """Build the timeline of a run with these rates over the peak, with losses wanted after some updates.

        Raises:
            LawError: if a loss is wanted where the law has none.
        """
        history = History(check_rates(ratios))
        first = int(np.flatnonzero(ratios)[0]) + 1
        if not len(updates) or (np.diff(updates) <= 0).any() or not first <= updates[0] <= updates[-1] <= len(ratios):
            raise LawError(
                f"the loss of this run is known after {first} to {len(ratios)} updates: ask for ascending numbers from "
                f"there, not {np.asarray(updates)}"
            )
        return Timeline(history, updates)

    def final_loss(self, plan: Schedule | ArrayLike, steps: Length = None) -> float:
        """Predict the loss at the end of a run: the last of `predict`, in O(changes of the rate)."""
        history = History(ratios_of(plan, self.peak, steps))
        levels, lengths = cells_of(history, moving=self.CLOCK is None)
        return Cells(self.parameters, self.CLOCK, lengths).loss(np.maximum(levels, NEARLY_ZERO))[0]
