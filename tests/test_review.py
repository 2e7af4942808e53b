"""Mistakes that can be seen before a run, and the schedules of the papers, which have none."""

import math
import time

import pytest

import glidepath as gp
from glidepath.codes import CODES
from glidepath.review import RULES, Finding
from glidepath.review.finding import CODE_OF_RULE
from tests.catalogue import MILLION, RECIPES


def findings(plan, horizon=None):
    plan = gp.parse(plan) if isinstance(plan, str) else plan
    return {finding.rule: finding for finding in plan.review(horizon).findings}


# --- no false alarms ---

# its noise falls below zero where the line has come near it, in the paper's own numbers too
REALLY_NEGATIVE = {"noisy_linear_cosine"}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_as_its_paper_uses_it_is_clean(name):
    text, steps = RECIPES[name]
    review = gp.parse(text).review(steps)
    assert set(findings(text, steps)) == ({"negative"} if name in REALLY_NEGATIVE else set()), str(review)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_times_a_rate_is_as_clean(name):
    text, steps = RECIPES[name]
    review = (3e-4 * gp.parse(text)).review(steps)
    assert {f.rule for f in review.findings} == ({"negative"} if name in REALLY_NEGATIVE else set()), str(review)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        # ResNet, Wide ResNet, DenseNet, MoCo, VGG, detection, GANs
        ("step(every=30)", 90),
        ("multistep([60, 120, 160], factor=0.2)", 200),
        ("multistep([32000, 48000])", 64_000),
        ("0.1 * constant(400) >> constant(31600) >> multistep([16000], factor=0.1)", 64_000),
        ("piecewise_constant([400, 32000, 48000], values=[0.01, 0.1, 0.01, 0.001])", 64_000),
        ("warmup(5ep) >> multistep([25ep, 55ep, 75ep])", gp.Horizon("90ep", steps_per_epoch=5004)),
        ("warmup(500, start=0.001) >> multistep([59500, 79500])", 90_000),
        ("constant(100) >> linear(100)", 200),
        # a factor of a hundred at a milestone is meant
        ("multistep([1000], factor=0.01)", 1200),
        ("step(every=400, factor=0.02) * constant(1000)", 1000),
        ("step(every=400, factor=0.1) * cosine(1000)", 800),
        ("clip(step(every=30), minimum=0.001)", 90),
        ("staircase(exponential(every=30, factor=0.05), every=30)", 60),
        # exponential decay: Inception (0.94 every two epochs), EfficientNet (0.97 every 2.4), the note
        ("exponential(every=2, factor=0.94)", 100),
        ("staircase(exponential(every=12, factor=0.97), every=12)", 1750),
        ("exponential(every=1000, factor=0.96)", 100_000),
        # language models
        ("warmup(2000) >> cosine(598000, to=0.1)", 600_000),
        (
            "warmup(375Mtok) >> cosine(260Btok, to=0.1) >> 0.1 * constant()",
            gp.Horizon("300Btok", tokens_per_step="500k"),
        ),
        ("warmup(1%) >> constant() >> one_minus_sqrt(20%)", 100_000),
        ("wsd(100%, warmup=1%, cooldown=10%)", 50_000),
        ("warmup(10%) >> linear(90%)", 10_000),
        ("linear(90%, to=0.0001) >> 0.0001 * constant()", 1000),
        ("warmup(2000) >> cosine(98000, to=1e-05)", 100_000),
        ("3e-4 * (warmup(500) >> constant(7500) >> linear(2000))", 10_000),
        ("warmup(4000) >> inverse_power(4000)", 300_000),
        ("noam(model_width=512, warmup=4000)", 1_000_000),
        ("inverse_time(every=1)", 1_000_000),
        # cycles, restarts, sweeps
        ("cosine_restarts(10, growth=2)", 630),
        ("cosine_restarts(10000, shrink=0.5, times=5)", 50_000),
        ("repeat(cosine(1000), times=3, shrink=1.2)", 3000),
        ("one_cycle(90, rise=0.45, start=0.1, to=1e-06)", 90),
        ("one_cycle(10)", 10),
        ("cyclic(500, minimum=0.001, times=4)", 4000),
        ("0.1 + 0.9 * cyclic(2000, minimum=0) * exponential(every=1, factor=0.9999)", 8000),
        ("sweep(300, start=1e-08)", 300),
        ("linear(300, to=1.0, start=1e-07)", 300),
        ("exponential(every=10, factor=1.5)", 300),
        ("chebyshev(1024, curvature_ratio=0.0005)", 1024),
        ("polynomial(50, power=4)", 50),
        ("cosine(100, power=3)", 100),
        ("rewarm(cosine(10000), at=9000, steps=100)", 10_000),
        # a plan that stays at its peak after its end
        ("warmup(500)", 10_000),
        ("constant(7500)", 10_000),
        # and one that ends a little early, above zero
        ("cosine(95, to=0.1)", 100),
        ("linear(105, to=1.0, start=1.0)", 100),
    ],
)
def test_what_people_do_on_purpose_is_no_finding(text, steps):
    assert findings(text, steps) == {}


