"""A number divided by a plan: for weight decay that does not follow the rate, whose product with it stays."""

import math
import warnings

import numpy as np
import pytest

import glidepath as gp
from glidepath.errors import NoFormulaError, SchedulerError
from tests.catalogue import VARIANTS


@pytest.mark.parametrize("text", VARIANTS)
def test_every_value_of_a_quotient_is_the_number_over_the_plan(text):
    plan = gp.parse(text)
    quotient = 0.5 / plan
    for k in range(60):
        value = plan(k)
        assert quotient(k) == (0.5 / value if value else math.copysign(math.inf, value))
    assert quotient.block(0, 60) == [quotient(k) for k in range(60)]
    assert quotient.duration == plan.duration


@pytest.mark.parametrize("text", VARIANTS)
@pytest.mark.parametrize("build", ["{}", "2 * {}", "({}) * constant()", "constant() + {}", "({})[:9]", "1 / ({})"])
def test_the_text_of_a_quotient_is_read_back_wherever_it_stands(text, build):
    plan = 1 / gp.parse(text)
    whole = gp.parse(build.format(f"(1 / ({text}))"))
    assert gp.parse(whole.text) == whole
    assert gp.parse(plan.text) == plan


def test_the_number_is_printed_as_python_reads_it():
    plan = 1 / (gp.warmup(10) >> gp.cosine(90, to=0.1))
    assert plan.text == "1.0 / (warmup(10) >> cosine(90, to=0.1))"
    assert gp.parse("1 / (warmup(10) >> cosine(90, to=0.1))") == plan
    assert (1 / (2 * gp.linear(9))).text == "1.0 / (2.0 * linear(9))"
    assert gp.parse("6 / 3 / linear(9)") == 2 / gp.linear(9)


def test_arrays_have_the_bits_of_single_steps_and_no_warning():
    plan = 1 / gp.linear(5)
    assert plan(np.arange(8)).tolist() == [plan(k) for k in range(8)] == [*plan.block(0, 8)]
    assert plan(5) == math.inf


def test_zero_over_zero_is_nan():
    assert math.isnan((0 / gp.linear(5))(5))


def test_a_draft_divides_once_its_horizon_is_there():
    draft = 1 / (gp.warmup("5%") >> gp.constant())
    assert draft.over(100) == 1 / (gp.warmup(5) >> gp.constant(95))


@pytest.mark.parametrize("wrong", ["cosine(9) / 2", "cosine(9) / cosine(9)"])
def test_only_a_number_is_divided(wrong):
    with pytest.raises(gp.TextError, match="may divide a number"):
        gp.parse(wrong)
    with pytest.raises(TypeError):
        gp.cosine(9) / 2  # type: ignore[operator]
    with pytest.raises(gp.GlidepathError):
        math.nan / gp.cosine(9)


def test_a_review_names_the_step_where_the_plan_is_zero():
    assert "step 5: the value is infinite" in str((1 / gp.linear(5)).review(10))
    assert not (1 / gp.linear(5, to=0.1)).review(10).findings


@pytest.mark.parametrize("to", ["torch", "optax", "keras", "function"])
def test_code_of_a_plan_that_ends_at_zero_is_refused(to):
    from glidepath.convert import code

    with pytest.raises(NoFormulaError, match="infinite"):
        code(1 / gp.linear(5), to=to)


def test_rate_times_decay_stays_what_it_was():
    torch = pytest.importorskip("torch")
    from glidepath.torch import Scheduler

    plan = gp.warmup(3) >> gp.cosine(20, to=0.1)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=0.01, weight_decay=0.1)
    scheduler = Scheduler(optimizer, plan, weight_decay=1 / plan)
    group = optimizer.param_groups[0]
    for k in range(30):
        assert group["lr"] == 0.01 * plan(k)
        assert group["weight_decay"] == 0.1 * (1 / plan(k))
        assert group["lr"] * group["weight_decay"] == pytest.approx(0.001, rel=1e-15)
        optimizer.step()
        scheduler.step()


def test_the_scheduler_refuses_the_update_where_the_plan_is_zero():
    torch = pytest.importorskip("torch")
    from glidepath.torch import Scheduler

    plan = gp.linear(3)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=0.01, weight_decay=0.1)
    Scheduler(optimizer, plan, weight_decay=1 / plan)
    for _ in range(3):
        optimizer.step()
    warnings.simplefilter("ignore")  # the rate itself is 0 from here on, which is named
    with pytest.raises(SchedulerError, match="inf"):
        optimizer.step()
    assert optimizer.param_groups[0]["weight_decay"] == 0.1 / plan(2)
