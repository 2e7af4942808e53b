"""What the laws are tried on: rates of every kind that runs have, parameters of laws, and runs that obey a law."""

import math

import numpy as np
from hypothesis import strategies as st

from glidepath import constant, cosine, linear
from glidepath.law import ConvexKernelLaw, FunctionalScalingLaw, MomentumLaw, MultiPowerLaw, NoiseFloorLaw
from glidepath.law.evaluation.formula import Parameters
from glidepath.runs.run import Run

LAWS = [NoiseFloorLaw, FunctionalScalingLaw, MomentumLaw, MultiPowerLaw, ConvexKernelLaw]
PEAK = 3e-4

LEVELS = st.floats(1e-3, 1.0)
LENGTHS = st.integers(1, 100) | st.integers(60, 140)
PARTS = st.one_of(
    st.builds(lambda n, level: np.full(n, level), LENGTHS, LEVELS),
    st.builds(np.zeros, st.integers(1, 20)),
    st.builds(lambda n, a, b: np.linspace(a, b, n), LENGTHS, st.just(0.0) | LEVELS, LEVELS),
    st.builds(lambda n, a, b: b + (a - b) * (1 + np.cos(np.pi * np.arange(n) / n)) / 2, LENGTHS, LEVELS, LEVELS),
    st.builds(lambda n, period: 0.1 + 0.9 * np.abs((np.arange(n) / period) % 2 - 1), LENGTHS, st.integers(1, 50)),
    st.builds(lambda n, each: 0.7 ** (np.arange(n) // each), st.integers(1, 60), st.integers(3, 20)),
)
RATIOS = st.lists(PARTS, min_size=1, max_size=6).map(np.concatenate).filter(lambda ratios: ratios.any())

PARAMETERS = st.builds(
    Parameters,
    limit=st.floats(1.5, 3),
    gap=st.floats(0.2, 2),
    alpha=st.floats(0.2, 1),
    noise=st.floats(0.05, 1),
    rho=st.floats(math.log(1e-3), math.log(0.5)).map(math.exp),
    beta=st.floats(0.3, 3),
    kappa=st.floats(0.3, 1.2),
    q=st.floats(0.4, 1.1),
    gamma=st.floats(0.2, 0.8),
)


def updates_of(ratios, some=(0.2, 0.5, 0.9)):
    """The first update whose loss is known, the one after, some between, and the last."""
    first, last = int(np.flatnonzero(ratios)[0]) + 1, len(ratios)
    between = (first + int(share * (last - first)) for share in some)
    return np.array(sorted({first, min(first + 1, last), *between, last}))


WARM = linear(199, start=0, to=1) >> constant(1)
COSINE = WARM >> cosine(7800, to=0.1)
CONSTANT = WARM >> constant(7800)
TWO_LEVELS = WARM >> constant(3800) >> 0.3 * constant(4000)
WSD = WARM >> constant(6300) >> linear(1500, to=0.05)
LATE_STEP = WARM >> constant(5800) >> 0.1 * constant(2000)
LONG_COSINE = WARM >> cosine(23_800, to=0.1)

USUAL = NoiseFloorLaw(
    PEAK,
    limit=2.6,
    gap=0.9,
    gap_exponent=0.45,
    noise=0.35,
    noise_exponent=0.75,
    relaxation=0.025,
    clock_exponent=0.8,
)


def made(law, plan, *, points=200, noise=0.0, seed=0, name="made", scale=1.0, outliers=0.0):
    """A run that obeys a law but for relative noise; a share of its losses are outliers, 5% or more too high."""
    rates = law.peak * np.asarray(plan(np.arange(plan.duration)), dtype=np.float64)
    updates = np.linspace(plan.duration // points, plan.duration, points).astype(int)
    chance = np.random.default_rng(seed)
    off = noise * chance.standard_normal(points)
    off += (chance.random(points) < outliers) * chance.uniform(0.05, 0.3, points)
    return Run(name, scale * rates, updates, law.predict(rates, updates=updates) * np.exp(off))


def furthest(one, other):
    """The largest relative difference."""
    return float(np.max(np.abs(np.asarray(one) / np.asarray(other) - 1)))