def test_every_recipe_over_a_million_steps_is_looked_at_in_seconds():
    for name in ("cosine", "wsd", "cosine_restarts", "tanh"):
        begin = time.process_time()
        gp.parse(MILLION[name]).review(1_000_000)
        assert time.process_time() - begin < 10  # about one


# --- each rule ---


def test_a_formula_that_starts_with_nothing_is_named_step_by_step():
    review = gp.formula("sin(step) / step").review(100)
    assert [(finding.rule, finding.step) for finding in review.findings] == [("finite", 0), ("negative", 4)]
    assert str(review).splitlines() == [
        "step 0: the value is NaN; no optimizer can use it: change the formula, or cut that step away with plan[1:] "
        "[GP801 finite]",
        "step 4: the value is -0.189, below zero (and 48 more), so the update would climb: give the plan a floor, "
        "clip(plan, minimum=0.0) [GP802 negative]",
    ]
    negative = [k for k in range(1, 100) if math.sin(k) / k < 0]
    assert negative[0] == 4
    assert len(negative) == 49


def test_what_is_infinite_is_found_wherever_it_is():
    assert "infinite (and 9 more)" in findings("1.0 + formula('1 / floor(step / 10 + 0.1 - 4)')", 60)["finite"].message
    assert findings("exponential(every=1, factor=10)", 500)["finite"].step == 309
    assert findings(gp.formula(lambda step: math.nan if step == 5000 else 1.0), 10_000)["finite"].step == 5000


def test_an_update_that_would_climb():
    finding = findings("linear(100, to=-1.0)")["negative"]
    assert finding.step == 51
    assert "-0.02, below zero (and 48 more)" in finding.message


@pytest.mark.parametrize(
    ("text", "step", "says"),
    [
        ("warmup(500, to=0.0003) >> cosine(7500)", 500, "jumps from 0.0003 to 1, 3.33e+03 times"),
        ("constant(4096) >> linear(100, start=0.01, to=0.001)", 4096, "jumps from 1 to 0.01, 100 times"),
        ("cosine(50, to=0.5) >> geometric(50, to=0.0001, start=0.001)", 50, "jumps from 0.5"),
        ("exponential(every=1, factor=0.01)[:4]", 1, "jumps from 1 to 0.01, 100 times"),
        ("linear(10, start=0.01, to=0.02) >> 50 * constant(9)", 10, "2.63e+03 times"),
        ("formula('1 + 100 * (step % 10 // 9)')[:100]", 9, "jumps from 1 to 101"),
    ],
)
def test_a_jump_between_two_neighbours(text, step, says):
    finding = findings(text)["jump"]
    assert finding.step == step
    assert says in finding.message
    assert "begin a part where the one before it ends" in finding.message


def test_jumps_are_counted_in_one_finding():
    finding = findings("exponential(every=1, factor=0.04)[:4] + 0.0 * constant()", 4)["jump"]
    assert "(and 1 more)" not in finding.message  # the second is at the bottom: 0.05 of the peak and less
    assert "(and 1 more)" in findings("table([1, 0.01, 0.5, 0.01, 0.02])")["jump"].message


def test_ten_times_is_not_more_than_ten_times():
    assert "jump" not in findings("table([1.0, 0.1, 0.2, 0.3])")
    assert "jump" in findings("table([1.0, 0.0999, 0.2, 0.3])")


@pytest.mark.parametrize(
    ("text", "horizon", "step", "says"),
    [
        ("linear(100, start=0.0, to=1.0) >> cosine(900)", None, 0, "the first update trains at zero"),
        ("0.0 * constant(9) >> constant()", 900, 0, "the first update trains at zero"),
        ("table([1, 0.5, 0])", None, 2, "the last update trains at zero"),
        ("linear(99)", 100, 99, "the last update trains at zero"),
        ("cosine(95)", 100, 95, "the last 5 updates train at zero: make the plan 5 longer"),
    ],
)
def test_an_update_that_trains_at_zero(text, horizon, step, says):
    finding = findings(text, horizon)["zero"]
    assert finding.step == step
    assert says in finding.message


