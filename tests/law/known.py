"""A law of each kind with ordinary parameters, and runs that it would leave."""

import numpy as np

from glidepath import Schedule
from glidepath.law import (
    ConvexKernelLaw,
    FunctionalScalingLaw,
    Law,
    MomentumLaw,
    MultiPowerLaw,
    NoiseFloorLaw,
)
from glidepath.runs.run import Run

PEAK = 3e-4
NOISE_FLOOR = NoiseFloorLaw(PEAK, 2.6, 0.9, 0.5, 0.3, 0.65, 0.02, 0.75)
LAWS: tuple[Law, ...] = (
    NOISE_FLOOR,
    FunctionalScalingLaw(PEAK, 2.6, 0.9, 0.5, 0.3, 0.02, 0.8),
    MultiPowerLaw(PEAK, 2.6, 0.5, 0.5, 400.0, 1.1, 0.55, 0.5),
    MomentumLaw(PEAK, 2.6, 0.5, 0.5, 1.0, 0.997),
    ConvexKernelLaw(PEAK, 2.6, 0.9, 0.5, 0.03),
)
NAMES = [type(law).__name__ for law in LAWS]


def run(
    name: str, plan: Schedule, steps: int, law: Law = NOISE_FLOOR, noise: float = 0.0, every: int = 50, seed: int = 0
) -> Run:
    """What training would log, if the law were true: a loss every so many updates, a little noisy."""
    rates = law.peak * np.asarray(plan.over(steps)(np.arange(steps)))
    updates = np.arange(every, steps + 1, every)
    factors = np.exp(noise * np.random.default_rng(seed).normal(size=len(updates)))
    return Run(name, rates, updates, law.predict(rates, updates=updates) * factors)
