"""What each recipe means where the peers disagree: ends, starts, milestones, cycles; by numbers worked out by hand."""

import inspect
import math
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules

import pytest

import glidepath as gp
from glidepath import recipes
from glidepath.cli.examples import EXAMPLES
from glidepath.parser import NAMES
from tests.catalogue import MILLION, RECIPES
from tests.core import oracle


def values(plan, steps):
    return [round(value, 6) for value in plan.block(0, steps)]


FIRST_VALUES: list[tuple[str, list[float]]] = [
    # update 0 of a warmup moves, and update n - 1 is the first at the peak
    ("warmup(4)", [0.25, 0.5, 0.75, 1, 1, 1]),
    ("warmup(4, start=0.2)", [0.4, 0.6, 0.8, 1, 1, 1]),
    # the other conventions of the field, as the docstring writes them
    ("linear(4, to=1.0, start=0.0)", [0, 0.25, 0.5, 0.75, 1, 1]),
    ("warmup(5)[:4] >> constant()", [0.2, 0.4, 0.6, 0.8, 1, 1]),
    # a decay reaches its end after its last update, and stays
    ("linear(4)", [1, 0.75, 0.5, 0.25, 0, 0]),
    ("cosine(4)", [1, 0.853553, 0.5, 0.146447, 0, 0]),
    ("cosine(2, to=0.5)", [1, 0.75, 0.5, 0.5, 0.5, 0.5]),
    ("one_minus_sqrt(4)", [1, 0.5, 0.292893, 0.133975, 0, 0]),
    ("one_minus_power(4)", [1, 0.9375, 0.75, 0.4375, 0, 0]),
    ("polynomial(4)", [1, 0.5625, 0.25, 0.0625, 0, 0]),
    ("polynomial(4, power=1, k=2)", [1, 0.9375, 0.75, 0.4375, 0, 0]),
    ("geometric(4, to=0.0001)", [1, 0.1, 0.01, 0.001, 0.0001, 0.0001]),
    ("normalized_exponential(2, ratio=0.25)", [1, 1 / 3, 0, 0]),
    ("inverse_linear(3, to=0.25)", [1, 0.5, 1 / 3, 0.25, 0.25]),
    ("rex(2)", [1, 2 / 3, 0, 0]),
    ("tanh(2)", [1 / (1 + math.exp(-14)), 1 / (1 + math.exp(-4)), 0, 0]),
    ("cosine_waves(4, waves=1.0)", [1, 0.5, 0, 0.5, 1, 1]),
    # milestone m takes effect at update m
    ("step(every=2, factor=0.5)", [1, 1, 0.5, 0.5, 0.25, 0.25]),
    ("multistep([1, 3])", [1, 0.1, 0.1, 0.01, 0.01]),
    ("multistep([1, 3], factor=[0.5, 0.1])", [1, 0.5, 0.5, 0.05, 0.05]),
    ("multistep([0, 2, 2], factor=0.5)", [0.5, 0.5, 0.125, 0.125]),
    ("piecewise_constant([1, 3], values=[0.1, 1, 0.5])", [0.1, 1, 1, 0.5, 0.5]),
    ("exponential(every=2, factor=0.25)", [1, 0.5, 0.25, 0.125]),
    ("staircase(exponential(every=2, factor=0.25), every=2)", [1, 1, 0.25, 0.25, 0.0625]),
    ("inverse_time(every=2)", [1, 2 / 3, 0.5, 0.4]),
    ("inverse_power(3, power=1)", [1, 0.75, 0.6, 0.5]),
    # sqrt(warmup / k) from the end of the warmup on: the peak is used twice, as 4/4 and as sqrt(4/4)
    ("inverse_sqrt(warmup=4)", [0.25, 0.5, 0.75, 1, 1, math.sqrt(4 / 5), math.sqrt(4 / 6)]),
    ("inverse_sqrt(warmup=2, timescale=1)", [0.5, 1, 1, math.sqrt(1 / 2), math.sqrt(1 / 3)]),
    # Vaswani et al. count from step 1
    ("noam(model_width=4, warmup=2)", [0.5 / math.sqrt(8), 0.5 / math.sqrt(2), 0.5 / math.sqrt(3), 0.25]),
    ("wsd(6, warmup=2, cooldown=2)", [0.5, 1, 1, 1, 1, 0.5, 0, 0]),
    ("flat_cosine(4, cooldown=2)", [1, 1, 1, 0.5, 0]),
    ("wsd_s([4, 3], warmup=1, cooldown=2, to=0.5)", [1, 1, 1, 0.75, 1, 1, 0.75, 0.5]),
    (
        "infinite(warmup=1, cooldown=2, hold=1, annealing=2, plateau=0.16, to=0.01)",
        [1, 1, 0.58, 0.16, 0.16, 0.04, 0.01],
    ),
    ("one_cycle(4, rise=0.5, start=0.2, to=0.0)", [0.2, 0.6, 1, 0.5, 0, 0]),
    ("one_cycle_linear(6, rise=0.34, fall=0.33, start=0.2, to=0.0)", [0.2, 0.6, 1, 0.6, 0.2, 0.1, 0]),
    ("one_cycle_momentum(4, rise=0.5)", [0.95, 0.9, 0.85, 0.9, 0.95]),
    ("slanted_triangular(10, cut=0.2, ratio=2)", [0.5, 0.75, 1, 0.9375, 0.875]),
    ("tri_stage(warmup=2, hold=1, decay=2)", [0.01, 0.505, 1, 1, 0.1, 0.01, 0.01]),
    ("cosine_restarts(2, growth=2)", [1, 0.5, 1, 0.853553, 0.5, 0.146447, 1]),
    ("cosine_restarts(2, times=2, shrink=0.5, to=0.2)", [1, 0.6, 0.6, 0.4, 0.2, 0.2]),
    ("cyclic(2, minimum=0.5, shrink=0.5)", [0.5, 0.75, 1, 0.75, 0.5, 0.625, 0.75, 0.625, 0.5]),
    ("cyclic(1, down=3, minimum=0.0)", [0, 1, 2 / 3, 1 / 3, 0, 1]),
    ("linear_cosine(2, beta=0.5)", [1.5, 0.75, 0.5, 0.5]),
    ("rewarm(linear(8), at=2, steps=2)", [1, 0.875, 0.25, 0.5, 0.5, 0.375, 0.25, 0.125, 0]),
    ("sweep(2, start=0.01)", [0.01, 0.1, 1, 1]),
    ("repeat(linear(2), times=2, growth=2, shrink=0.5)", [1, 0.5, 0.5, 0.375, 0.25, 0.125, 0, 0]),
    ("reverse(linear(4))", [0.25, 0.5, 0.75, 1, 1]),
    ("linear(4) * linear(2)", [1, 0.375, 0, 0]),
    ("0.5 + linear(2)", [1.5, 1, 0.5, 0.5]),
    ("clip(linear(4), minimum=0.3, maximum=0.7)", [0.7, 0.7, 0.5, 0.3, 0.3]),
    ("maximum(linear(4), 0.6 * constant())", [1, 0.75, 0.6, 0.6]),
    ("table([3, 2])", [3, 2, 2]),
    ("formula('1 / (1 + step)')", [1, 0.5, 1 / 3]),
    ("piecewise_linear([(0, 0), (2, 1), (4, 0.5)])", [0, 0.5, 1, 0.75, 0.5, 0.5]),
    ("piecewise_cosine([(0, 0), (2, 1), (4, 0.5)])", [0, 0.5, 1, 0.75, 0.5, 0.5]),
    ("trapezoid(6, warmup=2, cooldown=2)", [0.5, 1, 1, 1, 1, 0.5, 0, 0]),
    ("linear(4)[1:3]", [0.75, 0.5, 0.5, 0.5]),
]
# a test of their own, below
WITHOUT_FIRST_VALUES = {"chebyshev", "noise", "noisy", "noisy_linear_cosine", "power_law"}