@pytest.mark.parametrize(
    ("text", "horizon", "step", "says"),
    [
        ("cosine(5000)", 10_000, 5000, "ends here and holds 0 for the other 5000 of 10000 updates"),
        ("cosine(8999, to=0.1)", 10_000, 8999, "holds 0.1 for the other 1001 of 10000 updates"),
        ("cosine(15000)", 10_000, 10_000, "the run ends here, at 0.25, and cuts the last 5000 of the plan's 15000"),
        ("wsd(20k, warmup=500, cooldown=2000)", 10_000, 10_000, "at 1, and cuts the last 10000"),
        ("chebyshev(128)", 100, 100, "cuts the last 28"),
    ],
)
def test_a_plan_and_a_run_that_do_not_end_together(text, horizon, step, says):
    assert set(findings(text, horizon)) == {"length"}
    finding = findings(text, horizon)["length"]
    assert finding.step == step
    assert says in finding.message


def test_a_plan_may_end_a_tenth_early():
    assert "length" not in findings("cosine(9000, to=0.1)", 10_000)
    assert "length" in findings("cosine(8999, to=0.1)", 10_000)


@pytest.mark.parametrize(
    ("text", "horizon", "step"),
    [
        ("3e-4 * warmup(500) >> constant(7500)", None, 500),
        ("3e-4 * warmup(500) >> constant(7500) >> linear(2000)", None, 500),
        ("0.1 * warmup(500) >> cosine(7500)", None, 500),
        ("1e-3 * constant(500) >> cosine(7500)", None, 500),
        ("1e-3 * constant() >> cosine(20%)", 1000, 800),
        ("3e-4 * warmup(5%) >> cosine(95%)", 1000, 50),
        ("clip(3e-4 * warmup(500) >> constant(7500), minimum=1e-6)", None, 500),
    ],
)
def test_a_factor_that_scales_the_first_part_alone(text, horizon, step):
    finding = findings(text, horizon)["parentheses"]
    assert finding.step == step
    assert "are parentheses missing, as in" in finding.message
    assert "jump" not in findings(text, horizon)  # one mistake, one finding


@pytest.mark.parametrize(
    "text",
    [
        "3e-4 * (warmup(500) >> constant(7500))",
        "0.1 * constant(500) >> constant(7500)",
        "0.5 * cosine(500, to=0.9) >> linear(100, start=0.45)",
        "3e-4 * warmup(500) >> 3e-4 * constant(7500)",
        "2 * warmup(500, to=0.5) >> cosine(7500)",
    ],
)
def test_a_factor_that_is_meant_for_its_part(text):
    assert "parentheses" not in findings(text)


@pytest.mark.parametrize(
    ("text", "horizon", "step"),
    [
        ("warmup(5001) >> cosine(4999)", None, 5001),
        ("warmup(600)", 1000, 600),
        ("linear(600, start=0.1, to=1.0) >> constant(400)", None, 600),
        ("warmup(51%) >> cosine(49%)", 1000, 510),
        ("inverse_sqrt(warmup=4000)", 5000, 4000),
        ("noam(model_width=64, warmup=4000)", 3000, 3000),
        ("one_cycle(1000, rise=0.6)", None, 600),
        ("warmup(600) * cosine(1000)", None, 600),
    ],
)
def test_a_warmup_longer_than_half_the_run(text, horizon, step):
    finding = findings(text, horizon)["warmup"]
    assert finding.step == step
    assert "more than half of the run: shorten it" in finding.message


def test_a_warmup_of_half_the_run_is_accepted():
    assert "warmup" not in findings("warmup(5000) >> cosine(5000)")


@pytest.mark.parametrize(
    ("text", "horizon", "step"),
    [
        ("exponential(every=100, factor=0.9)", 10_000, 4371),
        ("step(every=30)", 300, 90),
        ("cosine(500) >> 0.001 * constant(500)", None, 469),
        ("warmup(10) >> geometric(990, to=1e-5)", None, 407),
        ("formula('exp(-step / 50)')", 1000, 231),
    ],
)
def test_a_rate_that_is_next_to_nothing_for_a_third_of_the_run(text, horizon, step):
    finding = findings(text, horizon)["low"]
    assert finding.step == step
    assert "of the run is below 1% of the peak 1: decay more slowly, or keep a floor" in finding.message


def test_a_third_of_the_run_is_counted_from_the_peak():
    assert "low" not in findings("constant(667) >> 0.001 * constant(333)")
    assert "low" in findings("constant(666) >> 0.001 * constant(334)")
    assert "low" not in findings("constant(666) >> 0.01 * constant(334)")
    assert "low" not in findings("0.1 * constant(1) >> 0.0001 * constant(500) >> constant(499)")
    assert "low" not in findings("0.001 * constant(500) >> linear(100, start=0.001, to=1.0) >> constant(400)")


