"""`parse`: one text form, read without running code, and a clear answer to every mistake."""

import time
import warnings
from contextlib import suppress

import pytest

import glidepath as gp
from tests.hostile import NASTY, hostile_texts


def mistake(text):
    with pytest.raises(gp.TextError) as caught:
        gp.parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        (
            "warmup(2%) >> constant() >> cosine(20%, to=0.1)",
            gp.warmup("2%") >> gp.constant() >> gp.cosine("20%", to=0.1),
        ),
        ("warmup(10k)", gp.warmup(10_000)),
        ("warmup(1.5k)", gp.warmup(1500)),
        ("warmup(3ep) >> linear(2.5%)", gp.warmup("3ep") >> gp.linear("2.5%")),
        ("warmup(2Btok) >> constant()", gp.warmup("2Btok") >> gp.constant()),
        ('warmup("2%")', gp.warmup("2%")),
        ("warmup('2%')", gp.warmup("2%")),
        ("warmup(1e5)", gp.warmup(100_000)),
        ("warmup(1_000)", gp.warmup(1000)),
        ("3e-4 * (warmup(500) >> constant(7500))", 3e-4 * (gp.warmup(500) >> gp.constant(7500))),
        ("3e-4 * warmup(500) >> constant(7500)", (3e-4 * gp.warmup(500)) >> gp.constant(7500)),
        ("step(every=30, factor=0.1)[:90]", gp.step(every=30)[:90]),
        ("linear(100)[10%:]", gp.linear(100)["10%":]),
        ("0.1 + 0.9 * cosine(10)", 0.1 + 0.9 * gp.cosine(10)),
        ("cosine(10) * 0.5 + 1", 1 + 0.5 * gp.cosine(10)),
        ("(1 - 0.75) * 2 / 4 * linear(9)", 0.125 * gp.linear(9)),
        ("-0.5 * linear(9)", -0.5 * gp.linear(9)),
        ("linear(9, to=-1)", gp.linear(9, to=-1)),
        ("multistep([30, 80,], factor=[0.1, 0.5])", gp.multistep([30, 80], factor=[0.1, 0.5])),
        ("multistep((30, 80))", gp.multistep([30, 80])),
        ("piecewise_linear([(0, 0.1), (10, 1)])", gp.linear(10, to=1.0, start=0.1)),
        ("cosine(\n  100,\n)", gp.cosine(100)),
        ("formula('1 / (1 + step)')", gp.formula("1 / (1 + step)")),
        ("linear(1) >> linear(2) >> linear(3)", gp.linear(1) >> gp.linear(2) >> gp.linear(3)),
        ("linear(1) >> (linear(2) >> linear(3))", gp.linear(1) >> gp.linear(2) >> gp.linear(3)),
        ("linear(9) * linear(8) + linear(7)", (gp.linear(9) * gp.linear(8)) + gp.linear(7)),
        ("constant(5 * 2)", gp.constant(10)),
    ],
)
def test_a_text_is_the_plan_that_python_would_build(text, plan):
    assert gp.parse(text) == plan


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (gp.warmup(50) >> gp.cosine(950), "warmup(50) >> cosine(950)"),
        (3e-4 * (gp.warmup(50) >> gp.constant(9)), "0.0003 * (warmup(50) >> constant(9))"),
        ((gp.linear(9) + gp.linear(8)) * gp.linear(7), "(linear(9) + linear(8)) * linear(7)"),
        (gp.linear(9) * (gp.linear(8) * gp.linear(7)), "linear(9) * (linear(8) * linear(7))"),
        ((gp.linear(9) >> gp.linear(8))[2:5], "(linear(9) >> linear(8))[2:5]"),
        (gp.step(every=30)[:90], "step(every=30)[:90]"),
        (gp.warmup("5%") >> gp.constant(), 'warmup("5%") >> constant()'),
        (gp.cosine(9, to=0), "cosine(9)"),
        (gp.formula("1 +\n\t step"), "formula('1 + step')"),
    ],
)
def test_a_plan_prints_with_defaults_left_out_and_no_more_parentheses_than_it_needs(plan, text):
    assert plan.text == repr(plan) == text


