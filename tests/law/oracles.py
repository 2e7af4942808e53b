"""The laws, written another way than the code: loops over updates, as the papers print them, in absolute rates.

All take the rate of every update 0..T-1, and t, the updates after which the loss is wanted. Before update 0 the rate
is 0, as the code has it. Nothing here is fast, nothing is shared with the code, and sums are `math.fsum`.
"""

import math
from fractions import Fraction
from itertools import pairwise


def area(rates, t, exponent=1.0):
    """The sum of the rates before t, each to a power."""
    return math.fsum(rate**exponent for rate in rates[:t] if rate)


def memory(beta, rho):
    """G(x) = 1 - (1 + rho x / beta)^-beta."""
    return lambda x: 1 - (1 + rho * x / beta) ** -beta


def progress_after(rates, t):
    """S_t - S_k for k = 0..t, summed from the end, where all of it is small."""
    after, found = 0.0, [0.0]
    for rate in reversed(rates[:t]):
        after += rate
        found.append(after)
    return found[::-1]


def noise_floor(
    rates, t, *, peak, limit, gap, gap_exponent, noise, noise_exponent, relaxation, clock_exponent, relaxation_exponent
):
    """The published sum over changes, update by update."""
    ratios = [rate / peak for rate in rates]
    after, grown = progress_after(ratios, t), memory(relaxation_exponent, relaxation)
    floors = [0.0, *(ratio**noise_exponent if ratio else 0.0 for ratio in ratios[:t])]
    risen = [(new - old) * grown(after[k]) for k, (old, new) in enumerate(pairwise(floors)) if new != old]
    return limit + gap * (area(ratios, t, clock_exponent) / 1000) ** -gap_exponent + noise * math.fsum(risen)


def noise_floor_by_parts(
    rates, t, *, peak, limit, gap, gap_exponent, noise, noise_exponent, relaxation, clock_exponent, relaxation_exponent
):
    """The convolution that it comes from: the noise of every stretch of progress, as far as it is not forgotten."""
    ratios = [rate / peak for rate in rates]
    after, grown = progress_after(ratios, t), memory(relaxation_exponent, relaxation)
    put_in = [
        ratio**noise_exponent * (grown(after[k]) - grown(after[k + 1])) for k, ratio in enumerate(ratios[:t]) if ratio
    ]
    return limit + gap * (area(ratios, t, clock_exponent) / 1000) ** -gap_exponent + noise * math.fsum(put_in)


def functional_scaling(rates, t, *, peak, limit, gap, gap_exponent, noise, relaxation, relaxation_exponent):
    """The convolution of the rate with the memory's slope, of which each update holds a stretch."""
    return noise_floor_by_parts(
        rates,
        t,
        peak=peak,
        limit=limit,
        gap=gap,
        gap_exponent=gap_exponent,
        noise=noise,
        noise_exponent=1.0,
        relaxation=relaxation,
        clock_exponent=1.0,
        relaxation_exponent=relaxation_exponent,
    )


def momentum(rates, t, *, peak, L0, A, alpha, C, lambda_):
    """Equation 1 of the paper: the momentum of annealing m_i = lambda m_{i-1} + (eta_{i-1} - eta_i), summed up."""
    before, annealing, areas = 0.0, 0.0, []
    for rate in rates[:t]:
        annealing = lambda_ * annealing + (before - rate)
        before = rate
        areas.append(annealing)
    return L0 + A * area(rates, t) ** -alpha - C * math.fsum(areas)


def multi_power(rates, t, *, peak, L0, A, alpha, B, C, beta, gamma):
    """The sum over falls of the rate, update by update; a rate of 0 waits until something moves."""
    after, before, falls = progress_after(rates, t), 0.0, []
    for k, rate in enumerate(rates[:t]):
        if rate != before:
            left = (1 + C * rate**-gamma * after[k]) ** -beta if rate else float(after[k] == 0)
            falls.append((before - rate) * (1 - left))
            before = rate
    return L0 + A * area(rates, t) ** -alpha - B * math.fsum(falls)


def convex_kernel(rates, t, *, peak, limit, gap, gap_exponent, noise):
    """The bound's noise: an update of rate 0 is none."""
    ratios = [rate / peak for rate in rates[:t] if rate]
    after = progress_after(ratios, len(ratios))
    earlier = [ratio * ratio / after[k + 1] for k, ratio in enumerate(ratios[:-1])]
    return (
        limit
        + gap * (area(ratios, len(ratios)) / 1000) ** -gap_exponent
        + noise / 2 * (ratios[-1] + math.fsum(earlier))
    )


def exact_convex_noise(ratios, t):
    """The same noise in fractions, without any rounding."""
    moved = [Fraction(ratio) for ratio in ratios[:t] if ratio]
    return (moved[-1] + sum(rate**2 / sum(moved[k + 1 :]) for k, rate in enumerate(moved[:-1]))) / 2


def sums(kernel, targets, places, weights, counts, scales=None):
    """Sum over k < counts[i] of w_k K(z_k (t_i - s_k)), pair by pair."""
    scales = [1.0] * len(places) if scales is None else scales
    return [
        math.fsum(weights[k] * kernel(scales[k] * (target - places[k])) for k in range(count))
        for target, count in zip(targets, counts, strict=True)
    ]


def huber_cost(residuals, weights, bend, z, means, deviations):
    """C(z) of the search, term by term."""
    total = []
    for r, w in zip(residuals, weights, strict=True):
        total.append(w * (r * r if abs(r) <= bend else 2 * bend * abs(r) - bend * bend) / 2)
    for one, mean, deviation in zip(z, means, deviations, strict=True):
        if math.isfinite(deviation):
            total.append(((one - mean) / deviation) ** 2 / 2)
    return math.fsum(total)
