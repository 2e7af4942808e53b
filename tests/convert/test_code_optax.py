"""Plans as schedules of optax: executed in float64, in optax's own float32, and traced."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from glidepath import Schedule, parse
from glidepath.convert import code
from glidepath.errors import NoFormulaError
from tests.catalogue import SCHEDULES

from .executed import apart, executed, read_back, steps_of

LONGEST = 2**31  # optax counts in 32 bits

# plan, and what its code uses
OWN = {
    "warmup(500) >> cosine(9500)": ["join_schedules(", "linear_schedule(", "cosine_decay_schedule("],
    "3e-4 * (warmup(50) >> constant(75) >> one_minus_sqrt(20))": ["jnp.select("],
    "3e-4 * warmup(50) >> constant(75)": ["join_schedules(", "constant_schedule(1.0)"],
    "3e-4 * (warmup(50) >> constant(75) >> linear(20))": ["constant_schedule(0.0003)", "boundaries=[50, 125]"],
    "cosine(5000, to=0.1, power=1.5)": ["schedule = optax.cosine_decay_schedule(", "alpha=0.1", "exponent=1.5"],
    "cosine(50, to=0.2, start=0.8)": ["init_value=0.8", "alpha=0.25"],
    "polynomial(5000, power=3.0)": ["schedule = optax.polynomial_schedule("],
    "polynomial(5000, power=0.9)": ["jnp"],  # compiled, optax's is nan at its end
    "geometric(5000)": ["schedule = optax.exponential_decay(", "end_value=0.01"],
    "geometric(5000, start=0.01, to=1.0)": ["optax.exponential_decay("],
    "exponential(every=500, factor=0.9)": ["schedule = optax.exponential_decay("],
    "step(every=41, factor=0.9)": ["0.9 ** (count // 41)"],  # compiled, a stair of optax may be late
    "exponential(every=500, factor=0.9)[:900] >> linear(10)": ["exponential_decay(", "boundaries=[900]"],
    "cosine(5000, power=0.3)": ["jnp"],  # 1 + cos has few digits left for a root
    "multistep([3, 3, 8], factor=[0.1, 0.5, 2.0])": ["{3: 0.05, 8: 2.0}"],
    "multistep([30, 80])": ["piecewise_constant_schedule("],
    "step(every=1, factor=0.0)": ["jnp"],
    "-1.0 * geometric(50)": ["jnp"],  # optax takes an end for a bound
    "cosine(50, to=1.0, start=0.0)": ["jnp"],
    "warmup(1) >> linear(9)": ["jnp"],
    "noisy(cosine(1000))[:1000]": ["VALUES", "a table"],
    "chebyshev(64)": ["VALUES", "a table"],
    "clip(noise(), minimum=0.0)[:64] >> linear(5, start=0.5)": ["VALUES", "a table"],
    "cosine_restarts(100, growth=2)": ["searchsorted"],
}
NO_TABLE = [
    "2.0 + clip(noise(), minimum=-1.0, maximum=1.0)",
    "noisy(cosine(1000))",
    "noise(seed=18446744073709551615)",
    "noisy(warmup(10) >> cosine(90), spread=0.1, limit=0.2, seed=7)",
    "chebyshev(1125899906842624)",
]
JUMPING = 'formula("cos(pi * step / 100) // 0.1 + max(step % 7, 2) ** 0.5 - exp(-step)")'  # where cosines round apart
WRITABLE = sorted({*SCHEDULES, *OWN} - {*NO_TABLE, JUMPING})


def schedule(plan: Schedule, peak: float | None = None) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = executed(code(plan, to="optax", peak=peak))["schedule"]
    return made


def traced(made: Callable[[Any], Any], steps: list[int]) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(made))(np.array(steps)), dtype=np.float64)


@pytest.mark.parametrize("text", WRITABLE)
def test_in_float64_a_traced_schedule_has_the_values_of_its_plan(text: str) -> None:
    plan = parse(text)
    steps = steps_of(plan, LONGEST)
    with jax.enable_x64(True):
        assert apart(traced(schedule(plan), steps), plan, steps) < 1e-12


@pytest.mark.parametrize("text", sorted({*WRITABLE[::3], *OWN} & {*WRITABLE}))
def test_in_float32_a_traced_schedule_has_the_values_of_its_plan(text: str) -> None:
    plan = parse(text)
    # float32 does not tell steps apart from 2**24 on, and has no numbers above 3e38
    steps = [k for k in steps_of(plan, LONGEST) if k < 2**24 and plan(k) < 1e38]
    assert apart(traced(schedule(plan), steps), plan, steps) < 2e-5


@pytest.mark.parametrize(
    "text",
    [
        "linear(9) >> polynomial(50, power=0.5)",
        "linear(9) >> polynomial(50, power=2.0, k=0.5)",
        "linear(9) >> one_minus_sqrt(50)",
        "linear(9) >> cosine(50, power=0.3)",
        "linear(9) >> cosine(50, k=0.3)",
    ],
)
def test_what_is_computed_and_not_taken_is_a_number_too(text: str) -> None:
    made = schedule(parse(text))
    with jax.debug_nans(True):
        assert [float(made(jnp.int32(k))) for k in (0, 5, 30, 59, 90)] == pytest.approx(
            [parse(text)(k) for k in (0, 5, 30, 59, 90)], abs=1e-6
        )


def test_the_steps_of_a_formula_do_not_overflow() -> None:
    plan = parse('formula("step * step ** 2 / 1e18")')
    assert traced(schedule(plan), [10**6])[0] == pytest.approx(plan(10**6), rel=1e-6)


def test_a_root_stays_a_number_where_float32_rounds_the_share_to_1() -> None:
    plan, last = parse("cosine(16000000, power=0.3)"), 15_999_999
    assert np.isfinite(traced(schedule(plan), [last - 1, last, last + 1])).all()


def test_a_formula_that_jumps_differs_only_where_it_jumps() -> None:
    plan, steps = parse(JUMPING), list(range(10_000))
    with jax.enable_x64(True):
        differs = np.abs(traced(schedule(plan), steps) - plan.block(0, 10_000)) > 1e-12
    jumps = np.abs(np.cos(np.pi * np.arange(10_000) / 100) * 10 % 1 - 0.5) > 0.5 - 1e-9
    assert not (differs & ~jumps).any()


@pytest.mark.parametrize("text", OWN)
def test_optaxs_own_schedules_are_used_where_they_are_the_same(text: str) -> None:
    source = code(parse(text), to="optax")
    assert all(name in source for name in OWN[text])
    assert ("import optax" in source) == ("jnp" not in source)
    assert ("no schedules for this plan" in source) == ("jnp" in source and "a table" not in source)


@pytest.mark.parametrize("text", [text for text in OWN if "import optax" in code(parse(text), to="optax")])
def test_what_is_written_of_optaxs_own_schedules_is_read_back(text: str) -> None:
    plan = parse(text)
    assert read_back(schedule(plan), plan) < 1e-12


@pytest.mark.parametrize("text", ["warmup(50) >> cosine(50, to=0.1)", "rex(100)", "constant()", "chebyshev(64)"])
def test_the_peak_is_the_rate_at_1(text: str) -> None:
    plan, steps = parse(text), list(range(120))
    with jax.enable_x64(True):
        assert apart(traced(schedule(plan, 3e-4), steps), plan, steps, peak=3e-4) < 1e-12


@pytest.mark.parametrize("text", ["rex(100)", "constant()", "repeat(warmup(3) >> linear(10))", "table([1.0, 0.5])"])
def test_a_function_takes_a_python_int_a_tracer_and_an_array(text: str) -> None:
    plan, made = parse(text), schedule(parse(text))
    assert float(made(7)) == pytest.approx(plan(7), rel=1e-6)
    assert float(jax.jit(made)(jnp.int32(7))) == pytest.approx(plan(7), rel=1e-6)
    if "import optax" not in code(plan, to="optax"):  # its own constants are numbers
        assert made(jnp.arange(9)).tolist() == pytest.approx([plan(k) for k in range(9)], rel=1e-6)


def test_an_optimizer_of_optax_takes_it() -> None:
    plan = parse("warmup(3) >> rex(5)")
    optimizer = optax.sgd(schedule(plan, 0.1))
    state = optimizer.init(jnp.zeros(()))
    update = jax.jit(optimizer.update)
    for k in range(10):
        change, state = update(jnp.ones(()), state)
        assert float(-change) == pytest.approx(0.1 * plan(k), abs=1e-8)


@pytest.mark.parametrize("text", NO_TABLE)
def test_what_is_no_formula_and_has_no_end_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(NoFormulaError, match=r"no formula in jnp.*cut it, as in plan\[:10_000\] \[GP502\]"):
        code(parse(text), to="optax")


@pytest.mark.parametrize("text", ["rex(9)", "repeat(rex(9), growth=2)", '0.5 * formula("step % 7 / 7")'])
def test_a_python_int_past_the_end_has_a_value(text: str) -> None:
    plan = parse(text)
    schedule = executed(code(plan, to="optax"))["schedule"]
    assert [float(schedule(k)) for k in range(40)] == pytest.approx([plan(k) for k in range(40)], rel=2e-5, abs=1e-6)
