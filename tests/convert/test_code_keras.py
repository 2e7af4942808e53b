"""Plans as schedules of Keras: executed, traced, and through their configurations. Keras computes in float32."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from typing import Any

import jax
import keras
import numpy as np
import pytest

from glidepath import Schedule, parse
from glidepath.convert import code
from glidepath.errors import ConvertError
from tests.catalogue import SCHEDULES

from .executed import apart, executed, read_back, steps_of

LONGEST = 2**24  # float32 does not tell later steps apart

# plan, and what its code uses
OWN = {
    "cosine(5000, to=0.1)": "schedule = CosineDecay(initial_learning_rate=1.0, decay_steps=5000, alpha=0.1)",
    "0.5 * (linear(500, to=1.0, start=0.1) >> cosine(5000, to=0.1))": "warmup_target=0.5",
    "linear(5000, to=0.1)": "PolynomialDecay(",
    "polynomial(5000, power=2.0)": "power=2.0",
    "polynomial(5000, power=2.5)": "class Plan",  # compiled, Keras's is nan at its end
    "exponential(every=500, factor=0.9)": "ExponentialDecay(",
    "step(every=41, factor=0.9)": "class Plan",  # compiled, a stair of Keras may be late
    "inverse_time(every=500)": "InverseTimeDecay(",
    "multistep([30, 80])": "PiecewiseConstantDecay(boundaries=[29, 79], values=[1.0, 0.1, 0.01])",
    "piecewise_constant([400, 3000], values=[0.1, 1, 0.1])": "boundaries=[399, 2999]",
    "repeat(cosine(41, to=0.1))": "class Plan",  # and a restart too
    "repeat(cosine(1000), growth=2)": "class Plan",
    "warmup(500) >> cosine(5000)": "class Plan",
    "linear(500, to=1.0, start=0.1) >> 0.5 * cosine(5000)": "class Plan",
    "linear(500, to=1.0, start=0.5)[:20] >> cosine(5000)": "class Plan",
    "constant()": "class Plan",
    "one_minus_sqrt(5000)": "class Plan",
}
QUICK = sorted({*SCHEDULES[::3], *OWN})
NO_TABLE = ["2.0 + clip(noise(), minimum=-1.0, maximum=1.0)", "noisy(cosine(1000))", "chebyshev(1125899906842624)"]


def schedule(plan: Schedule, peak: float | None = None) -> Any:
    try:
        return executed(code(plan, to="keras", peak=peak))["schedule"]
    finally:
        keras.saving.get_custom_objects().clear()  # every program names its class Plan


def traced(made: Any, steps: list[int]) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(lambda k: made(k)))(np.array(steps, dtype="int32")), dtype=np.float64)


@pytest.mark.parametrize(
    "text", [text for text in QUICK if text not in NO_TABLE and "noise(seed" not in text and "noisy(" not in text]
)
def test_a_traced_schedule_has_the_values_of_its_plan_in_the_run_and_past_its_end(text: str) -> None:
    plan = parse(text)
    steps = [k for k in steps_of(plan, LONGEST) if plan(k) < 1e38]  # float32 has none above
    assert apart(traced(schedule(plan), steps), plan, steps) < 2e-5


@pytest.mark.parametrize("text", OWN)
def test_the_classes_of_keras_are_used_where_they_are_the_same(text: str) -> None:
    source = code(parse(text), to="keras")
    assert OWN[text] in source
    assert ("Keras has no class for this plan" in source) == (OWN[text] == "class Plan")


@pytest.mark.parametrize("text", [text for text, uses in OWN.items() if uses != "class Plan"])
def test_what_is_written_of_the_classes_of_keras_is_read_back(text: str) -> None:
    plan = parse(text)
    assert read_back(schedule(plan), plan) < 1e-12


@pytest.mark.parametrize("text", ["warmup(50) >> cosine(50, to=0.1)", "cosine(100)", "constant()", "multistep([3, 5])"])
def test_the_peak_is_the_rate_at_1_and_part_of_the_configuration(text: str) -> None:
    plan, steps = parse(text), list(range(120))
    made = schedule(plan, 3e-4)
    assert apart(traced(made, steps), plan, steps, peak=3e-4) < 1e-6
    again = type(made).from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert traced(again, steps).tolist() == traced(made, steps).tolist()


def test_the_class_is_saved_and_loaded_with_its_optimizer() -> None:
    made = executed(code(parse("warmup(50) >> rex(50)"), to="keras", peak=0.1))["schedule"]
    saved = keras.saving.serialize_keras_object(made)
    again = keras.saving.deserialize_keras_object(saved)
    assert again is not made
    assert float(again(3)) == pytest.approx(0.1 * 4 / 50, rel=1e-6)
    keras.saving.get_custom_objects().clear()


@pytest.mark.parametrize("text", ["warmup(3) >> rex(5)", "linear(2, to=1.0, start=0.5) >> cosine(5)", "constant()"])
def test_an_optimizer_of_keras_takes_it(text: str) -> None:
    plan = parse(text)
    variable = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(schedule(plan, 0.1))
    for k in range(9):
        before = float(variable.value)
        optimizer.apply([keras.ops.ones(())], [variable])
        assert before - float(variable.value) == pytest.approx(0.1 * plan(k), abs=1e-6)


@pytest.mark.parametrize("text", NO_TABLE)
def test_what_is_no_formula_and_has_no_end_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(ConvertError, match=r"no formula in ops.*cut it, as in plan\[:10_000\]"):
        code(parse(text), to="keras")
