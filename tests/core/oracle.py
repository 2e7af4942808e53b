"""The same schedules from the textbook: 40 digits, one formula per recipe as the papers print it, no cleverness.

A text of the catalogue is Python over the names of this file, so `oracle(text)` reads it with `eval` and answers with
a plan whose values are mpmath numbers. Parameters are the doubles that the text gives, taken exactly.
"""

import math
from fractions import Fraction
from itertools import pairwise

from mpmath import cos, e, exp, floor, log, mp, mpf, pi, sqrt
from mpmath import tanh as mp_tanh

from glidepath import parse

mp.dps = 40


class Plan:
    def __init__(self, value, length=None, stretched=None):
        self.value, self.length = value, length
        self.stretched = stretched  # the same shape over another length, for cycles that grow

    def __call__(self, k):
        return self.value(k)

    def __rshift__(self, other):
        def value(k):
            return self(k) if k < self.length else other(k - self.length)

        def stretched(n):
            middle = math.floor(Fraction(self.length * n, self.length + other.length) + Fraction(1, 2))
            return self.stretched(middle) >> other.stretched(n - middle)

        return Plan(value, None if other.length is None else self.length + other.length, stretched)

    def __mul__(self, other):
        if isinstance(other, Plan):
            return Plan(lambda k: self(k) * other(k), longer(self, other))
        return Plan(lambda k: mpf(other) * self(k), self.length, lambda n: other * self.stretched(n))

    __rmul__ = __mul__

    def __add__(self, other):
        if isinstance(other, Plan):
            return Plan(lambda k: self(k) + other(k), longer(self, other))
        return Plan(lambda k: mpf(other) + self(k), self.length)

    __radd__ = __add__

    def __rtruediv__(self, other):
        return Plan(lambda k: mpf(other) / self(k), self.length)

    def __getitem__(self, part):
        start, stop = part.start or 0, self.length if part.stop is None else part.stop
        if stop is None:
            return Plan(lambda k: self(k + start))
        last = stop - 1 if part.stop is not None else 10**30
        return Plan(lambda k: self(min(k + start, max(last, start))), max(0, stop - start))


def longer(a, b):
    return None if a.length is None or b.length is None else max(a.length, b.length)


def curve(n, start, to, fall):
    """From `start` to `to` by `fall`, a function of p that goes from 1 to 0."""
    return Plan(lambda k: mpf(to) + (mpf(start) - mpf(to)) * fall(mpf(k) / n) if k < n else mpf(to), n)


def warmup(n, to=1.0, start=0.0):
    return Plan(lambda k: mpf(start) + (mpf(to) - mpf(start)) * (k + 1) / n if k < n else mpf(to), n)


def constant(n=None):
    return Plan(lambda k: mpf(1), n)


def linear(n, to=0.0, start=1.0):
    return curve(n, start, to, lambda p: 1 - p)


def cosine(n, to=0.0, start=1.0, power=1.0, k=1.0):
    return curve(n, start, to, lambda p: ((1 + cos(pi * p ** mpf(k))) / 2) ** mpf(power))


def polynomial(n, to=0.0, start=1.0, power=2.0, k=1.0):
    return curve(n, start, to, lambda p: (1 - p ** mpf(k)) ** mpf(power))


def one_minus_sqrt(n, to=0.0, start=1.0):
    return curve(n, start, to, lambda p: 1 - sqrt(p))


def one_minus_power(n, to=0.0, start=1.0, power=2.0):
    return curve(n, start, to, lambda p: 1 - p ** mpf(power))


def geometric(n, to=0.01, start=1.0):
    return Plan(lambda k: mpf(start) * (mpf(to) / mpf(start)) ** (mpf(k) / n) if k < n else mpf(to), n)


def normalized_exponential(n, to=0.0, start=1.0, ratio=0.1):
    r = mpf(ratio)
    return curve(n, start, to, lambda p: (r**p - r) / (1 - r))


def inverse_linear(n, to=0.01, start=1.0):
    low, high = mpf(to), mpf(start)
    return Plan(lambda k: high / ((high / low - 1) * k / n + 1) if k < n else low, n)


def rex(n, to=0.0, start=1.0):
    return curve(n, start, to, lambda p: (1 - p) / (mpf(1) / 2 + (1 - p) / 2))


def tanh(n, to=0.0, start=1.0, lower=-7.0, upper=3.0):
    return curve(n, start, to, lambda p: (1 - mp_tanh(mpf(lower) * (1 - p) + mpf(upper) * p)) / 2)


def cosine_waves(n, waves=1.5):
    return Plan(lambda k: (1 + cos(2 * pi * mpf(waves) * min(k, n) / n)) / 2, n)


def chebyshev(n, curvature_ratio=0.05):
    order = [0]
    while len(order) < n:
        order = [place for s in order for place in (s, 2 * len(order) - 1 - s)]
    centre, radius = (1 + mpf(curvature_ratio)) / 2, (1 - mpf(curvature_ratio)) / 2
    return Plan(lambda k: 1 / (centre - radius * cos((order[min(k, n - 1)] + mpf(1) / 2) * pi / n)), n)