@pytest.mark.parametrize(("text", "expected"), FIRST_VALUES)
def test_the_values_of_a_recipe(text, expected):
    assert values(gp.parse(text), len(expected)) == [round(value, 6) for value in expected]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("cosine_waves(100, waves=0.5)", "cosine(100)"),
        ("inverse_sqrt(warmup=7)[8:]", "noam(model_width=1, warmup=7)[7:]"),
        ("one_minus_power(100, power=1)", "linear(100)"),
        ("polynomial(100, power=1)", "linear(100)"),
        ("trapezoid(100, warmup=10, cooldown=20)", "wsd(100, warmup=10, cooldown=20)"),
        ("cyclic(50, minimum=0, times=1)", "piecewise_linear([(0, 0), (50, 1), (100, 0)])"),
        ("flat_cosine(100, cooldown=100)", "cosine(100)"),
        ("rewarm(linear(100), at=0, steps=1)[1:]", "linear(100)[1:]"),
        ("normalized_exponential(100, ratio=0.5)", "formula('2 * 0.5 ** min(step / 100, 1) - 1')"),
    ],
)
def test_recipes_that_are_the_same_curve_in_other_words(text, other):
    first, second = gp.parse(text), gp.parse(other)
    scale = second(0) / first(0) if first(0) else 1.0
    for k in range(10, 120):
        assert scale * first(k) == pytest.approx(second(k), rel=1e-13, abs=1e-15)


