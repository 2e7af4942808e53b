"""What happens when a schedule is built: numbers are normalised once, and mistakes are refused at once."""

import math
from fractions import Fraction

import numpy as np
import pytest

import glidepath as gp


@pytest.mark.parametrize("number", [500, 500.0, np.int64(500), np.float32(500), np.array(500), "500", "0.5k"])
def test_counts_of_every_kind_are_the_same_count(number):
    assert gp.cosine(number) == gp.cosine(500)
    assert (repr(gp.cosine(number)), hash(gp.cosine(number))) == ("cosine(500)", hash(gp.cosine(500)))


@pytest.mark.parametrize("number", [0.5, 1 / 2, np.float64(0.5), np.float32(0.5), np.array(0.5), Fraction(1, 2)])
def test_values_of_every_kind_are_the_same_value(number):
    assert gp.linear(9, to=number) == gp.linear(9, to=0.5)
    assert repr(gp.linear(9, to=number)) == "linear(9, to=0.5)"
    assert repr(number * gp.linear(9)) == "0.5 * linear(9)"


def test_an_integer_where_a_value_is_meant_becomes_a_float():
    assert repr(gp.linear(9, to=2)) == "linear(9, to=2.0)"
    assert repr(2 * gp.linear(9)) == "2.0 * linear(9)"
    assert gp.step(every=3.0) == gp.step(every=3)


def test_minus_zero_is_zero():
    plans = [gp.linear(9, to=-0.0), gp.clip(gp.linear(9), minimum=-0.0), -0.0 * gp.linear(9), -0.0 + gp.linear(9)]
    zeros = [gp.linear(9, to=0.0), gp.clip(gp.linear(9), minimum=0.0), 0.0 * gp.linear(9), 0.0 + gp.linear(9)]
    assert [repr(plan) for plan in plans] == [repr(plan) for plan in zeros]
    assert math.copysign(1, plans[0](100)) == 1.0


@pytest.mark.parametrize(
    "bad", [True, np.bool_(True), None, "x", "5 steps", 1.5, -1, math.nan, math.inf, 1e300, [5], 5j]
)
def test_what_is_no_length_is_refused(bad):
    with pytest.raises(gp.GlidepathError):
        gp.cosine(bad)


@pytest.mark.parametrize("bad", [True, np.bool_(True), None, "x", "5%", math.nan, -math.inf, [5], np.ones(2), 10**400])
def test_what_is_no_value_is_refused(bad):
    with pytest.raises(gp.GlidepathError):
        gp.cosine(9, to=bad)


@pytest.mark.parametrize("bad", [True, "x", None, [1], np.bool_(True)])
def test_what_is_no_factor_does_not_multiply(bad):
    with pytest.raises(TypeError):
        bad * gp.linear(9)
    with pytest.raises(TypeError):
        gp.linear(9) + bad
    with pytest.raises(TypeError):
        gp.linear(9) >> 5