def test_a_mistake_gets_a_caret_the_reason_and_the_nearest_name():
    error = mistake("warmup(5%) >> cosin(95%)")
    assert error.offset == 14
    assert str(error) == (
        "unknown name 'cosin'; did you mean cosine? [GP106]\n  warmup(5%) >> cosin(95%)\n                ^"
    )


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", 0, "the text is empty"),
        ("linear(9", 8, "expected ')' or a comma in linear(...), found the end of the text"),
        ("linear(9))", 9, "unexpected ')' after the end of the expression"),
        ("linear(9) >>", 12, "something is missing here"),
        ("linear(9) ?", 10, "unexpected '?'"),
        ("linear('9)", 7, "this quote is not closed"),
        ("linear(9x)", 7, "this is neither a number nor a duration"),
        ("linear(1.5)", 0, "the length of linear is a count of steps, a whole number, not 1.5"),
        ("linear(-1)", 0, "the length of linear must be at least 0, not -1"),
        ("linear(9007199254740993)", 0, "the length of linear must be at most 9007199254740992"),
        ("linear(9, to=1e999)", 0, "to must be a finite number, not inf"),
        ("linear(9, to='5%')", 0, 'to is a number, not a length: "5%" has no place there'),
        ("linear", 0, "linear is a recipe and needs its arguments"),
        ("linear()", 0, "linear() needs steps: linear(steps, *, to=0.0, start=1.0)"),
        ("linear(9, x=5)", 10, "x is not an argument of linear(): linear(steps, *, to=0.0, start=1.0)"),
        (
            "linear(9, min_lr=5)",
            10,
            "min_lr is not an argument of linear(); use to= (a fraction of the peak) or minimum=",
        ),
        (
            "cosine(5%) >> noam(512, warmup=4000)",
            19,
            "noam() takes its arguments by name; write noam(model_width=512, warmup=4000): noam(*, model_width",
        ),
        ("warmup(9) > linear(9)", 10, "unexpected '>'"),
        ("3 * (cosine(9) + Set(linear(9)))", 17, "unknown name 'Set'"),
        ("1e300 * 1e300 * linear(9)", 6, "this number is too large"),
        ("linear(9, to=1, to=2)", 16, "to is given twice"),
        ("linear(to=1, 9)", 13, "a positional argument comes before the named ones"),
        ("linear(9) - linear(8)", 10, "- does not join linear(9) and linear(8)"),
        ("linear(9) ** 2", 10, "** does not join linear(9) and 2"),
        ("linear(9) >> 5", 13, "a schedule belongs here, not 5"),
        ("5", 0, "a schedule belongs here, not 5"),
        ("1 / 0 * linear(9)", 2, "this divides by zero"),
        ("cosine(9)[5]", 11, "expected ':' in a cut"),
        ("cosine(9)[:-1]", 0, "the end of a cut must be at least 0, not -1"),
        ("inverse_time(every=9) >> linear(9)", 22, "has no end, so nothing after it would ever run"),
        ("constant() >> constant() >> linear(9)", 11, "2 parts of this sequence have no length"),
        ("formula('sin(step')", 17, "expected ')' or a comma in sin(...)"),
        ("formula('os.system')", 11, "this is neither a number nor a duration"),
        ("2 * formula('1 + import')", 17, "unknown name 'import' in a formula"),
        ("clip(5, minimum=0.1)", 0, "clip needs a schedule, as in cosine(1000), not 5"),
        ("repeat(constant())", 0, "constant() has no end: cut it first, as in repeat(constant()[:1000])"),
        ("x" * 100_001, 0, "the text is 100001 characters long; at most 100000 are read"),
        ("(" * 99, 30, "the text is nested more than 30 deep"),
        ("2 * " * 101 + "linear(9)", 8, "more than 100 operations depend on each other here"),
    ],
)
def test_a_mistake_is_told_where_it_is(text, place, reason):
    error = mistake(text)
    assert reason in error.problem
    assert error.offset == place


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("CosineAnnealingLR(100)", "write cosine(100)"),
        ("get_cosine_schedule_with_warmup(100, 1000)", "write warmup(100) >> cosine(900)"),
        ("SequentialLR(1)", "write warmup(5%) >> cosine(95%)"),
        ("plateau(factor=0.5)", "it depends on a metric: only in a study; in code, glidepath.torch.Plateau"),
        ("warmup(5 %)", "did you mean 5%?"),
        ("cosine(100%%)", "did you mean 100%?"),
        ("cosine(100 tokens)", "did you mean 100tok (tokens)?"),
        ("cosine(100 linear)", ""),
        ("log.csv", "a plan is a text, as in cosine(100)"),
        ("study.yaml", "a plan is a text, as in cosine(100)"),
    ],
)
def test_a_near_miss_gets_a_hint(text, hint):
    assert mistake(text).hint == hint


