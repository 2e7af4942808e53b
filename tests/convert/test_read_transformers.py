"""What transformers.get_scheduler returns is read by the names of its functions; every value is the real one's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import SchedulerType, get_scheduler
from transformers.optimization import get_wsd_schedule

from glidepath.convert import read
from glidepath.errors import ConvertError
from glidepath.torch import Plateau

from .read_stepping import assert_read_back, assert_same, optimizer, served, stepped

LONG = {"num_warmup_steps": 500, "num_training_steps": 8000}

CONFIGURATIONS = [
    ("constant", {}, {}),
    ("constant_with_warmup", {"num_warmup_steps": 100}, {}),
    ("constant_with_warmup", {"num_warmup_steps": 0}, {}),
    ("linear", LONG, {}),
    ("linear", {"num_warmup_steps": 0, "num_training_steps": 700}, {}),
    ("linear", {"num_warmup_steps": 500, "num_training_steps": 500}, {}),
    ("linear", {"num_warmup_steps": 500, "num_training_steps": 300}, {}),
    ("cosine", LONG, {}),
    ("cosine", LONG, {"num_cycles": 1.5}),
    ("cosine", LONG, {"num_cycles": 0.37}),
    ("cosine", LONG, {"num_cycles": 0.0}),
    ("cosine", {"num_warmup_steps": 500, "num_training_steps": 300}, {}),
    ("cosine_with_restarts", LONG, {}),
    ("cosine_with_restarts", LONG, {"num_cycles": 5}),
    ("cosine_with_restarts", LONG, {"num_cycles": 30}),
    ("cosine_with_restarts", {"num_warmup_steps": 10, "num_training_steps": 1110}, {"num_cycles": 22}),
    ("cosine_with_restarts", LONG, {"num_cycles": 2.5}),
    ("cosine_with_restarts", {"num_warmup_steps": 500, "num_training_steps": 300}, {}),
    ("polynomial", LONG, {}),
    ("polynomial", LONG, {"power": 2.0, "lr_end": 0.01}),
    ("polynomial", LONG, {"power": 0.0, "lr_end": 0.01}),
    ("polynomial", {"num_warmup_steps": 500, "num_training_steps": 300}, {"lr_end": 0.01}),
    ("inverse_sqrt", {"num_warmup_steps": 400}, {}),
    ("inverse_sqrt", {"num_warmup_steps": 0}, {}),
    ("inverse_sqrt", {"num_warmup_steps": 400}, {"timescale": 77}),
    ("inverse_sqrt", {"num_warmup_steps": 400}, {"timescale": 77.5}),
    ("cosine_with_min_lr", LONG, {"min_lr": 0.02}),
    ("cosine_with_min_lr", LONG, {"min_lr_rate": 0.1, "num_cycles": 2.5}),
    ("cosine_with_min_lr", LONG, {"min_lr_rate": 0.1, "num_cycles": 0.7}),
    ("cosine_with_min_lr", LONG, {"min_lr_rate": -0.5}),
    ("cosine_warmup_with_min_lr", LONG, {"min_lr": 0.02}),
    ("cosine_warmup_with_min_lr", LONG, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.3}),
    ("cosine_warmup_with_min_lr", {**LONG, "num_warmup_steps": 1}, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.3}),
    ("cosine_warmup_with_min_lr", {**LONG, "num_warmup_steps": 0}, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.3}),
    ("cosine_warmup_with_min_lr", LONG, {"min_lr_rate": 0.1, "num_cycles": 0.0}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 1000}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 1000, "decay_type": "linear", "min_lr_ratio": 0.1}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 1000, "decay_type": "1-sqrt", "warmup_type": "1-sqrt"}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 999, "warmup_type": "cosine", "min_lr_ratio": 0.05}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 999, "num_cycles": 1.2, "min_lr_ratio": 0.05}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 7800}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 7800, "num_cycles": 1.5}),
    ("warmup_stable_decay", {"num_warmup_steps": 500, "num_training_steps": 300}, {"num_decay_steps": 100}),
    ("warmup_stable_decay", LONG, {"num_decay_steps": 0}),
]


def built(name, lengths, arguments, *rates):
    return get_scheduler(name, optimizer(*rates), **lengths, scheduler_specific_kwargs=arguments)


@pytest.mark.parametrize(
    ("name", "lengths", "arguments"), CONFIGURATIONS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CONFIGURATIONS)]
)
def test_every_value_of_10000_steps_is_transformers(name, lengths, arguments):
    scheduler = built(name, lengths, arguments)
    conversion = read(scheduler)
    assert conversion.source == f"transformers {name.replace('cosine_with_min_lr', 'cosine')}"
    assert_same(served(conversion), stepped(scheduler))
    assert assert_read_back(conversion.schedule)


def test_every_name_that_get_scheduler_knows_is_read_or_refused():
    metric = {"reduce_lr_on_plateau", "greedy"}
    assert {kind.value for kind in SchedulerType} == {name for name, _, _ in CONFIGURATIONS} | metric


@given(
    st.sampled_from(["linear", "cosine", "cosine_with_restarts", "polynomial", "cosine_warmup_with_min_lr"]),
    st.integers(0, 60),
    st.integers(1, 90),
    st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_short_runs_of_any_warmup_are_equal_or_refused(name, warmup, steps, cycles):
    more = {"cosine_with_restarts": {"num_cycles": cycles}, "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1}}
    scheduler = built(name, {"num_warmup_steps": warmup, "num_training_steps": steps}, more.get(name, {}))
    try:
        conversion = read(scheduler)
    except ConvertError:
        assert name == "polynomial"
        with pytest.raises(ZeroDivisionError):
            stepped(scheduler, 100)
        return
    assert_same(served(conversion, 100), stepped(scheduler, 100))


@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 30), st.sampled_from(["linear", "cosine", "1-sqrt"]))
@settings(max_examples=100, deadline=None)
def test_warmup_and_decay_that_do_not_fit_are_equal_too(warmup, steps, decay, shape):
    scheduler = get_wsd_schedule(
        optimizer(), warmup, decay, steps, decay_type=shape, warmup_type=shape, min_lr_ratio=0.1
    )
    assert_same(served(read(scheduler), 100), stepped(scheduler, 100))


def test_the_usual_ones_are_read_as_one_would_write_them():
    def text(name, **arguments):
        return read(built(name, {"num_warmup_steps": 5, "num_training_steps": 50}, arguments)).schedule.text

    rise = "linear(5, to=1.0, start=0.0) >> "
    assert text("linear") == rise + "linear(45)"
    assert text("cosine") == rise + "repeat(cosine(45) >> cosine(45, to=1.0, start=0.0))"
    assert text("cosine_with_restarts", num_cycles=3) == rise + "repeat(cosine(15), times=3)"
    assert text("inverse_sqrt") == rise + "inverse_power(timescale=5)"
    assert text("warmup_stable_decay", num_decay_steps=10) == rise + "constant(35) >> cosine(10)"


def test_an_absolute_floor_is_a_ratio_of_the_default_rate_in_every_group():
    scheduler = built("polynomial", {"num_warmup_steps": 0, "num_training_steps": 10}, {"lr_end": 0.05}, 0.1, 0.01)
    conversion = read(scheduler)
    assert (conversion.rate(10, 0), conversion.rate(10, 1)) == pytest.approx((0.05, 0.005))
    assert any("share (0.5)" in quirk for quirk in conversion.quirks)


@pytest.mark.parametrize(
    ("name", "lengths", "arguments", "words"),
    [
        ("linear", LONG, {}, "update 0 uses a rate of 0"),
        ("linear", {"num_warmup_steps": 9, "num_training_steps": 5}, {}, "jumps to its end at update 9"),
        ("cosine", LONG, {}, "rises again after update 8000"),
        ("cosine", LONG, {"num_cycles": 1.5}, "rises again after update 3000"),
        ("cosine_with_restarts", {"num_warmup_steps": 0, "num_training_steps": 1100}, {"num_cycles": 22}, "lost"),
        ("cosine_warmup_with_min_lr", LONG, {"min_lr_rate": 0.1}, "one update early"),
        ("warmup_stable_decay", LONG, {"num_decay_steps": 7800}, "jumps into the decay at update 500"),
    ],
)
def test_quirks_are_named(name, lengths, arguments, words):
    assert any(words in quirk for quirk in read(built(name, lengths, arguments)).quirks)


def test_restarts_that_rounding_loses_stay_lost():
    scheduler = built("cosine_with_restarts", {"num_warmup_steps": 0, "num_training_steps": 1100}, {"num_cycles": 22})
    restarts = read(scheduler).schedule.block(0, 1100)[::50]
    assert min(restarts) < 1e-9 < max(restarts)


def test_what_follows_a_metric_is_refused_with_our_plateau():
    for name in ("reduce_lr_on_plateau", "greedy"):
        scheduler = get_scheduler(name, optimizer())
        with pytest.raises(ConvertError) as caught:
            read(scheduler)
        call = "Plateau(" + str(caught.value).partition("Plateau(")[2].partition(")")[0] + ")"
        assert eval(call, {"Plateau": Plateau, "optimizer": scheduler.optimizer}).patience == 10


@pytest.mark.parametrize(
    ("name", "lengths", "arguments", "words"),
    [
        ("polynomial", {"num_warmup_steps": 9, "num_training_steps": 9}, {}, "divides by zero at update 9"),
        ("polynomial", LONG, {"power": -1.0}, "divides by zero at update 8000"),
        ("warmup_stable_decay", LONG, {"num_decay_steps": 10, "min_lr_ratio": -0.1}, "below 0"),
        ("linear", {"num_warmup_steps": 2.5, "num_training_steps": 9}, {}, "a whole number"),
    ],
)
def test_what_cannot_be_read_says_why(name, lengths, arguments, words):
    with pytest.raises(ConvertError, match=words):
        read(built(name, lengths, arguments))


def test_a_function_of_another_version_is_refused():
    scheduler = built("linear", LONG, {})
    function = scheduler.lr_lambdas[0].func
    try:
        function.__name__ = "_get_newer_lambda"
        with pytest.raises(ConvertError, match="_get_newer_lambda of this version"):
            read(scheduler)
    finally:
        function.__name__ = "_get_linear_schedule_with_warmup_lr_lambda"
    del scheduler.lr_lambdas[0].keywords["num_training_steps"]
    with pytest.raises(ConvertError, match="has no 'num_training_steps'"):
        read(scheduler)


def test_past_the_end_the_values_are_still_equal():
    scheduler = built("cosine", {"num_warmup_steps": 3, "num_training_steps": 40}, {"num_cycles": 2.5})
    conversion = read(scheduler)
    np.testing.assert_allclose(
        [conversion.rate(k) for k in range(9_000, 9_050)],
        [0.1 * scheduler.lr_lambdas[0](k) for k in range(9_000, 9_050)],
        rtol=1e-12,
        atol=1e-13,
    )
