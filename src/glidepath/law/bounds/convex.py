"""The bound of convex theory on the loss at the end of a schedule, before any run.

For a convex loss f whose stochastic subgradients have norms of at most G_t, started at a distance D from its minimum,
SGD, x_{t+1} = x_t - eta_t g_t, keeps E f(x_T) - f* below

    Omega_T = D^2 / (2 sum_{s<=T} eta_s) + 1/2 (eta_T G_T^2 + sum_{k<T} eta_k^2 G_k^2 / sum_{k<s<=T} eta_s)

The first part is what the distance still costs, the second what the noise of the steps costs. The papers write the
second as fractions of two sums each; partial fractions and a summation by parts turn them into this one, in which
every term is positive and nothing cancels. Omega_T bounds the loss that update T starts from. A last rate of zero has
no bound; Glidepath's own decays to zero end one step above it: linear(T) at 1/T.

This is a worst case: it ranks schedules whose peaks are tuned, and predicts no loss. For a schedule made from the
gradient norms of a run see `refine_schedule`.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from glidepath.core.checks import count
from glidepath.core.schedule import Schedule
from glidepath.errors import LawError
from glidepath.law.evaluation.convex_noise import over_progress
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.running_sums import sums_after, sums_before


def bound(rates: ArrayLike, *, distance: float = 1.0, gradient_norms: ArrayLike = 1.0) -> float:
    """Compute the bound Omega_T at the end of some rates, T = len(rates), exact but for rounding, in O(T).

    Args:
        rates: (T,), the rate of each update, absolute or relative to a peak, above 0.
        distance: D, from the start to the minimum, above 0.
        gradient_norms: G, above 0: one for all updates, or (T,).

    Raises:
        LawError: if a number is not finite and above 0, or the lengths differ.

    Examples:
        >>> bound([1.0, 1.0])  # 1 / (2 * 2) + (1 + 1 / 1) / 2
        1.25

    Sources:
        Defazio et al., 2023, theorem 10, https://arxiv.org/abs/2310.07831.
        Schaipp et al., 2025, theorem 1, https://arxiv.org/abs/2501.18965.
    """
    return sum(_parts(rates, distance, gradient_norms))


def best_scale(rates: ArrayLike, *, distance: float = 1.0, gradient_norms: ArrayLike = 1.0) -> float:
    """Compute the factor on all rates that makes their bound least.

    Rates c eta have the bound a / c + b c, a and b being the two parts at c = 1: least at c = sqrt(a / b).

    Args:
        rates: (T,), above 0; if their peak is 1, the factor is the best peak.
        distance: D, above 0; the factor is proportional to it.
        gradient_norms: G, above 0: one for all updates, or (T,); the factor is inversely proportional to it.

    Raises:
        LawError: as `bound`.

    Examples:
        >>> best_scale([1.0, 1.0]), best_scale([2.0, 2.0])
        (0.5, 0.25)
    """
    parts = _parts(rates, distance, gradient_norms)
    return math.sqrt(parts.distance) / math.sqrt(parts.noise)


def best_bound(rates: ArrayLike, *, distance: float = 1.0, gradient_norms: ArrayLike = 1.0) -> float:
    """Compute the bound at the best scale of some rates: 2 sqrt(a b), a and b as in `best_scale`.

    Args:
        rates: (T,), above 0; a common factor changes nothing.
        distance: D, above 0; the bound is proportional to it.
        gradient_norms: G, above 0: one for all updates, or (T,); the bound is proportional to it.

    Raises:
        LawError: as `bound`.

    Examples:
        >>> best_bound([1.0, 1.0]), bound([0.5, 0.5])
        (1.0, 1.0)
    """
    parts = _parts(rates, distance, gradient_norms)
    return 2 * math.sqrt(parts.distance) * math.sqrt(parts.noise)


def bound_gradient(rates: ArrayLike, *, distance: float = 1.0, gradient_norms: ArrayLike = 1.0) -> FloatArray:
    """Compute how the bound changes with each rate: the derivatives of Omega_T, (T,), in O(T).

    With A_k the sum of the rates after update k, for i < T

        dOmega_T / d eta_i = -D^2 / (2 A_0^2) + eta_i G_i^2 / A_i - 1/2 sum_{k<i} (eta_k G_k / A_k)^2

    and for i = T the same with G_T^2 / 2 in the middle.

    Args:
        rates: (T,), above 0.
        distance: D, above 0.
        gradient_norms: G, above 0: one for all updates, or (T,).

    Raises:
        LawError: as `bound`.

    Examples:
        >>> bound_gradient([1.0, 1.0])
        array([ 0.875, -0.125])
    """
    values, start, norms = _check_arguments(rates, distance, gradient_norms)
    after = sums_after(values)
    total = after[0] + values[0]
    after[-1] = values[-1]
    ratios = values * norms / after
    earlier = sums_before(ratios * ratios)
    earlier[-1] += ratios[-1] ** 2  # the last rate is in its own denominator
    gradient: FloatArray = norms * ratios - (start / total) ** 2 / 2 - earlier / 2
    return gradient


def bound_curve(rates: ArrayLike, *, distance: float = 1.0, gradient_norms: ArrayLike = 1.0) -> FloatArray:
    """Compute the bound at every horizon: Omega_1 to Omega_T of some rates, to 1e-9 of each, in O(T log T).

    The sums over k < t are fast sums of the kernel 1 / x over how much rate has passed. So that its differences keep
    their digits, it is counted from the start up to the highest rate, and backwards from the end after it: the tiny
    rates of a warmup and of a decay are then near zero, where floats are dense. Only where a rate falls at once to a
    share f of itself, and a later one is high again, is the error larger: 1e-16 T / f just after the fall.

    Args:
        rates: (T,), above 0.
        distance: D, above 0.
        gradient_norms: G, above 0: one for all updates, or (T,).

    Raises:
        LawError: as `bound`.

    Examples:
        >>> bound_curve([1.0, 1.0])
        array([1.  , 1.25])
    """
    values, start, norms = _check_arguments(rates, distance, gradient_norms)
    weights = (values * norms) ** 2
    passed = sums_before(values) + values
    noise = over_progress(values, weights, np.arange(len(values)))
    curve: FloatArray = (start * (start / passed) + weights / values + noise) / 2
    return curve


def rank_by_bound(schedules: Mapping[str, Schedule], steps: int) -> list[tuple[str, float]]:
    """Rank schedules by their bound, each with its rates at their own best scale, the lowest first.

    At the best scale the bound is D G times a number of the shape alone, so the order needs neither; that number is
    returned. Schedules with another peak are ranked as if it were tuned.

    Args:
        schedules: by name; drafts are resolved over `steps`.
        steps: the horizon of all of them, at least 1.

    Raises:
        LawError: if a schedule has a value below `steps` that is not finite and above 0.

    Examples:
        >>> ranking = rank_by_bound({"constant": constant(), "linear": linear("100%")}, 1000)
        >>> [(name, round(value, 3)) for name, value in ranking]
        [('linear', 0.063), ('constant', 0.092)]
    """
    bounds = [(name, best_bound(_values(plan, steps, f"{name!r}"))) for name, plan in schedules.items()]
    return sorted(bounds, key=lambda pair: pair[1])


def peak_transfer(from_: Schedule, to: Schedule, steps: int) -> float:
    """Compute how many times the best peak of one schedule is that of another, at one horizon.

    Multiply the peak that was tuned under `from_` by it. Measured against tuned runs it is within about 20%, but for a
    cosine to 10%, where it says 0.82 and runs say 0.63 of a cosine to zero. It takes one horizon on purpose: across
    horizons the bound's best peak falls as T^-0.5, and that of real runs about as T^-0.1.

    Args:
        from_: the schedule whose best peak is known.
        to: the one whose best peak is wanted.
        steps: the horizon of both, at least 1.

    Raises:
        LawError: as `rank_by_bound`.

    Examples:
        >>> round(peak_transfer(cosine(10_000), wsd(10_000, warmup=0, cooldown=2_000), 10_000), 2)
        0.53
    """
    before, after = _values(from_, steps, "the first schedule"), _values(to, steps, "the second schedule")
    return best_scale(after / after.max()) / best_scale(before / before.max())


class _Parts(NamedTuple):
    """The two parts of a bound: what the distance costs and what the noise costs."""

    distance: float
    noise: float


def _parts(rates: ArrayLike, distance: float, gradient_norms: ArrayLike) -> _Parts:
    values, start, norms = _check_arguments(rates, distance, gradient_norms)
    after = sums_after(values)
    total = after[0] + values[0]
    after[-1] = values[-1]
    steps = values * norms
    noise = np.divide(steps, after, out=after)  # in place: new memory costs more here than arithmetic
    noise *= steps
    return _Parts(float(start * (start / total)) / 2, float(noise.sum()) / 2)


def _values(plan: Schedule, steps: int, name: str) -> FloatArray:
    """Return the values of a schedule up to a horizon."""
    if not isinstance(plan, Schedule):
        raise LawError(f"{name} is a schedule, as in glidepath.cosine(1000), not {plan!r}")
    horizon = count(steps, "the horizon", at_least=1)
    return as_positive(plan.over(horizon)(np.arange(horizon)), name)


def _check_arguments(
    rates: ArrayLike, distance: float, gradient_norms: ArrayLike
) -> tuple[FloatArray, float, FloatArray]:
    """Return the arguments of a bound as numbers above 0; the norms as (1,) or (T,)."""
    values, norms = as_positive(rates, "rates"), as_positive(gradient_norms, "gradient_norms")
    if len(norms) not in (1, len(values)):
        raise LawError(f"{len(values)} rates need as many gradient_norms, or one for all, not {len(norms)}")
    start = as_positive(distance, "distance")
    if len(start) != 1:
        raise LawError(f"distance is one number, not {len(start)}")
    return values, float(start[0]), norms


def as_positive(values: ArrayLike, name: str) -> FloatArray:
    """Return one or more numbers, each finite and above 0, as an array of floats.

    Raises:
        LawError: if one is not; the message says which, and what to do.
    """
    try:
        numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise LawError(f"{name}: numbers are needed, not {values!r}") from None
    if numbers.ndim != 1 or not len(numbers):
        raise LawError(f"{name}: a list of numbers is needed, one for each update, not the shape {numbers.shape}")
    if not (numbers.min() > 0 and numbers.max() < math.inf):
        raise LawError(f"{name}: {_fault(numbers)}")
    return numbers


def _fault(numbers: FloatArray) -> str:
    """Return what is wrong with the first number that is not finite and above 0, and what to do about a zero."""
    place = int(np.argmin((numbers > 0) & (numbers < math.inf)))
    if len(numbers) == 1:
        return f"it must be finite and above 0, not {numbers[0]:g}"
    fault = f"all must be finite and above 0, and that of update {place} is {numbers[place]:g}"
    if numbers[place] != 0:
        return fault
    if not numbers[place:].any():
        return f"{fault}: nothing is bounded that ends at 0; end one update before, [:{place}], or above 0"
    return f"{fault}: an update at 0 moves nothing; leave it out"