def test_a_one_cycle_reaches_its_peak_for_every_length():
    """torch misses it where rise * n is not whole."""
    for n in range(4, 60):
        assert max(gp.one_cycle(n).block(0, n)) == 1.0
        assert gp.one_cycle(n).duration == gp.one_cycle_linear(n).duration == n


def test_a_slanted_triangle_never_falls_below_its_ends():
    """In copies that write the fall as cut * (1/cut - 1) it does, where cut * n is not whole."""
    for n in range(12, 80):
        plan = gp.slanted_triangular(n, cut=0.15, ratio=32)
        assert min(plan.block(0, n + 5)) == pytest.approx(1 / 32)
        assert plan.block(0, n).index(1.0) == math.floor(n * 0.15)


def test_chebyshev_uses_every_node_once_and_only_once():
    """A widespread copy uses the largest three times and the last two never."""
    n, low = 64, 0.05
    nodes = [1 / ((1 + low) / 2 - (1 - low) / 2 * math.cos((i + 0.5) * math.pi / n)) for i in range(n)]
    used = gp.chebyshev(n, curvature_ratio=low).block(0, n)
    assert sorted(used) == pytest.approx(sorted(nodes), rel=1e-12)
    assert used[0] == max(used)
    assert used[:4] == pytest.approx([nodes[0], nodes[63], nodes[31], nodes[32]], rel=1e-12)


def test_noise_is_standard_normal_and_seeded():
    drawn = gp.noise(seed=5).block(0, 20_000)
    mean = sum(drawn) / len(drawn)
    spread = math.sqrt(sum((value - mean) ** 2 for value in drawn) / len(drawn))
    within = sum(abs(value) < 1 for value in drawn) / len(drawn)
    assert abs(mean) < 0.03
    assert abs(spread - 1) < 0.02
    assert abs(within - 0.6827) < 0.01
    assert abs(sum(a * b for a, b in pairwise(drawn)) / len(drawn)) < 0.03
    assert gp.noise(seed=5).block(0, 9) != gp.noise(seed=6).block(0, 9)


def test_noise_stays_within_its_limit():
    ratios = [noisy / 0.5 for noisy in gp.noisy(0.5 * gp.constant(), spread=1.0, limit=0.3).block(0, 500)]
    assert min(ratios) == pytest.approx(0.7)
    assert max(ratios) == pytest.approx(1.3)


def test_the_power_schedule_is_capped_and_counts_tokens_after_the_update():
    plan = gp.power_law(peak=0.02, batch_size=128, tokens_per_step=2**19)
    assert plan(0) == pytest.approx(min(0.02, 128 * 4.6 * (2**19) ** -0.51))
    assert plan(99_999) == pytest.approx(128 * 4.6 * (2**19 * 100_000) ** -0.51)
    assert gp.power_law(peak=0.02, batch_size=10**5, tokens_per_step=1)(0) == 0.02


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_recipe_says_what_it_is(name):
    assert NAMES[name].__doc__
    assert NAMES[name].__doc__.strip().splitlines()[0].strip()


def test_the_notes_decay_is_the_recipe_and_its_staircase():
    smooth = gp.exponential(every=1000, factor=0.96)
    stairs = gp.step(every=1000, factor=0.96)
    for k in (0, 1, 999, 1000, 1001, 54_321):
        assert smooth(k) == pytest.approx(0.96 ** (k / 1000), rel=1e-15)
        assert stairs(k) == pytest.approx(0.96 ** (k // 1000), rel=1e-15)
        assert gp.staircase(smooth, every=1000)(k) == pytest.approx(stairs(k), rel=1e-15)


# --- what a new recipe needs: each failure names the file to edit ---


def written():
    """The names of the functions that the files of recipes define."""
    for module in iter_modules(recipes.__path__):
        source = inspect.getsource(import_module(f"glidepath.recipes.{module.name}"))
        yield from re.findall(r"^@draftable\ndef ([a-z]\w*)\(", source, re.M)


HERE = {name for text, _ in FIRST_VALUES for name in re.findall(r"(\w+)\(", text)} | WITHOUT_FIRST_VALUES


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("src/glidepath/recipes/__init__.py", vars(recipes)),
        ("src/glidepath/parser.py", NAMES),
        ("src/glidepath/__init__.py", vars(gp)),
        ("src/glidepath/cli/examples.py", EXAMPLES),
        ("tests/catalogue.py", RECIPES.keys() & MILLION.keys()),
        ("tests/core/oracle.py", vars(oracle)),
        ("tests/test_recipes.py", HERE),
    ],
)
def test_every_recipe_has_its_entry(file, names):
    assert (Path(__file__).parent.parent / file).exists()
    missing = sorted({*written(), *NAMES} - set(names))
    assert missing == [], f"add to {file}: {', '.join(missing)}"
