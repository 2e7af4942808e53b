"""How far two schedules agree: compared with the values themselves, bit by bit."""

import struct
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
from glidepath import common_prefix
from tests.catalogue import DRAFTS, RECIPES, VARIANTS

HORIZON = gp.Horizon(10_000, steps_per_epoch=100, tokens_per_step=1_000_000)
PLANS = [gp.parse(text) for text in [*VARIANTS, *(text for text, _ in RECIPES.values())]]
PLANS += [gp.parse(text).over(HORIZON) for text in DRAFTS]
STEPS = 300


def by_values(first, second, steps):
    """The slow way."""
    for k in range(steps):
        if struct.pack("d", first(k)) != struct.pack("d", second(k)):
            return k
    return steps


def test_all_pairs_of_the_catalogue_agree_as_far_as_their_values_do():
    served = [[struct.pack("d", plan(k)) for k in range(STEPS)] for plan in PLANS]
    for i, (first, a) in enumerate(zip(PLANS, served, strict=True)):
        for second, b in zip(PLANS[i:], served[i:], strict=True):
            expected = next((k for k in range(STEPS) if a[k] != b[k]), STEPS)
            assert common_prefix(first, second, STEPS) == common_prefix(second, first, STEPS) == expected


@st.composite
def pieces(draw):
    n = draw(st.integers(0, 12))
    return draw(
        st.sampled_from(
            [
                *(gp.linear(n), gp.warmup(n), gp.cosine(n, to=0.5), gp.constant(n), gp.linear(n, to=1.0)),
                *(0.5 * gp.constant(n), 0.0 * gp.linear(n), gp.clip(gp.linear(n), minimum=0.5), -1.0 * gp.linear(n)),
                *(gp.linear(9)[:n], gp.linear(9)[n:], gp.constant()[:n], gp.multistep([n])[: n + 3]),
                *(gp.staircase(gp.linear(n), every=2), gp.linear(n) * gp.constant(n), gp.linear(n) + gp.linear(3)),
                *(gp.repeat(gp.linear(3), times=2), gp.reverse(gp.warmup(n + 1)), gp.maximum(gp.linear(n), gp.rex(n))),
            ]
        )
    )


plans = st.lists(pieces(), min_size=1, max_size=5).map(lambda parts: gp.core.schedule.sequence(*parts))


@settings(max_examples=400)
@given(plans, plans, plans)
def test_the_answer_is_the_first_step_that_differs(head, first, second):
    for a, b in ((first, second), (head >> first, head >> second), (3e-4 * (head >> first), 3e-4 * (head >> second))):
        longer = max(a.duration, b.duration)
        assert common_prefix(a, b) == by_values(a, b, longer)
        assert common_prefix(a, b, longer + 40) == by_values(a, b, longer + 40)
        assert common_prefix(a, a) == a.duration


