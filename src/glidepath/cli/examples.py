"""An example of every recipe, for the curves of `recipes` and the figures of `gallery`."""

from glidepath.core.schedule import Draft, Schedule
from glidepath.parser import parse

STEPS = 1000  # for an example that has no length of its own

EXAMPLES = {
    "warmup": "warmup(10%) >> constant()",
    "constant": "constant()",
    "linear": "linear(100%)",
    "cosine": "cosine(100%)",
    "polynomial": "polynomial(100%, power=2)",
    "one_minus_sqrt": "constant(80%) >> one_minus_sqrt(20%)",
    "one_minus_power": "constant(60%) >> one_minus_power(40%, power=2)",
    "geometric": "geometric(100%, to=0.01)",
    "normalized_exponential": "normalized_exponential(100%, ratio=0.1)",
    "inverse_linear": "inverse_linear(100%, to=0.05)",
    "rex": "rex(100%)",
    "tanh": "tanh(100%)",
    "cosine_waves": "cosine_waves(100%, waves=2.5)",
    "chebyshev": "chebyshev(64, curvature_ratio=0.05)",
    "exponential": "exponential(every=200, factor=0.5)",
    "step": "step(every=200, factor=0.5)",
    "multistep": "multistep([300, 800], factor=[0.1, 0.5])",
    "inverse_time": "inverse_time(every=100, rate=0.5)",
    "inverse_power": "inverse_power(50, power=0.5)",
    "inverse_sqrt": "inverse_sqrt(warmup=100)",
    "noam": "noam(model_width=512, warmup=200)",
    "power_law": "power_law(peak=0.1, batch_size=128, tokens_per_step=524288)",
    "formula": "formula('exp(-step / 300) * (1 + 0.3 * sin(step / 20))')",
    "table": "table([0.2, 0.6, 1, 0.9, 0.5, 0.45, 0.4, 0.2, 0.1, 0.05])",
    "noise": "noise(seed=1)",
    "piecewise_constant": "piecewise_constant([300, 600, 900], values=[1, 0.5, 0.2, 0.1])",
    "piecewise_linear": "piecewise_linear([[0, 0.1], [100, 1], [700, 0.3], [1000, 0]])",
    "piecewise_cosine": "piecewise_cosine([[0, 0.1], [100, 1], [700, 0.3], [1000, 0]])",
    "wsd": "wsd(100%, warmup=5%, cooldown=20%)",
    "trapezoid": "trapezoid(100%, warmup=20%, cooldown=30%)",
    "flat_cosine": "flat_cosine(100%, cooldown=30%)",
    "wsd_s": "wsd_s([300, 300, 400], warmup=50, cooldown=60)",
    "infinite": "infinite(warmup=50, cooldown=300, hold=500, annealing=150, plateau=0.3, to=0.01)",
    "one_cycle": "one_cycle(100%)",
    "one_cycle_linear": "one_cycle_linear(100%)",
    "one_cycle_momentum": "one_cycle_momentum(100%)",
    "slanted_triangular": "slanted_triangular(100%)",
    "tri_stage": "tri_stage(warmup=100, hold=400, decay=500)",
    "cosine_restarts": "cosine_restarts(100, growth=2)",
    "cyclic": "cyclic(100, minimum=0.1, shrink=0.7)",
    "linear_cosine": "linear_cosine(100%, waves=2.5)",
    "noisy_linear_cosine": "noisy_linear_cosine(100%, waves=0.5, variance=0.5)",
    "noisy": "noisy(cosine(1000), spread=0.05, seed=1)",
    "rewarm": "rewarm(cosine(1000), at=400, steps=100)",
    "sweep": "sweep(100%, start=1e-4)",
    "clip": "clip(cosine(1000), minimum=0.1, maximum=0.8)",
    "maximum": "maximum(cosine(600), linear(1000, start=0.5))",
    "repeat": "repeat(linear(200), growth=1.5, shrink=0.8)",
    "reverse": "reverse(polynomial(400, power=2)) >> cosine(600)",
    "staircase": "staircase(cosine(1000), every=100)",
}


def example(name: str) -> tuple[Schedule, int]:
    """Return the example of a recipe, and the number of steps to show of it."""
    plan = parse(EXAMPLES[name])
    steps = STEPS if isinstance(plan, Draft) else plan.duration or STEPS
    return plan.over(steps), steps