def test_what_is_no_text_is_refused():
    with pytest.raises(gp.TextError, match="a schedule text is a str, not int"):
        gp.parse(5)


def test_a_caret_stays_under_its_place_in_a_long_text():
    text = "linear(9) >> " * 50 + "cosin(9) >> " + "linear(9) >> " * 50 + "linear(9)"
    _, shown, caret = str(mistake(text)).splitlines()
    assert len(shown) <= 80
    assert shown[caret.index("^") :].startswith("cosin(9)")


def test_a_python_function_has_no_text_and_says_so():
    plan = gp.formula(lambda step: 0.5)[:9] >> gp.linear(9)
    assert "<function" in repr(plan)
    with pytest.raises(gp.TextError, match="has no text form"):
        _ = plan.text


def test_a_text_that_could_not_be_read_back_is_refused():
    with pytest.raises(gp.TextError, match="at most 100000 are read"):
        _ = gp.table([0.1234567] * 20_000).text


def test_recipes_within_recipes_cannot_write_out_without_end():
    """Every rewarm has its plan twice: 25 of them would be 2**25 pieces long in print."""
    error = mistake("rewarm(" * 25 + "linear(9)" + ", at=1, steps=1)" * 25)
    assert "written out in full" in error.problem


def read(text):
    """What happens to a text, all of it: nothing but our own error may come out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gp.GlidepathWarning)  # about names of an older Glidepath
            plan = gp.parse(text)
    except gp.TextError as error:
        mistake = error
    else:
        mistake = None
    if mistake:
        assert 0 <= mistake.offset <= len(text)
        assert mistake.problem in str(mistake)
        return None
    assert gp.parse(plan.text) == plan
    assert hash(plan) == hash(gp.parse(plan.text))
    return plan


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_a_nasty_text_costs_a_bounded_time(text):
    begin = time.process_time()
    plan = read(text)
    if plan is not None:
        with suppress(gp.GlidepathError):
            plan.over(gp.Horizon(1000, steps_per_epoch=10, tokens_per_step=1000))(77)
    assert time.process_time() - begin < 20  # the slowest takes 3 s alone, and machines are busy


def test_hostile_texts_give_a_schedule_or_our_own_error():
    schedules = [
        plan for text in hostile_texts(20_000, seed=1) if len(text) < 3000 and (plan := read(text)) is not None
    ]
    assert 2000 < len(schedules) < 18_000


def test_the_values_of_what_hostile_texts_describe_are_floats():
    for text in hostile_texts(2000, seed=2):
        plan = read(text) if len(text) < 3000 else None
        if plan is None or isinstance(plan, gp.Draft):
            continue
        assert all(type(plan(k)) is float for k in (0, 1, 77, 10**15))
        assert len(plan.block(90, 110)) == 20