@given(plans, st.integers(0, 60))
def test_a_cut_shares_everything_before_it(plan, n):
    assert common_prefix(plan, plan[:n], n) == n
    assert common_prefix(plan[:n] >> gp.linear(50, start=7.0), plan, n + 1) == n


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("wsd(10000, warmup=500, cooldown=2000)", "wsd(20000, warmup=500, cooldown=2000)", 8001),
        ("warmup(500) >> constant(7500) >> linear(2000)", "warmup(500) >> constant(7500) >> cosine(2000)", 8001),
        ("warmup(500) >> constant(7500) >> linear(2000)", "warmup(500) >> constant(9500) >> rex(99)", 8001),
        ("linear(10)", "linear(10)", 10),
        ("linear(10)", "linear(10)[:20]", 20),
        ("linear(10)", "linear(11)", 1),
        ("constant(10)", "constant(500)", 500),
        ("linear(10, to=1.0)", "constant(5)", 10),
        ("warmup(10)", "warmup(10) >> constant(90)", 100),
        ("table([1, 2, 3])", "table([1, 2, 4])", 2),
        ("0.0 * linear(9)", "0.0 * cosine(7)", 9),
        ("0.0 * linear(9)", "-1.0 * (0.0 * linear(9))", 0),
        ("cosine(9)", "constant(0) >> cosine(9)", 9),
    ],
)
def test_two_plans_that_end_are_compared_up_to_the_longer(first, second, steps):
    assert common_prefix(gp.parse(first), gp.parse(second)) == steps


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("step(every=30)", "step(every=30)", 2**53),
        ("constant()", "constant(10)", 2**53),
        ("warmup(10) >> constant()", "warmup(10)", 2**53),
        ("warmup(10) >> constant()", "warmup(10) >> constant(90)", 2**53),
        ("warmup(10) >> constant()", "warmup(10) >> constant(90) >> linear(9)", 101),
        ("multistep([30, 80])", "multistep([30, 80], factor=[0.1, 0.1])", 2**53),
        ("multistep([30, 80])", "multistep([30, 90])", 80),
        ("0.5 * constant()", "constant(9)", 0),
        ("piecewise_constant([3, 9], values=[1, 0.5, 0.1])", "piecewise_constant([3, 9], values=[1, 0.5, 0.2])", 9),
    ],
)
def test_plans_without_an_end_are_compared_for_ever_where_they_keep_a_value(first, second, steps):
    assert common_prefix(gp.parse(first), gp.parse(second)) == steps
    assert common_prefix(gp.parse(second), gp.parse(first)) == steps


def test_plans_that_never_keep_a_value_need_steps():
    first, second = gp.exponential(every=10, factor=0.5), gp.formula("0.5 ** (step / 10)")
    with pytest.raises(
        gp.ScheduleError, match=r"say how many updates to compare, common_prefix\(first, second, steps="
    ):
        common_prefix(first, second)
    assert common_prefix(first, second, 500) == by_values(first, second, 500)


def test_a_single_step_that_differs_is_found_wherever_it_is():
    values = [1.0 / (k + 1) for k in range(300)]
    for k in (*range(70), *range(185, 200), 299):
        assert common_prefix(gp.table(values), gp.table([*values[:k], 7.0, *values[k + 1 :]])) == k


def test_a_draft_has_no_prefix_yet():
    with pytest.raises(gp.DraftError, match="give it a horizon"):
        common_prefix(gp.cosine("5%"), gp.cosine("5%"))
    with pytest.raises(gp.DraftError, match="give it a horizon"):
        common_prefix(gp.cosine("5%"), gp.cosine("6%"), 10)


def test_not_a_number_agrees_with_itself():
    first, second = gp.formula("sin(step) / step"), gp.formula("sin(step) / step + 0 * step")
    assert common_prefix(first, second, 50) == by_values(first, second, 50) == 50


def test_long_plans_are_compared_at_once():
    long = 10**15
    pairs = [
        (gp.wsd(long, warmup=10**12, cooldown=10**14), gp.wsd(2 * long, warmup=10**12, cooldown=10**14)),
        (gp.constant(long) >> gp.linear(10**12), gp.constant(long) >> gp.cosine(10**12)),
        (gp.cosine(long), gp.cosine(long)[: long // 2]),
    ]
    begin = time.process_time()
    for a, b in pairs:
        common_prefix(a, b, 10**15), common_prefix(3e-4 * a, 3e-4 * b, 10**15), common_prefix(0.1 + a, 0.1 + b, 10**15)
    assert time.process_time() - begin < 5
    assert common_prefix(*pairs[0]) == long - 10**14 + 1
    assert (
        common_prefix(*pairs[2]) == long // 2 + 1 if pairs[2][0](long // 2) == pairs[2][0](long // 2 - 1) else long // 2
    )


def test_a_tree_of_cooldowns_shares_its_trunk():
    branches = [gp.wsd(n, warmup=100, cooldown=n // 5) for n in (1000, 2000, 4000, 8000)]
    assert [common_prefix(a, b) for a, b in pairwise(branches)] == [801, 1601, 3201]
