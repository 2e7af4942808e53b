"""A schedule refined by the gradient norms of a run: high where gradients are small, and falling towards the end.

The theory behind `convex` also says which decay suits gradient norms that are known. With G_t the norms of a run of T
updates, smoothed by a running median, and w_t = G_t^-2 (SGD) or G_t^-1 (Adam),

    eta_t = w_t sum_{p>t} w_p / max_s (w_s sum_{p>s} w_p)

For equal norms it is the linear decay; norms that fall at first give a warmup, norms that rise at last a faster fall.
The paper's sum ends with update T, whose rate is then 0. Here it ends with an update T + 1 of the same norm as the
last, so that no update is wasted and equal norms give linear(T) itself.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import median_filter

from glidepath.core.schedule import Schedule
from glidepath.core.syntax import MAX_LENGTH
from glidepath.errors import LawError
from glidepath.law.designing.knots import knots
from glidepath.law.evaluation.fast_sum import FloatArray
from glidepath.law.evaluation.running_sums import sums_after
from glidepath.recipes import piecewise_linear

from .convex import as_positive

POWERS = {"sgd": 2, "adam": 1}


def refine_schedule(
    gradient_norms: ArrayLike, *, optimizer: Literal["sgd", "adam"], smoothing: float = 0.1, tolerance: float = 1e-3
) -> Schedule:
    """Return the refined schedule of a run, from its logged gradient norms, as straight lines between a few knots.

    The lines meet the formula at the first update, at the peak of 1 and at the last update, which may be far below the
    tolerance. A table of every value would be too long to be stored as text from about 5,000 updates on; knots can be
    read and moved. The plan is as long as the run; its peak is to be tuned.

    Args:
        gradient_norms: (T,), above 0, of the gradient of each update before it is clipped: Euclidean (L2) norms for
            "sgd", sums of absolute values (L1) for "adam".
        optimizer: "sgd", or "adam" for all that divide each coordinate by the size of its gradients.
        smoothing: width of the median filter as a share of T, from 0 (none) to 1.
        tolerance: how far the lines may be from the formula, as a share of the peak, above 0.

    Raises:
        LawError: if a norm is not finite and above 0, there are fewer than two, another argument is out of its range,
            or the smoothed norms are so rough that the plan's text would be too long to be read back.

    Examples:
        >>> refine_schedule([2.0] * 100, optimizer="sgd")
        linear(99, to=0.01)

    Sources:
        Defazio et al., 2023, schedule refinement, https://arxiv.org/abs/2310.07831; how the ends are padded is taken
        from the programs published with it.
    """
    norms = as_positive(gradient_norms, "gradient_norms")
    if len(norms) < 2:
        raise LawError("gradient_norms: one number is not a run; give the norm of every update")
    if optimizer not in POWERS:
        raise LawError(f'optimizer is "sgd" or "adam", not {optimizer!r}')
    rates = rates_from_norms(smooth(norms, smoothing), POWERS[optimizer])
    places = _with_peak(rates, tolerance)
    plan = piecewise_linear([(k, float(rates[k])) for k in places])
    if len(repr(plan)) > MAX_LENGTH:
        raise LawError(
            f"the norms are so rough that {len(places)} knots are needed, more than a plan's text can hold: "
            f"raise the smoothing ({smoothing:g}) or the tolerance ({tolerance:g})"
        )
    return plan


def smooth(norms: FloatArray, share: float) -> FloatArray:
    """Return the running median (T,) of norms over a share of them: the first repeated before, mirrored at the end."""
    if not 0 <= share <= 1:
        raise LawError(f"smoothing is a share of the run, from 0 to 1, not {share!r}")
    half = int(share * len(norms)) // 2
    mirrored = np.pad(norms, (0, half), mode="reflect")
    medians: FloatArray = median_filter(mirrored, size=2 * half + 1, mode="nearest")[: len(norms)]
    return medians


def rates_from_norms(norms: FloatArray, power: int) -> FloatArray:
    """Compute the formula for smoothed norms, (T,)."""
    weights = (norms.min() / norms) ** power
    rates: FloatArray = weights * (sums_after(weights) + weights[-1])
    return rates / float(rates.max())


def _with_peak(values: FloatArray, tolerance: float) -> list[int]:
    if not tolerance > 0:
        raise LawError(f"tolerance is a share of the peak, above 0, not {tolerance!r}")
    peak = int(np.argmax(values))
    return [*knots(values[: peak + 1], tolerance), *(peak + k for k in knots(values[peak:], tolerance)[1:])]
