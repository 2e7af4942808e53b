"""Every schedule of optax, read and compared with itself: in float64, value by value."""

import functools
from collections.abc import Callable, Iterator

import jax
import numpy as np
import optax
import pytest

from glidepath import Schedule, cosine, linear, parse, step
from glidepath.convert import read
from glidepath.errors import ConvertError

STEPS = np.unique(np.r_[0:10_000, 10_000:30_000:97, 10**6, 10**8])  # all of a run, and past its end

Theirs = Callable[[int], float]


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def values(theirs: Theirs, steps: np.ndarray = STEPS) -> np.ndarray:
    return np.asarray(jax.vmap(theirs)(steps), dtype=np.float64) * np.ones(len(steps))


def ours(plan: Schedule, steps: np.ndarray = STEPS) -> np.ndarray:
    return np.array([plan(int(k)) for k in steps])


SCHEDULES: dict[str, Theirs] = {
    "constant": optax.constant_schedule(3e-4),
    "constant of a jax array": optax.constant_schedule(np.float32(0.25)),
    "linear": optax.linear_schedule(1e-3, 1e-5, 9_000),
    "linear that rises, later": optax.linear_schedule(0.0, 1e-3, 4_000, transition_begin=1_500),
    "polynomial": optax.polynomial_schedule(0.3, 0.01, 2.5, 7_777, transition_begin=10),
    "polynomial of a fraction": optax.polynomial_schedule(1.0, 0.0, 0.5, 9_999),
    "polynomial without steps": optax.polynomial_schedule(0.3, 0.01, 2.5, 0),
    "polynomial to the power of 0": optax.polynomial_schedule(0.3, 0.01, 0.0, 100),
    "cosine": optax.cosine_decay_schedule(1e-3, 8_000),
    "cosine with a floor": optax.cosine_decay_schedule(0.1, 9_500, alpha=0.1),
    "cosine with an exponent": optax.cosine_decay_schedule(0.1, 9_500, alpha=0.2, exponent=1.7),
    "cosine with an exponent of 0": optax.cosine_decay_schedule(0.1, 9_500, alpha=0.2, exponent=0.0),
    "exponential": optax.exponential_decay(0.1, 1_000, 0.96),
    "exponential, later": optax.exponential_decay(0.1, 1_000, 0.5, transition_begin=700),
    "exponential with a floor": optax.exponential_decay(0.1, 1_000, 0.5, transition_begin=700, end_value=0.01),
    "exponential that grows to a ceiling": optax.exponential_decay(0.1, 1_000, 1.5, end_value=0.7),
    "exponential whose floor is above its start": optax.exponential_decay(0.1, 1_000, 0.5, 50, end_value=0.2),
    "exponential in stairs": optax.exponential_decay(0.1, 1_000, 0.5, staircase=True),
    "exponential in stairs, later": optax.exponential_decay(0.1, 900, 0.5, 250, staircase=True, end_value=0.001),
    "exponential without decay": optax.exponential_decay(0.1, 900, 0.0),
    "piecewise constant": optax.piecewise_constant_schedule(0.1, {3_000: 0.1, 6_000: 0.5}),
    "piecewise constant, unsorted": optax.piecewise_constant_schedule(0.1, {6_000: 0.1, 0: 0.3, -5: 0.7, 2_000: 0.1}),
    "piecewise constant at a half": optax.piecewise_constant_schedule(0.1, {3_000.5: 0.1}),
    "piecewise constant without pieces": optax.piecewise_constant_schedule(0.1, None),
    "piecewise linear": optax.piecewise_interpolate_schedule("linear", 0.1, {3_000: 0.1, 9_000: 5.0}),
    "piecewise cosine": optax.piecewise_interpolate_schedule("cosine", 0.1, {9_000: 5.0, 3_000: 0.1}),
    "piecewise linear without pieces": optax.piecewise_interpolate_schedule("linear", 0.1, None),
    "piecewise linear from 0": optax.piecewise_interpolate_schedule("linear", 0.1, {0: 0.5, 9_000: 0.1}),
    "warmup and constant": optax.warmup_constant_schedule(0.0, 1e-3, 500),
    "warmup and cosine": optax.warmup_cosine_decay_schedule(0.0, 1e-3, 500, 9_000, end_value=1e-5),
    "warmup and cosine to a power": optax.warmup_cosine_decay_schedule(1e-4, 1e-3, 500, 9_000, 1e-5, exponent=0.7),
    "no warmup and cosine": optax.warmup_cosine_decay_schedule(0.0, 1e-3, 0, 9_000),
    "warmup and exponential": optax.warmup_exponential_decay_schedule(1e-5, 1e-3, 500, 1_000, 0.8, 100, True, 1e-4),
    "one cycle": optax.cosine_onecycle_schedule(10_000, 0.1),
    "one cycle of 2 steps": optax.cosine_onecycle_schedule(2, 0.1),
    "linear one cycle": optax.linear_onecycle_schedule(9_000, 0.1, 0.25, 0.9),
    "restarts": optax.sgdr_schedule(
        [
            {"init_value": 0.0, "peak_value": 0.1 / i, "warmup_steps": 99, "decay_steps": 2_000 * i, "end_value": 1e-3}
            for i in (1, 2, 1)
        ]
    ),
    "joined": optax.join_schedules(
        [optax.linear_schedule(0.1, 0.0, 700), optax.constant_schedule(0.3), optax.exponential_decay(0.2, 50, 0.9)],
        [1_000, 5_000],
    ),
    "joined, longer than served": optax.join_schedules(
        [optax.cosine_decay_schedule(0.1, 5_000), optax.linear_schedule(0.1, 0.01, 5_000)], [300]
    ),
    "joined twice": optax.join_schedules(
        [optax.warmup_constant_schedule(0.0, 0.1, 50), optax.warmup_cosine_decay_schedule(0.0, 0.2, 10, 900)], [400]
    ),
    "joined where boundaries do not ascend": optax.join_schedules(
        [optax.constant_schedule(v) for v in (0.1, 0.2, 0.3, 0.4)], [500, 300, 700]
    ),
    "joined before the beginning": optax.join_schedules(
        [optax.constant_schedule(0.5), optax.linear_schedule(0.1, 0.01, 5_000)], [-300]
    ),
    "joined before the beginning, with one more": optax.join_schedules(
        [optax.constant_schedule(0.5), optax.linear_schedule(0.1, 0.01, 5_000), optax.constant_schedule(0.3)],
        [-300, 900],
    ),
    "joined with one too many": optax.join_schedules([optax.constant_schedule(v) for v in (0.1, 0.2, 0.3)], [500]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_the_same_values_in_the_run_and_past_its_end(name: str) -> None:
    theirs = SCHEDULES[name]
    conversion = read(theirs)
    assert conversion.bases == (1.0,)
    np.testing.assert_allclose(ours(conversion.schedule), values(theirs), rtol=1e-12, atol=1e-13)
    assert parse(conversion.schedule.text) == conversion.schedule


def test_every_schedule_of_the_package_is_among_them() -> None:
    made = {
        name
        for name in optax.schedules.__dict__
        if name[0] != "_" and name.endswith(("_schedule", "_decay", "_schedules"))
    }
    assert made == {
        *("constant_schedule", "linear_schedule", "polynomial_schedule", "cosine_decay_schedule", "exponential_decay"),
        *("piecewise_constant_schedule", "piecewise_interpolate_schedule", "warmup_constant_schedule"),
        *("warmup_cosine_decay_schedule", "warmup_exponential_decay_schedule", "cosine_onecycle_schedule"),
        *("linear_onecycle_schedule", "sgdr_schedule", "join_schedules"),
    }


def test_a_schedule_reads_as_people_write_it() -> None:
    plan = read(SCHEDULES["warmup and cosine"]).schedule
    assert plan == linear(500, to=0.001, start=0.0) >> 0.001 * cosine(8_500, to=1e-5 / 1e-3)
    assert read(SCHEDULES["exponential in stairs"]).schedule == 0.1 * step(every=1_000, factor=0.5)


def test_the_source_is_named() -> None:
    assert read(SCHEDULES["cosine"]).source == "optax cosine_decay_schedule"


def test_reading_calls_nothing_and_changes_nothing() -> None:
    theirs = optax.cosine_decay_schedule(0.1, 100)
    read(theirs)
    assert [cell.cell_contents for cell in theirs.__closure__ or ()] == [0.0, 100, 1.0, 0.1]
    theirs(3)  # from now on its decay_steps is a float
    assert read(theirs).schedule == 0.1 * cosine(100)


def test_a_negative_power_grows_as_it_does_in_optax() -> None:
    theirs = optax.polynomial_schedule(1.0, 0.0, -1.0, 100, transition_begin=5)
    conversion = read(theirs)
    steps = np.arange(105)
    np.testing.assert_allclose(ours(conversion.schedule, steps), values(theirs, steps), rtol=1e-12)
    assert conversion.schedule(105) == values(theirs, np.array([105]))[0] == np.inf
    assert "infinity" in conversion.quirks[0]


@pytest.mark.parametrize(
    ("name", "quirk"),
    [
        ("polynomial without steps", "holds the first value"),
        ("exponential without decay", "holds the first value"),
        ("polynomial to the power of 0", "the first value stays"),
        ("cosine with an exponent of 0", "the first value stays"),
        ("exponential whose floor is above its start", "the rate is 0.2 from update 0 on"),
        ("piecewise linear from 0", "it begins at the second"),
        ("one cycle of 2 steps", "it begins at the second"),
        ("joined where boundaries do not ascend", "leave a schedule no update"),
        ("exponential in stairs, later", "may come an update late"),
        ("polynomial of a fraction", "may be nan from its end on"),
        ("warmup and cosine", "update 0 uses a rate of 0"),
    ],
)
def test_what_people_do_not_expect_is_named(name: str, quirk: str) -> None:
    assert any(quirk in told for told in read(SCHEDULES[name]).quirks)


@pytest.mark.parametrize("name", ["cosine", "linear", "exponential with a floor", "joined", "piecewise linear"])
def test_where_nothing_is_strange_nothing_is_said(name: str) -> None:
    assert read(SCHEDULES[name]).quirks == ()


def test_a_compiled_schedule_of_optax_differs_as_the_quirks_say() -> None:
    """At the time of writing, on the CPU: if it fails, optax or XLA has mended it and the quirk can go."""
    with jax.enable_x64(False):
        assert float(jax.jit(optax.exponential_decay(1.0, 41, 0.5, staircase=True))(41)) == 1.0
        assert np.isnan(jax.jit(optax.polynomial_schedule(1.0, 0.0, 0.5, 9))(9))
    assert read(optax.exponential_decay(1.0, 41, 0.5, staircase=True)).schedule(41) == 0.5
    assert read(optax.polynomial_schedule(1.0, 0.0, 0.5, 9)).schedule(9) == 0.0


def test_a_schedule_that_counts_its_own_calls_is_the_schedule_within() -> None:
    wrapped = optax.schedules.WrappedSchedule(SCHEDULES["cosine"])
    assert read(wrapped).schedule == read(SCHEDULES["cosine"]).schedule


def own(count: int) -> float:
    return 0.1 / (1 + count)


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (optax.join_schedules([own, own], [5]), "not a schedule that optax made.*glidepath.table"),
        (optax.join_schedules([functools.partial(own)], []), "not a schedule that optax made"),
        (optax.sgd(0.1).update, "not a schedule that optax made"),
        (optax.constant_schedule(np.array([0.1, 0.2])), "not one number"),
        (optax.cosine_decay_schedule(0.1, 100.5), "whole number.*glidepath.table"),
        (optax.cosine_decay_schedule(0.1, 100, exponent=-1.0), "power must be above 0"),
        (optax.exponential_decay(0.1, 100, -0.5), "factor must be above 0"),
        (optax.piecewise_interpolate_schedule("linear", 0.1, {-5: 0.5, 10: 0.1}), "at least 0"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_way_to_go_on(theirs: Theirs, reason: str) -> None:
    with pytest.raises(ConvertError, match=reason):
        read(theirs)


def test_another_version_of_optax_that_keeps_other_variables_is_refused() -> None:
    def polynomial_schedule() -> Theirs:
        start = 0.1

        def schedule(count: int) -> float:
            return start

        return schedule

    theirs = polynomial_schedule()
    theirs.__qualname__, theirs.__module__ = "polynomial_schedule.<locals>.schedule", "optax.schedules._schedule"
    with pytest.raises(ConvertError, match="has no 'init_value' in this version"):
        read(theirs)