def exponential(every, factor):
    return Plan(lambda k: mpf(factor) ** (mpf(k) / every))


def step(every, factor=0.1):
    return Plan(lambda k: mpf(factor) ** int(floor(mpf(k) / every)))


def multistep(milestones, factor=0.1):
    factors = factor if isinstance(factor, list) else [factor] * len(milestones)

    def value(k):
        product = mpf(1)
        for milestone, f in zip(milestones, factors, strict=True):
            product *= mpf(f) if k >= milestone else 1
        return product

    return Plan(value)


def inverse_time(every, rate=1.0):
    return Plan(lambda k: 1 / (1 + mpf(rate) * k / every))


def inverse_power(timescale, power=0.5):
    return Plan(lambda k: (1 + mpf(k) / timescale) ** -mpf(power))


def inverse_sqrt(warmup, timescale=None):
    tau = timescale or warmup
    return Plan(lambda k: mpf(k + 1) / warmup if k < warmup else 1 / sqrt(1 + mpf(k - warmup) / tau))


def noam(model_width, warmup):
    def value(k):
        s = mpf(k + 1)
        return mpf(model_width) ** mpf(-0.5) * min(s ** mpf(-0.5), s * mpf(warmup) ** mpf(-1.5))

    return Plan(value)


def power_law(peak, batch_size, tokens_per_step, a=4.6, b=-0.51):
    return Plan(lambda k: min(mpf(peak), batch_size * mpf(a) * mpf(tokens_per_step * (k + 1)) ** mpf(b)))


def formula(expression):
    names = {"exp": exp, "cos": cos, "pi": pi, "e": e, "max": max}
    code = compile(expression, "formula", "eval")
    return Plan(lambda k: eval(code, names, {"step": mpf(k)}))


def table(values):
    return Plan(lambda k: mpf(values[min(k, len(values) - 1)]), len(values))


