"""Every schedule of Keras, read and compared with itself: in float64, where Keras is told to, and in its float32."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np
import pytest

from glidepath import Schedule, cosine, cosine_restarts, linear, parse
from glidepath.convert import read
from glidepath.convert.readers import keras as readers
from glidepath.errors import ConvertError

schedules = keras.optimizers.schedules

STEPS = np.unique(np.r_[0:10_000, 10_000:30_000:97, 10**6])  # all of a run, and past its end


def values(theirs: keras.optimizers.schedules.LearningRateSchedule) -> np.ndarray:
    return np.asarray(jax.vmap(lambda k: theirs(k))(STEPS.astype("int32")), dtype=np.float64)


def exact_values(theirs: keras.optimizers.schedules.LearningRateSchedule) -> np.ndarray:
    keras.config.set_floatx("float64")
    try:
        with jax.enable_x64(True):
            return values(theirs)
    finally:
        keras.config.set_floatx("float32")


def ours(plan: Schedule) -> np.ndarray:
    return np.array([plan(int(k)) for k in STEPS])


SCHEDULES = {
    "exponential": schedules.ExponentialDecay(0.1, 1_000, 0.96),
    "exponential in stairs": schedules.ExponentialDecay(0.1, 700, 0.5, staircase=True),
    "piecewise constant": schedules.PiecewiseConstantDecay([3_000, 6_000], [0.1, 0.01, 0.005]),
    "piecewise constant of fractions": schedules.PiecewiseConstantDecay([3_000.7, 6_000.2], [0.1, 0.01, 0.005]),
    "piecewise constant from the beginning": schedules.PiecewiseConstantDecay([-7, 0], [0.1, 0.01, 0.005]),
    "polynomial": schedules.PolynomialDecay(0.1, 8_000, 0.001, power=2.0),
    "polynomial of a fraction": schedules.PolynomialDecay(0.1, 8_000, 0.001, power=0.5),
    "polynomial that is linear": schedules.PolynomialDecay(0.1, 8_000),
    "polynomial to the power of 0": schedules.PolynomialDecay(0.1, 8_000, power=0.0),
    "polynomial in cycles": schedules.PolynomialDecay(0.1, 3_000, 0.001, power=1.5, cycle=True),
    "inverse time": schedules.InverseTimeDecay(0.1, 100, 0.5),
    "inverse time in stairs": schedules.InverseTimeDecay(0.1, 100, 0.5, staircase=True),
    "cosine": schedules.CosineDecay(0.1, 9_000),
    "cosine with a floor": schedules.CosineDecay(0.1, 9_000, alpha=0.1),
    "cosine with a warmup": schedules.CosineDecay(0.0, 8_000, alpha=0.1, warmup_target=0.1, warmup_steps=500),
    "cosine with a warmup of no steps": schedules.CosineDecay(0.02, 8_000, warmup_target=0.1, warmup_steps=0),
    "cosine with a warmup that is not asked for": schedules.CosineDecay(0.1, 9_000, warmup_steps=500),
    "restarts": schedules.CosineDecayRestarts(0.1, 1_000, t_mul=1.0),
    "restarts that shrink": schedules.CosineDecayRestarts(0.1, 1_000, t_mul=1.0, m_mul=0.8, alpha=0.1),
    "restarts that grow": schedules.CosineDecayRestarts(0.1, 1_000, m_mul=0.8, alpha=0.1),
    "restarts that grow unevenly": schedules.CosineDecayRestarts(0.1, 333, t_mul=1.3, m_mul=0.8, alpha=0.1),
    "restarts that grow unevenly to zero": schedules.CosineDecayRestarts(0.1, 333, t_mul=2.5),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_the_same_values_in_the_run_and_past_its_end(name: str) -> None:
    conversion = read(SCHEDULES[name])
    assert conversion.bases == (1.0,)
    single = "cosine" in name or "restarts" in name  # keras.ops.cos answers in float32 all the same
    close = {"rtol": 1e-12, "atol": 2e-8 if single else 1e-13}
    np.testing.assert_allclose(ours(conversion.schedule), exact_values(SCHEDULES[name]), **close)
    assert parse(conversion.schedule.text) == conversion.schedule


@pytest.mark.parametrize("name", SCHEDULES)
def test_in_float32_the_values_are_those_but_where_keras_misses_a_restart(name: str) -> None:
    mine, theirs = ours(read(SCHEDULES[name]).schedule), values(SCHEDULES[name])
    apart = np.abs(mine - theirs) > 5e-6
    within = STEPS <= 30_000  # a million steps are many cycles of 1000: float32 has no digits left for them
    assert apart[within].sum() <= (2 if "grow" in name else 0), (STEPS[apart], mine[apart], theirs[apart])


def test_every_schedule_of_the_package_is_among_them() -> None:
    classes = {name for name, value in vars(schedules).items() if isinstance(value, type)}
    assert classes - {"LearningRateSchedule"} == {type(theirs).__name__ for theirs in SCHEDULES.values()}


def test_a_schedule_reads_as_people_write_it() -> None:
    plan = read(SCHEDULES["cosine with a warmup"]).schedule
    assert plan == linear(500, to=0.1, start=0.0) >> 0.1 * cosine(8_000, to=0.1)
    assert read(SCHEDULES["restarts that grow"]).schedule == 0.1 * cosine_restarts(1_000, growth=2, shrink=0.8, to=0.1)
    assert read(SCHEDULES["cosine"]).source == "keras CosineDecay"


@pytest.mark.parametrize(("steps", "growth", "restart"), [(64, 1.5, 844), (256, 1.25, 976), (100, 1.2, 364)])
def test_a_restart_at_a_whole_step_is_not_lost_to_rounding(steps: int, growth: float, restart: int) -> None:
    plan = read(schedules.CosineDecayRestarts(0.1, steps, t_mul=growth)).schedule
    assert plan(restart) == pytest.approx(0.1)
    assert plan(restart - 1) < 1e-4


def test_a_boundary_of_keras_takes_effect_one_update_later() -> None:
    plan = read(SCHEDULES["piecewise constant"]).schedule
    assert [plan(3_000), plan(3_001)] == [0.1, 0.01]


@pytest.mark.parametrize(
    ("name", "quirk"),
    [
        ("piecewise constant", "a boundary b still belongs to what is before it"),
        ("polynomial to the power of 0", "the first value stays"),
        ("polynomial in cycles", "at its end at every multiple of 3000"),
        ("cosine with a warmup", "decay_steps begin after the warmup"),
        ("cosine with a warmup", "update 0 uses a rate of 0"),
        ("cosine with a warmup that is not asked for", "does nothing"),
        ("exponential in stairs", "stairs may come an update late"),
        ("inverse time in stairs", "stairs may come an update late"),
        ("polynomial of a fraction", "may be nan at its end"),
        ("restarts", "a restart may come an update late"),
        ("restarts that grow", "may miss a restart"),
    ],
)
def test_what_people_do_not_expect_is_named(name: str, quirk: str) -> None:
    assert any(quirk in told for told in read(SCHEDULES[name]).quirks)


@pytest.mark.parametrize("name", ["exponential", "polynomial", "inverse time", "cosine"])
def test_where_nothing_is_strange_nothing_is_said(name: str) -> None:
    assert read(SCHEDULES[name]).quirks == ()


class Own(schedules.LearningRateSchedule):
    def __call__(self, step: int) -> float:
        return 0.1


class CosineDecay(schedules.CosineDecay):
    """Bears the name of Keras's own, and is another."""


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (Own(), "Own is not one of Keras's own schedules.*glidepath.table"),
        (CosineDecay(0.1, 100), "not one of Keras's own"),
        (schedules.CosineDecay(0.1, 100.5), "whole number"),
        (schedules.CosineDecayRestarts(0.1, 100, t_mul=0.5), "t_mul is 0.5"),
        (schedules.ExponentialDecay(0.1, 100, 0.0), "factor must be above 0"),
        (schedules.PiecewiseConstantDecay([50, 20], [1.0, 0.5, 0.1]), "ascend"),
        (
            schedules.PiecewiseConstantDecay([float("nan")], [1.0, 0.5]),
            "a boundary cannot be read: nan is not a finite number.*glidepath.table",
        ),
        (
            schedules.PiecewiseConstantDecay([float("inf")], [1.0, 0.5]),
            "a boundary cannot be read: inf is not a finite number",
        ),
        (schedules.CosineDecay(float("nan"), 100), "cannot be read: .*must be a finite number"),
        (schedules.InverseTimeDecay([0.1, 0.2], 10, 0.5), "not one number"),
    ],
)
def test_what_cannot_be_read_is_refused(theirs: schedules.LearningRateSchedule, reason: str) -> None:
    with pytest.raises(ConvertError, match=reason):
        read(theirs)


def test_another_version_of_keras_that_names_things_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules.CosineDecay, "get_config", lambda self: {"initial_learning_rate": 0.1})
    with pytest.raises(ConvertError, match="keras CosineDecay has no 'warmup_target' in this version"):
        read(schedules.CosineDecay(0.1, 100))


def test_a_bug_of_a_reader_is_not_shown_as_a_mistake_of_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(config: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setitem(readers.CLASSES, "CosineDecay", broken)
    with pytest.raises(TypeError, match="a bug"):
        read(schedules.CosineDecay(0.1, 100))