def test_a_factor_must_be_finite():
    with pytest.raises(gp.ScheduleError, match="a factor must be a finite number, not nan"):
        math.nan * gp.linear(9)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: gp.cosine(0.05), 'not 0.05: for a share of the run write "5%"'),
        (lambda: gp.cosine("5 percent"), "'5 percent' is not a duration: did you mean 5% (of the run)?"),
        (lambda: gp.cosine("0.0005k"), "'0.0005k' is not a whole number of steps"),
        (lambda: gp.cosine(2**53 + 1), "must be at most 9007199254740992"),
        (lambda: gp.cosine(9, power=0), "power must be above 0, not 0.0"),
        (lambda: gp.tanh(9, lower=-1000), "lower must be at least -300"),
        (lambda: gp.geometric(9, to=0), "geometric never reaches zero: give ends above 0, not to=0.0"),
        (lambda: gp.geometric(9, to=1e-300, start=1e300), "the ratio is not a float"),
        (lambda: gp.normalized_exponential(9, ratio=1), "ratio must be below 1"),
        (lambda: gp.chebyshev(100), "chebyshev permutes a power of two of steps (64, 128, ...), not 100"),
        (lambda: gp.chebyshev(64, curvature_ratio=1), "curvature_ratio must be below 1"),
        (lambda: gp.step(every=0), "every must be at least 1, not 0"),
        (lambda: gp.step(every=5, factor=-1), "factor must be at least 0"),
        (lambda: gp.exponential(every=5, factor=0), "factor must be above 0"),
        (lambda: gp.multistep([80, 30]), "milestones must ascend, not [80, 30]"),
        (lambda: gp.multistep([30, 80], factor=[0.1]), "2 milestones need 2 factors, or one for all, not 1"),
        (lambda: gp.multistep(30), "milestones is a list, as in [30, 80], not 30"),
        (lambda: gp.table([]), "a table needs at least one value"),
        (lambda: gp.table([1, math.nan]), "a value of the table must be a finite number, not nan"),
        (lambda: gp.noise(seed=2**64), "seed must be at most"),
        (lambda: gp.piecewise_constant([30, 80], values=[1, 0.1]), "2 boundaries need 3 values, not 2"),
        (lambda: gp.piecewise_constant([80, 30], values=[1, 2, 3]), "boundaries must ascend, but 30 follows 80"),
        (lambda: gp.piecewise_linear([(5, 1), (9, 2)]), "the first at step 0"),
        (lambda: gp.piecewise_linear(5), "points is a list"),
        (lambda: gp.piecewise_linear([1, 2]), "a point is a list"),
        (lambda: gp.wsd(100, warmup=60, cooldown=50), "warmup 60 + cooldown 50 = 110 steps do not fit in 100"),
        (lambda: gp.wsd_s([], warmup=1, cooldown=1), "wsd_s needs at least one period"),
        (lambda: gp.one_cycle(100, rise=1.5), "rise must be at most 1"),
        (lambda: gp.noam(model_width=512, warmup=0), "warmup must be at least 1"),
        (lambda: gp.formula(5), "formula takes a text or a function of the step, not 5"),
        (lambda: gp.clip(gp.linear(9)), "clip needs a floor, a ceiling or both"),
        (
            lambda: gp.clip(gp.linear(9), minimum=1, maximum=0),
            "clip needs minimum <= maximum, not minimum=1.0 and maximum=0.0",
        ),
        (lambda: gp.clip(5, minimum=0), "clip needs a schedule, as in cosine(1000), not 5"),
        (lambda: gp.maximum(gp.linear(9), 0.1), "maximum needs a schedule"),
        (lambda: gp.noisy(5), "noisy needs a schedule"),
        (lambda: gp.staircase(5, every=3), "staircase needs a schedule"),
        (lambda: gp.rewarm(5, at=3, steps=3), "rewarm needs a schedule"),
        (lambda: gp.repeat(gp.constant()), "constant() has no end: cut it first, as in repeat(constant()[:1000])"),
        (lambda: gp.repeat(gp.linear(0)), "linear(0) lasts 0 steps: repeat needs at least 1"),
        (lambda: gp.repeat(gp.linear(9), times=0), "times must be at least 1"),
        (lambda: gp.repeat(gp.linear(9), growth=0.5), "growth must be at least 1"),
        (lambda: gp.repeat(gp.linear(9), growth=1.001), "growth is 1, or at least 1.01, not 1.001"),
        (lambda: gp.repeat(gp.linear(9)[:5], growth=2), "cannot be stretched to 10 steps: repeat it without growth"),
        (lambda: gp.repeat(gp.linear(9), times=99, growth=2), "lasts more than 2**53 steps"),
        (lambda: gp.linear(2**53) >> gp.linear(1), "lasts more than 2**53 steps"),
        (lambda: gp.reverse(gp.step(every=3)), "has no end: cut it first, as in reverse(step(every=3)[:1000])"),
        (lambda: gp.step(every=3) >> gp.linear(9), "has no end, so nothing after it would ever run: cut it"),
        (lambda: gp.constant() >> gp.constant() >> gp.linear(9), "(constant() at 1 and 2); only one can take"),
        (lambda: gp.linear(9)[-5:], "the start of a cut must be at least 0, not -5"),
        (lambda: gp.linear(9)[5:3], "the end of a cut must be at least 5, not 3"),
    ],
)
def test_a_mistake_says_what_was_given_and_what_is_allowed(build, says):
    with pytest.raises(gp.ScheduleError) as caught:
        build()
    assert says in str(caught.value)