def noise(seed=0):
    word, golden = 2**64 - 1, 0x9E3779B97F4A7C15

    def mixed(state):
        z = (state + golden) & word
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
        return z ^ (z >> 31)

    def value(k):
        state = mixed(mixed(seed) + k)
        u, v = ((mixed(state + i * golden) // 2**12 + mpf(1) / 2) / 2**52 for i in (1, 2))
        return sqrt(-2 * log(u)) * cos(2 * pi * v)

    return Plan(value)


def piecewise_constant(boundaries, values):
    return Plan(lambda k: mpf(values[sum(k >= boundary for boundary in boundaries)]))


def through(points, shape):
    def value(k):
        for (a, u), (b, v) in pairwise(points):
            if a <= k < b:
                return mpf(u) + (mpf(v) - mpf(u)) * shape(mpf(k - a) / (b - a))
        return mpf(points[-1][1])

    return Plan(value, points[-1][0])


def piecewise_linear(points):
    return through(points, lambda p: p)


def piecewise_cosine(points):
    return through(points, lambda p: (1 - cos(pi * p)) / 2)


def wsd(n, warmup, cooldown, to=0.0):
    def value(k):
        rising, left = mpf(k + 1) / warmup, mpf(n - k) / cooldown
        return min(rising, 1, mpf(to) + (1 - mpf(to)) * left) if k < n else mpf(to)

    return Plan(value, n)


def trapezoid(n, warmup, cooldown):
    return wsd(n, warmup, cooldown)


def flat_cosine(n, cooldown, to=0.0):
    return constant(n - cooldown) >> cosine(cooldown, to=to)


def wsd_s(periods, warmup, cooldown, to=0.0):
    plan = wsd(periods[0], warmup, cooldown, to)
    for n in periods[1:]:
        plan = plan >> constant(n - cooldown) >> linear(cooldown, to=to)
    return plan


def infinite(warmup, cooldown, hold, annealing, plateau=0.1, to=0.01):
    rise = Plan(lambda k: mpf(k + 1) / warmup, warmup)
    return (
        rise >> cosine(cooldown, to=plateau) >> plateau * constant(hold) >> geometric(annealing, to=to, start=plateau)
    )


def one_cycle(n, rise=0.3, start=0.04, to=4e-6):
    up = round(n * rise)
    return cosine(up, to=1.0, start=start) >> cosine(n - up, to=to)


def one_cycle_linear(n, rise=0.3, fall=0.3, start=0.04, to=4e-6):
    up, down = round(n * rise), round(n * (rise + fall))
    return piecewise_linear([(0, start), (up, 1), (down, start), (n, to)])


def one_cycle_momentum(n, rise=0.3, minimum=0.85, maximum=0.95):
    up = round(n * rise)
    return piecewise_cosine([(0, maximum), (up, minimum), (n, maximum)])


def slanted_triangular(n, cut=0.1, ratio=32.0):
    top = math.floor(n * cut)
    lowest = 1 / mpf(ratio)
    return Plan(
        lambda k: lowest + (1 - lowest) * (mpf(k) / top if k < top else mpf(max(0, n - k)) / (n - top)),
        n,
    )


def tri_stage(warmup, hold, decay, start=0.01, to=0.01):
    return linear(warmup, to=1.0, start=start) >> constant(hold) >> geometric(decay, to=to)


def repeat(plan, times=None, growth=1.0, shrink=1.0):
    def value(k):
        i, start = 0, 0
        while True:
            length = round(plan.length * growth**i)
            if k < start + length or i + 1 == times:
                cycle = plan if growth == 1 else plan.stretched(length)
                return mpf(shrink) ** i * cycle(k - start)
            i, start = i + 1, start + length

    total = None if times is None else sum(round(plan.length * growth**i) for i in range(times))
    return Plan(value, total)


def stretchable(recipe):
    def made(n, **options):
        plan = recipe(n, **options)
        plan.stretched = lambda steps: made(steps, **options)
        return plan

    return made


warmup, linear, cosine = stretchable(warmup), stretchable(linear), stretchable(cosine)


def cosine_restarts(n, times=None, growth=1.0, shrink=1.0, to=0.0):
    if shrink == 1.0:
        return repeat(cosine(n, to=to), times, growth)
    return to + (1 - mpf(to)) * repeat(cosine(n), times, growth, shrink)


def cyclic(up, down=None, minimum=0.1, times=None, shrink=1.0):
    fall = down or up

    def value(k):
        i, j = divmod(k, up + fall)
        if times is not None and i >= times:
            return mpf(minimum)
        height = mpf(j) / up if j < up else mpf(up + fall - j) / fall
        return mpf(minimum) + (1 - mpf(minimum)) * mpf(shrink) ** i * height

    return Plan(value, None if times is None else times * (up + fall))


def linear_cosine(n, waves=0.5, alpha=0.0, beta=0.001):
    def value(k):
        p = mpf(min(k, n)) / n
        return (mpf(alpha) + 1 - p) * (1 + cos(2 * pi * mpf(waves) * p)) / 2 + mpf(beta)

    return Plan(value, n)


def noisy_linear_cosine(n, waves=0.5, alpha=0.0, beta=0.001, variance=1.0, fade=0.55, seed=0):
    epsilon = noise(seed)

    def value(k):
        k = min(k, n - 1)
        p, deviation = mpf(k) / n, sqrt(mpf(variance) / mpf(1 + k) ** mpf(fade))
        return (mpf(alpha) + 1 - p + deviation * epsilon(k)) * (1 + cos(2 * pi * mpf(waves) * p)) / 2 + mpf(beta)

    return Plan(value, n)


def noisy(plan, spread=1.0, limit=0.67, seed=0):
    epsilon = noise(seed)
    return Plan(lambda k: plan(k) * (1 + min(max(mpf(spread) * epsilon(k), -mpf(limit)), mpf(limit))))


def rewarm(plan, at, steps):
    def value(k):
        if at <= k < at + steps:
            return plan(at + steps) * (k - at + 1) / steps
        return plan(k)

    return Plan(value, plan.length)


def sweep(n, start=1e-7):
    return Plan(lambda k: mpf(start) ** (1 - mpf(min(k, n)) / n), n)


def clip(plan, minimum=None, maximum=None):
    floor_, ceiling = (
        (mpf("-inf") if minimum is None else mpf(minimum)),
        (mpf("inf") if maximum is None else mpf(maximum)),
    )
    return Plan(lambda k: min(max(plan(k), floor_), ceiling), plan.length)


def maximum(first, second):
    return Plan(lambda k: max(first(k), second(k)), longer(first, second))


def reverse(plan):
    return Plan(lambda k: plan(max(0, plan.length - 1 - k)), plan.length)


def staircase(plan, every):
    length = None if plan.length is None else math.ceil(plan.length / every) * every
    return Plan(lambda k: plan(k // every * every), length)


def oracle(text):
    """The plan that a text of the catalogue describes, in 40 digits."""
    return eval(text, dict(globals()))


def furthest(text, steps):
    """The largest relative error of a schedule over `steps`, and where it is.

    Values below 1e-4 of the peak, and above 1e4 times it at step 0, are not promised and left out. Where noise is
    added to a value and they cancel, what counts is the error relative to the larger of the value and 1.
    """
    plan, exact = parse(text), oracle(text)
    values = [exact(k) for k in steps]
    peak = max(abs(value) for value in values if abs(value) < 1e4)
    worst = (0.0, steps[0])
    for k, value in zip(steps, values, strict=True):
        if 0 < peak * 1e-4 <= abs(value) <= 1e4:
            scale = max(abs(value), mpf(1)) if "noisy_" in text or "noise" in text else abs(value)
            worst = max(worst, (float(abs(plan(k) - value) / scale), k))
    return worst
