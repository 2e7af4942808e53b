from itertools import pairwise

import pytest

import glidepath as gp
from glidepath.phases import MOST_CYCLES, Phase, phases

PLANS = [
    "warmup(50) >> 0.5 * cosine(900)",
    "clip(warmup(50) >> constant(), minimum=0.1)",
    "(warmup(50) >> constant(100) >> linear(200))[20:120]",
    "0.1 + 0.9 * repeat(cosine(100), times=3, growth=2)",
    "repeat(linear(10) >> constant(20))",
    "noisy(wsd(800, warmup=10, cooldown=100))",
    "constant(0) >> linear(30)",
    "cosine(5000)",
    "staircase(linear(100), every=7)",
    "reverse(linear(10))[:0]",
]


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("steps", [1, 20, 21, 100, 1000])
def test_phases_cover_every_step_once(text, steps):
    known = phases(gp.parse(text), steps)
    assert known[0].start == 0
    assert known[-1].stop == steps
    assert all(a.stop == b.start for a, b in pairwise(known))
    assert all(phase.start < phase.stop for phase in known)


def test_a_phase_is_named_for_the_leaf_that_serves_it():
    plan = gp.clip(3e-4 * (gp.warmup(10) >> gp.constant(20) >> gp.cosine(30)), minimum=1e-5)
    assert phases(plan, 60) == (Phase("warmup", 0, 10), Phase("constant", 10, 30), Phase("cosine", 30, 60))


def test_what_follows_the_end_of_a_plan_is_called_hold():
    assert phases(gp.linear(10), 15) == (Phase("linear", 0, 10), Phase("hold", 10, 15))
    assert phases(gp.linear(10)[:4], 6) == (Phase("linear", 0, 4), Phase("hold", 4, 6))


def test_a_horizon_that_cuts_a_plan_cuts_its_last_phase():
    assert phases(gp.warmup(5) >> gp.linear(10), 8) == (Phase("warmup", 0, 5), Phase("linear", 5, 8))


def test_every_cycle_is_a_phase_until_there_are_too_many():
    assert phases(gp.cosine_restarts(100, growth=2), 500) == (
        Phase("cosine", 0, 100),
        Phase("cosine", 100, 300),
        Phase("cosine", 300, 500),
    )
    assert len(phases(gp.cosine_restarts(10), 10 * MOST_CYCLES)) == MOST_CYCLES
    assert phases(gp.cosine_restarts(10), 10 * MOST_CYCLES + 1) == (Phase("repeat", 0, 10 * MOST_CYCLES + 1),)


def test_noise_on_a_plan_leaves_its_phases_and_a_product_of_two_shapes_is_one_phase():
    plan = gp.warmup(10) >> gp.linear(90)
    assert phases(plan * gp.noise(), 120) == (
        Phase("warmup", 0, 10),
        Phase("linear", 10, 100),
        Phase("noise", 100, 120),
    )
    assert phases(gp.cosine(60) * gp.linear(100), 100) == (Phase("product", 0, 100),)
    assert phases(gp.maximum(plan, gp.linear(200)), 100) == (Phase("maximum", 0, 100),)


def test_a_cut_counts_its_phases_from_its_own_start():
    plan = (gp.warmup(50) >> gp.constant(100) >> gp.linear(200))[20:120]
    assert phases(plan, 100) == (Phase("warmup", 0, 30), Phase("constant", 30, 100))
    assert phases((gp.warmup(50) >> gp.constant(100))[50:], 100) == (Phase("constant", 0, 100),)
