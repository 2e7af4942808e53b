"""Durations, horizons, and how drafts become schedules."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glidepath as gp
from glidepath import common_prefix
from glidepath.core.duration import Duration, read_duration

HORIZON = gp.Horizon(10_000, steps_per_epoch=125, tokens_per_step=500_000)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("500", 500),
        ("10k", 10_000),
        ("1e3", 1000),
        ("1.5k", 1500),
        ("2M", 2_000_000),
        (" 1_000 ", 1000),
        ("0", 0),
        ("2.0", 2),
    ],
)
def test_a_count_as_text_is_a_count(text, steps):
    assert read_duration(text) == steps


@pytest.mark.parametrize(
    ("text", "printed", "steps"),
    [
        ("5%", "5%", 500),
        ("2.50%", "2.5%", 250),
        ("0%", "0%", 0),
        ("100%", "100%", 10_000),
        ("3ep", "3ep", 375),
        ("0.5ep", "0.5ep", 63),
        ("2Btok", "2Btok", 4000),
        ("2000Mtok", "2Btok", 4000),
        ("1.25Mtok", "1.25Mtok", 3),
        ("250ktok", "250ktok", 1),
        ("249999tok", "249.999ktok", 0),
    ],
)
def test_border_units_over_a_horizon_are_rounded_half_up(text, printed, steps):
    assert str(read_duration(text)) == printed
    assert read_duration(printed) == read_duration(text)
    assert HORIZON.in_steps(text) == steps


@pytest.mark.parametrize("text", ["", "5 %", "-5%", "five", "5%%", "5x", ".5%", "5.%", "5percent", "٣%", "1" * 40])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(gp.ScheduleError, match="is not a duration"):
        read_duration(text)


@given(st.integers(0, 10**9), st.integers(0, 6), st.sampled_from(["%", "ep", "tok"]))
def test_a_duration_prints_as_what_it_is(digits, decimals, unit):
    text = f"{digits / 10**decimals:.{decimals}f}{unit}"
    read = read_duration(text)
    assert isinstance(read, Duration)
    assert read_duration(str(read)) == read
    assert hash(read_duration(str(read))) == hash(read)


def test_a_horizon_may_be_given_in_epochs_or_tokens():
    assert gp.Horizon("20ep", steps_per_epoch=100).steps == 2000
    assert gp.Horizon("2Btok", tokens_per_step="500k").steps == 4000
    assert gp.Horizon("10k") == gp.Horizon(10_000) == gp.Horizon(1e4)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: gp.Horizon(0), "the horizon must be at least 1"),
        (lambda: gp.Horizon(1.5), "the horizon is a count of steps"),
        (lambda: gp.Horizon("5%"), "a horizon cannot be 5% of itself"),
        (lambda: gp.Horizon("5ep"), "5ep needs to know steps_per_epoch: Horizon(steps, steps_per_epoch=...)"),
        (lambda: gp.Horizon(9, steps_per_epoch=0), "steps_per_epoch must be at least 1"),
        (lambda: gp.Horizon(9).in_steps("2Btok"), "2Btok needs to know tokens_per_step"),
        (lambda: gp.cosine("3ep").over(100), "3ep needs to know steps_per_epoch"),
        (lambda: gp.cosine("5%").over(0), "the horizon must be at least 1"),
        (lambda: gp.cosine("5%").over("x"), "is not a duration"),
    ],
)
def test_a_horizon_says_what_it_lacks(build, says):
    with pytest.raises(gp.GlidepathError) as caught:
        build()
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("cosine(50%)", "cosine(5000)"),
        ("warmup(5%) >> cosine(95%)", "warmup(500) >> cosine(9500)"),
        ("warmup(2%) >> constant() >> cosine(20%, to=0.1)", "warmup(200) >> constant(7800) >> cosine(2000, to=0.1)"),
        ("warmup(3ep) >> constant() >> linear(1Btok)", "warmup(375) >> constant(7625) >> linear(2000)"),
        ("warmup(500) >> constant() >> linear(2000)", "warmup(500) >> constant(7500) >> linear(2000)"),
        ("warmup(5%) >> constant()", "warmup(500) >> constant(9500)"),
        ("warmup(5%) >> step(every=1ep)", "warmup(500) >> step(every=125)"),
        ("3e-4 * (warmup(5%) >> constant() >> rex(10%))", "0.0003 * (warmup(500) >> constant(8500) >> rex(1000))"),
        (
            "clip(warmup(5%) >> constant(), minimum=0.1) >> linear(20%)",
            "clip(warmup(500) >> constant(7500), minimum=0.1) >> linear(2000)",
        ),
        ("0.5 * constant() >> linear(20%)", "0.5 * constant(8000) >> linear(2000)"),
        ("(warmup(5%) >> constant()) * linear(100%)", "(warmup(500) >> constant(9500)) * linear(10000)"),
        ("cosine_restarts(10%, times=3) >> constant()", "repeat(cosine(1000), times=3) >> constant(7000)"),
        (
            "cyclic(10%, times=2, minimum=0) >> constant()",
            "repeat(linear(1000, to=1.0, start=0.0) >> linear(1000), times=2) >> constant(6000)",
        ),
        ("warmup(1%) >> inverse_power(10%)", "warmup(100) >> inverse_power(timescale=1000)"),
        ("multistep([30%, 60%, 9000])", "multistep([3000, 6000, 9000])"),
        ("wsd(100%, warmup=500, cooldown=20%)", "warmup(500) >> constant(7500) >> linear(2000)"),
        ("one_cycle(100%)", "cosine(3000, to=1.0, start=0.04) >> cosine(7000, to=4e-06)"),
        ("linear(50%)[:10%]", "linear(5000)[:1000]"),
        ("staircase(linear(100%), every=1ep)", "staircase(linear(10000), every=125)"),
        ("reverse(linear(10%)) >> constant()", "reverse(linear(1000)) >> constant(9000)"),
        ("linear(5)", "linear(5)"),
        ("constant()", "constant()"),
    ],
)
def test_a_draft_over_a_horizon(text, resolved):
    assert repr(gp.parse(text).over(HORIZON)) == resolved


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("warmup(150%)", 'the plan needs 15000 steps and has 10000: warmup("150%") (15000); shorten a part'),
        ("warmup(60%) >> cosine(60%)", 'needs 12000 steps and has 10000: warmup("60%") (6000) + cosine("60%") (6000)'),
        ("warmup(20k) >> constant() >> linear(1%)", "needs 20100 steps and has 10000: warmup(20000) (20000) + linear"),
        ("0.5 * (warmup(60%) >> linear(60%))", "needs 12000 steps and has 10000"),
        ("(warmup(1%) >> constant()) >> constant() >> linear(1%)", "2 parts of this sequence have no length"),
        ("0.5 * (warmup(1%) >> constant()) >> constant() >> linear(1%)", "2 parts of this sequence have no length"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_the_numbers(text, says):
    with pytest.raises(gp.GlidepathError) as caught:
        gp.parse(text).over(HORIZON)
    assert says in str(caught.value)


def test_a_schedule_without_border_units_needs_no_horizon():
    plan = gp.warmup(5) >> gp.cosine(10)
    assert plan.over(7) is plan


shares = st.lists(st.integers(1, 10_000), min_size=1, max_size=8)
steps = st.integers(1, 10**9)


@given(shares, steps)
def test_shares_that_add_up_to_the_whole_fill_it_exactly(weights, horizon):
    """In units of 1/10,000 %: whatever the rounding, no step is lost and none is added."""
    total = sum(weights)
    cents = [weight * 1_000_000 // total for weight in weights]
    cents[-1] += 1_000_000 - sum(cents)
    plan = gp.parse(" >> ".join(f"linear({c // 10_000}.{c % 10_000:04d}%)" for c in cents)).over(horizon)
    assert plan.duration == horizon
    ends = [Fraction(sum(cents[: i + 1]) * horizon, 1_000_000) for i in range(len(cents))]
    starts = getattr(plan, "starts", (0,))
    assert all(abs(start - end) <= Fraction(1, 2) for start, end in zip(starts[1:], ends, strict=False))


@given(st.integers(0, 300), st.integers(0, 40), st.integers(0, 20), st.integers(10_000, 10**6))
def test_a_filler_takes_what_epochs_shares_and_tokens_leave(tenths, epochs, millions, horizon):
    plan = gp.parse(f"warmup({tenths / 10}%) >> cosine({epochs}ep) >> constant() >> linear({millions}Mtok)")
    whole = gp.Horizon(horizon, steps_per_epoch=97, tokens_per_step=1_234_567)
    assert plan.over(whole).duration == horizon


@given(
    st.lists(st.tuples(st.integers(0, 333), st.booleans()), min_size=3, max_size=6), st.integers(1, 10**6), st.data()
)
def test_how_a_draft_is_grouped_changes_nothing(parts, horizon, data):
    pieces = [gp.linear(f"{tenths / 10:.1f}%") if share else gp.linear(tenths % 7) for tenths, share in parts]
    cut = data.draw(st.integers(1, len(pieces) - 1))
    left, right = joined(pieces[:cut]), joined(pieces[cut:])
    assert left >> right == joined(pieces)
    assert repr(left >> right) == repr(joined(pieces))
    whole = outcome(joined(pieces), horizon)
    assert whole == outcome(left >> right, horizon)
    for grouped in (1.0 * left >> right, left >> 1.0 * right, 1.0 * (left >> right)):  # the same boundaries, by groups
        scaled = outcome(grouped, horizon)
        if isinstance(whole, gp.Schedule):
            assert scaled.duration == whole.duration
            assert common_prefix(scaled, whole, 5000) == 5000


def joined(pieces):
    plan = pieces[0]
    for piece in pieces[1:]:
        plan = plan >> piece
    return plan


def outcome(plan, horizon):
    try:
        return plan.over(horizon)
    except gp.HorizonError as error:
        return type(error)


def test_a_draft_has_one_form_for_one_meaning():
    drafts = [
        gp.cosine("20%", to=0.1, start=1),
        gp.cosine("20%", start=1.0, to=0.1),
        gp.cosine(steps="20%", to=1e-1),
        gp.parse("cosine(20%, to=0.1)"),
        gp.parse('cosine("20.0%", to=0.10)'),
    ]
    assert len(set(drafts)) == 1
    assert {repr(draft) for draft in drafts} == {'cosine("20%", to=0.1)'}


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: gp.cosine("20%", to="5%"), 'to is a number, not a length: "5%" has no place there'),
        (lambda: gp.cosine("20%", to=True), "to must be a finite number, not True"),
        (lambda: gp.cosine("20%", to=gp.linear(9)), "to is a number, not a length: linear(9) has no place there"),
        (lambda: gp.cosine(gp.linear("5%")), 'steps is a length or a number: linear("5%") has no place there'),
        (lambda: gp.clip("20%", minimum=0.1), 'plan needs a schedule, as in cosine(1000), not "20%"'),
        (lambda: gp.wsd("100%", warmup=1.5, cooldown="5%"), "warmup is a count of steps, a whole number, not 1.5"),
        (lambda: gp.step(every=5) >> gp.linear("5%"), "has no end, so nothing after it would ever run"),
        (lambda: gp.constant() >> gp.linear("5%") >> gp.constant(), "2 parts of this sequence have no length"),
    ],
)
def test_a_draft_refuses_at_once_what_its_recipe_would_refuse(build, says):
    with pytest.raises(gp.ScheduleError) as caught:
        build()
    assert says in str(caught.value)


def test_a_draft_with_wrong_arguments_fails_like_any_call():
    with pytest.raises(TypeError, match="bogus"):
        gp.cosine("20%", bogus=1)
    with pytest.raises(TypeError, match="cooldown"):
        gp.wsd("20%", warmup=5)


def test_drafts_within_drafts_resolve_in_bounded_time():
    plan = gp.cosine("50%")
    for _ in range(60):
        plan = gp.maximum(gp.staircase(plan, every=2), gp.linear("10%"))
    assert plan.over(1000).duration == 500


def test_a_count_may_be_written_with_an_exponent():
    assert (gp.Horizon("1e4").steps, gp.Horizon("1.5e3").steps, gp.Horizon("10k").steps) == (10_000, 1500, 10_000)
    with pytest.raises(gp.ScheduleError, match="not a whole number"):
        gp.Horizon("1.55e1")