def test_our_errors_are_also_those_that_python_would_raise():
    assert issubclass(gp.ScheduleError, ValueError)
    assert issubclass(gp.TextError, ValueError)
    assert issubclass(gp.StepError, TypeError)
    assert issubclass(gp.DraftError, TypeError)
    assert issubclass(gp.HorizonError, ValueError)


def test_products_of_many_factors_are_rounded_once():
    factors = [0.1, 0.3, 0.7, 0.9, 1.1] * 20
    exact = [Fraction(1)]
    for factor in factors:
        exact.append(exact[-1] * Fraction(factor))
    plan = gp.multistep(range(1, 101), factor=factors)
    assert [plan(k) for k in range(101)] == [float(value) for value in exact]


# --- formulas ---


@pytest.mark.parametrize(
    ("expression", "step", "value"),
    [
        ("sin(step) / step", 0, math.nan),
        ("1 / step", 0, math.inf),
        ("-1 / step", 0, -math.inf),
        ("log(step)", 0, -math.inf),
        ("log(step - 1)", 0, math.nan),
        ("sqrt(step - 1)", 0, math.nan),
        ("step ** -1", 0, math.inf),
        ("(step - 8) ** 0.5", 0, math.nan),
        ("2 ** 3 ** 2", 0, 512.0),
        ("-2 ** 2", 0, -4.0),
        ("10 ** 400", 0, math.inf),
        ("exp(1000 * step)", 1, math.inf),
        ("step % 0", 5, math.nan),
        ("step // 0", 5, math.inf),
        ("step // 0.1", 1, 1 // 0.1),
        ("-step // 2", 3, -2.0),
        ("-step % 3", 1, 2.0),
        ("min(step, 3) + max(step, 3)", 9, 12.0),
        ("max(step / step, 1)", 0, math.nan),
        ("floor(step / 2) + ceil(step / 2)", 5, 5.0),
        ("abs(-step) + tanh(0) + (e - e)", 4, 4.0),
        ("cos(pi * step)", 1, -1.0),
        ("step", 2**53, 2.0**53),
        ("1_000 * step", 2, 2000.0),
    ],
)
def test_a_formula_follows_ieee_754(expression, step, value):
    plan = gp.formula(expression)
    np.testing.assert_equal(plan(step), value)
    np.testing.assert_allclose(plan(np.array([step, step])), [value, value], rtol=1e-15)


def test_a_formula_without_a_step_is_still_an_array():
    assert gp.formula("1 / 4")(np.arange(3)).tolist() == [0.25, 0.25, 0.25]


def test_a_formula_is_not_code():
    for text in ("__import__('os')", "step.real", "step if step else 1", "lambda: 1", "[step]", "step == 1", "x := 1"):
        with pytest.raises(gp.TextError):
            gp.formula(text)


def test_a_python_function_is_a_schedule_that_equals_only_itself():
    def half(step):
        return 0.5

    plan = gp.formula(half)
    assert plan == gp.formula(half) != gp.formula(lambda step: 0.5)
    assert plan(3) == 0.5
    assert plan(np.arange(3)).tolist() == [0.5] * 3
    assert (2 * plan)(3) == 1.0


def test_a_function_that_fails_says_at_which_step():
    plan = gp.formula(lambda step: 1 / (step - 3))
    assert plan(4) == 1.0
    with pytest.raises(gp.ScheduleError, match="raised ZeroDivisionError at step 3"):
        plan(3)