@pytest.mark.parametrize(
    ("text", "horizon", "says"),
    [
        ("step(every=30000)", 9000, "a period of 30000 updates is longer than the run of 9000"),
        ("warmup(10) >> multistep([30000, 60000])", 9000, "a period of 30010 updates is longer than the run"),
        ("cosine_restarts(10000)", 9000, "a period of 10000 updates is longer than the run"),
        ("0.5 * step(every=30ep)", gp.Horizon(100, steps_per_epoch=10), "a period of 300 updates is longer"),
        ("step(every=30)", 100_000, "the decay is over after 90 of 100000 updates"),
        ("multistep([30, 80], factor=0.5)", 100_000, "the decay is over after 80 of 100000 updates"),
        ("cosine(90)", 100_000, "the decay is over after 90 of 100000 updates"),
        ("warmup(5) >> cosine(85, to=0.1)", 100_000, "the decay is over after 90 of 100000 updates"),
        ("exponential(every=1, factor=0.9)", 100_000, "the decay is over after 44 of 100000 updates"),
        ("warmup(5) >> multistep([30, 60])", 100_000, "the decay is over after 65 of 100000 updates"),
    ],
)
def test_epochs_where_updates_were_meant(text, horizon, says):
    assert set(findings(text, horizon)) == {"units"}
    finding = findings(text, horizon)["units"]
    assert says in finding.message
    assert "Write" in finding.message
    assert '"30ep"' in finding.message


def test_a_period_that_is_the_run_is_in_order():
    for text in ("step(every=100)", "multistep([100])", "cosine_restarts(100)"):
        assert findings(text, 100) == {}
        assert "units" in findings(text, 99)


# --- the review itself ---


def test_a_python_function_is_asked_only_for_the_updates_of_the_run():
    values = [1.0, 1.0, 0.5, 0.5, 0.01]
    assert findings(gp.formula(lambda step: values[step]), 5) == {}


def test_a_review_is_true_if_it_found_something_and_prints_what():
    clean = (gp.warmup(500) >> gp.cosine(9500)).review()
    assert not clean
    assert clean.findings == ()
    assert str(clean) == "nothing found in 10,000 updates"
    bad = gp.cosine(5000).review(10_000)
    assert bad
    assert str(bad) == str(bad.findings[0])
    assert str(bad).startswith("step 5000: the plan ends here")
    assert str(bad).endswith("[GP805 length]")
    assert bad == gp.cosine(5000).review("10k")
    assert hash(bad) == hash(gp.cosine(5000).review(gp.Horizon(10_000)))


def test_findings_come_in_the_order_of_the_steps():
    steps = [finding.step for finding in gp.formula("sin(step / 9) / step").review(1000).findings]
    assert len(steps) > 1
    assert steps == sorted(steps)


def test_every_rule_says_what_it_means():
    assert all(check.__doc__ for check in RULES.values())
    assert len(set(RULES.values())) == len(RULES) == 9


def test_every_rule_has_a_code_and_every_code_of_a_finding_has_a_rule():
    rows = {code: row.name for code, row in CODES.items() if code.startswith("GP8")}
    assert len(set(rows.values())) == len(rows)
    assert set(rows.values()) == {*RULES, "deviation"}  # the last is reported by glidepath.runs.deviation


@pytest.mark.parametrize("rule", sorted(CODE_OF_RULE))
def test_a_finding_shows_its_code_and_its_rule(rule):
    finding = Finding(rule, 7, "a message")
    assert CODES[finding.code].name == rule
    assert str(finding) == f"step 7: a message [{finding.code} {rule}]"


def test_a_finding_is_data():
    (finding,) = gp.cosine(5000).review(10_000).findings
    assert (finding.rule, finding.code, finding.step) == ("length", "GP805", 5000)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (gp.cosine("5%"), "depends on the run: say how long that is, plan.review(10_000)"),
        (gp.step(every=30), "has no end of its own: say how long the run is, plan.review(10_000)"),
        (gp.linear(0), "has no end of its own"),
    ],
)
def test_a_review_needs_to_know_the_run(plan, says):
    with pytest.raises(gp.HorizonError) as caught:
        plan.review()
    assert says in str(caught.value)


def test_a_draft_that_does_not_fit_is_refused_as_everywhere():
    with pytest.raises(gp.HorizonError, match="needs 12000 steps and has 10000"):
        (gp.warmup("60%") >> gp.cosine("60%")).review(10_000)


def test_a_run_of_tokens_is_sampled_and_its_ends_are_seen():
    plan = gp.constant(10**15 - 5) >> gp.linear(5, to=-4.0)
    begin = time.process_time()
    assert findings(plan)["negative"].step == 10**15 - 3
    assert findings(gp.formula("sin(step) / step")[: 10**12])["finite"].step == 0
    assert time.process_time() - begin < 60
