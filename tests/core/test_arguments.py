"""A call that does not fit its recipe is answered with the recipe's own arguments and the right spelling."""

import inspect
import random
import re

import pytest

import glidepath as gp
from glidepath.core.argument_names import FOREIGN, FOREIGN_RECIPES, FORMER_ARGUMENTS, FORMER_RECIPES
from glidepath.parser import NAMES, parse, parse_plan, parse_saved

# What else a message may name.
ELSEWHERE = {"Scheduler": {"minimum", "position"}}


def arguments_of(recipe):
    return set(inspect.signature(NAMES[recipe]).parameters)


def message(call):
    with pytest.raises(gp.ArgumentError) as caught:
        call()
    assert isinstance(caught.value, gp.ScheduleError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: gp.cosine(100, min_lr=0.1),
            "min_lr is not an argument of cosine(); use to= (a fraction of the peak) or minimum= in Scheduler "
            "(an absolute rate): cosine(steps, *, to=0.0, start=1.0, power=1.0, k=1.0) [GP102]",
        ),
        (lambda: gp.cosine("5%", eta_min=0.1), "use to= (a fraction of the peak) or minimum= in Scheduler"),
        (lambda: gp.polynomial(100, lr_end=0.1), "use to= (a fraction of the peak) or minimum= in Scheduler"),
        (
            lambda: gp.linear(100, end=0.1),
            "end is not an argument of linear(); use to= (a fraction of the peak): linear(",
        ),
        (lambda: gp.cosine(100, num_cycles=3), "use times= in cosine_restarts or waves= in cosine_waves: cosine("),
        (lambda: gp.cosine_waves(100, num_cycles=3), "use waves=: cosine_waves(steps, *, waves=1.5)"),
        (lambda: gp.wsd(100, warmup_ratio=0.1), 'use warmup= (a share of the run is a text, "3%"): wsd('),
        (lambda: gp.cosine(100, warmup_ratio=0.1), 'use a piece before it: warmup("3%") >> cosine(...): cosine('),
        (lambda: gp.warmup(warmup_steps=5), "use steps=: warmup(steps, *, to=1.0, start=0.0)"),
        (lambda: gp.cosine(100, powr=2), "powr is not an argument of cosine(); did you mean power?: cosine("),
        (lambda: gp.cosine(100, xyzzy=2), "xyzzy is not an argument of cosine(): cosine(steps, *, to=0.0"),
        (lambda: gp.cosine(100, 0.1), "cosine() takes only steps by position; write cosine(100, to=0.1): cosine("),
        (
            lambda: gp.noam(512, warmup=4000),
            "takes its arguments by name; write noam(model_width=512, warmup=4000): noam(",
        ),
        (lambda: gp.warmup("5%", 0.1), 'write warmup("5%", to=0.1): warmup('),
        (lambda: gp.cosine(object(), gp.linear(9)), "cosine() takes only steps by position: cosine("),
        (lambda: gp.constant(5, 6), "constant() takes only steps by position: constant(steps=None)"),
        (lambda: gp.cosine(), "cosine() needs steps: cosine("),
        (lambda: gp.wsd(100), "wsd() needs warmup= and cooldown=: wsd(steps, *, warmup, cooldown, to=0.0)"),
        (lambda: gp.cosine(5, steps=3), "cosine() got steps twice, by position and by name: cosine("),
        (lambda: gp.formula(), "formula() needs expression: formula(expression)"),
        (lambda: gp.table([1], [2]), "table() takes only values by position: table(values)"),
        (lambda: gp.infinite(final=5), "final is not an argument of infinite(); use annealing=: infinite("),
        (lambda: gp.wsd(9, warmup=1, cooldown=1, final=0.1), "final is not an argument of wsd(); use to=: wsd("),
        (lambda: gp.tri_stage(100, 10, 10, 10), "takes its arguments by name: tri_stage("),
        (lambda: gp.exponential(0.95), "takes its arguments by name: exponential("),
        (lambda: gp.exponential(100, 0.95), "write exponential(every=100, factor=0.95): exponential("),
        (lambda: gp.one_cycle(0.1, 1000), "takes only steps by position: one_cycle("),
        (lambda: gp.polynomial(100, 2.0), "takes only steps by position: polynomial("),
        (lambda: gp.linear(1.0, 0.1, 100), "takes only steps by position: linear("),
        (lambda: gp.linear(1.0, 0.1), "takes only steps by position: linear("),
        (lambda: gp.cyclic(100, base_lr=0.1), "cyclic(); use minimum= (base_lr / max_lr): cyclic("),
        (lambda: gp.cosine(9, last_epoch=-1), "cosine(); leave it out, Scheduler counts the updates; to begin later"),
        (lambda: gp.cosine(9, verbose=True), "cosine(); leave it out, and print scheduler.get_last_lr() where"),
        (lambda: gp.constant(10, value=0.5), "constant(); multiply: 0.5 * constant(...): constant("),
        (lambda: gp.constant(10, factor=0.5), "constant(); multiply: 0.5 * constant(10): constant("),
        (lambda: gp.one_cycle(1000, div_factor=25), "one_cycle(); use start=0.04: one_cycle("),
        (lambda: gp.one_cycle(1000, div_factor="x"), "one_cycle(); use start= (1 / div_factor): one_cycle("),
        (lambda: gp.one_cycle(1000, final_div_factor=1e4), "one_cycle(); use to=4e-06: one_cycle("),
        (lambda: gp.one_cycle(9, final_div_factor=1e4, div_factor=10), "one_cycle(); use to=1e-05: one_cycle("),
        (lambda: gp.cyclic(9, mode="triangular2"), 'cyclic(); use shrink= (0.5 is "triangular2"): cyclic('),
        (lambda: gp.one_cycle(9, anneal_strategy="cos"), "anneal_strategy is not an argument of one_cycle(); it is a"),
        (lambda: gp.cosine(1000, interval="epoch"), "interval is not an argument of cosine(): cosine("),
        (lambda: gp.Horizon(10_000, epochs=3), "Horizon(); use steps_per_epoch= (updates in an epoch, not the"),
        (lambda: sorted([gp.cosine(2), gp.cosine(3)]), "schedules are joined by >>, and have no order"),
    ],
)
def test_a_wrong_call_is_answered_with_the_right_one(call, text):
    assert text in message(call)


@pytest.mark.parametrize("recipe", NAMES)
def test_every_suggested_call_builds(recipe):
    pool = [100, 10, 1, 0, 0.1, 0.95, 1.0, 2.0, 1e5, -3, "5%", "abc", (3, 8), gp.linear(9), None]
    draw = random.Random(recipe)
    for _ in range(300):
        values = draw.choices(pool, k=draw.randint(1, 5))
        try:
            NAMES[recipe](*values)
        except gp.ArgumentError as error:
            examples = [cure.advice.removeprefix("write ") for cure in error.cures]
        except gp.GlidepathError:
            continue
        else:
            continue
        assert all(isinstance(parse(example), gp.Schedule) for example in examples)
        assert all(isinstance(eval(example, dict(NAMES)), gp.Schedule) for example in examples)


def test_other_libraries_calls_are_answered_with_a_plan_that_can_be_read():
    assert all(isinstance(parse(text), gp.Schedule) for text in FOREIGN_RECIPES.values())


@pytest.mark.parametrize("recipe", NAMES)
def test_every_foreign_name_names_only_arguments_that_exist(recipe):
    own = arguments_of(recipe)
    for foreign in (*FOREIGN, *FORMER_ARGUMENTS.get(recipe, ())):
        if foreign in own:
            continue
        text = message(lambda name=foreign: NAMES[recipe](**{name: 1}))
        cure, _, usage = text.partition(f": {recipe}(")
        assert f"{foreign} is not an argument of {recipe}()" in text
        assert all(name in usage for name in own)
        advice = cure.partition("; ")[2]
        for place, inside in re.findall(r"(\w+)\(([^()]+)\)", advice):
            assert set(re.findall(r"(\w+)=", inside)) <= arguments_of(place), (foreign, text)
        for argument, place in re.findall(r"(\w+)=(?: in (\w+))?", re.sub(r"\w+\([^()]*\)", "", advice)):
            assert argument in (ELSEWHERE.get(place) or arguments_of(place or recipe)), (foreign, text)


@pytest.mark.parametrize("recipe", NAMES)
def test_a_text_gets_the_same_answer_with_a_caret_under_the_argument(recipe):
    text = f"{recipe}(100, eta_min=0.1)"
    with pytest.raises(gp.TextError) as caught:
        parse(text)
    error = caught.value
    assert error.code == "GP102"
    assert f"eta_min is not an argument of {recipe}()" in error.problem
    assert error.offset == text.index("eta_min")
    assert str(error).endswith("^")


def test_a_mistake_inside_a_recipe_stays_its_own():
    """A TypeError of a user's function, or of ours, is not taken for a wrong call."""

    def broken(step):
        return step + "x"

    with pytest.raises(gp.ScheduleError, match="raised TypeError at step 3") as caught:
        gp.formula(broken)(3)
    assert not isinstance(caught.value, gp.ArgumentError)


# --- a single > ---


@pytest.mark.parametrize("join", [lambda a, b: a > b, lambda a, b: a < b, lambda a, b: a >= b, lambda a, b: a <= b])
@pytest.mark.parametrize("other", [gp.cosine(9), gp.cosine("5%"), 3])
def test_schedules_have_no_order(join, other):
    with pytest.raises(gp.ScheduleError, match="schedules are joined by >>"):
        join(gp.warmup(5), other)


def test_a_single_sign_in_a_text_is_answered_with_two():
    with pytest.raises(gp.TextError, match="unexpected '>'; schedules are joined by >>"):
        parse("warmup(5) > cosine(9)")


# --- durations ---


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("10m", "did you mean 10M (10 million) or 10k (10 thousand)?"),
        ("10K", "did you mean 10k (10 thousand)?"),
        ("3 epochs", "did you mean 3ep (epochs)?"),
        ("2btok", "did you mean 2Btok (billion tokens)?"),
        ("5pct", "did you mean 5% (of the run)?"),
        ("100 steps", "did you mean 100 (steps)?"),
        ("abc", "write a count of steps (500, 10k)"),
    ],
)
def test_a_unit_that_is_nearly_ours_is_answered_with_ours(text, suggestion):
    with pytest.raises(gp.ScheduleError) as caught:
        gp.Horizon(text)
    assert suggestion in str(caught.value)
    with pytest.raises(gp.ScheduleError) as caught:
        gp.cosine(text)
    assert suggestion in str(caught.value)


def test_a_share_as_a_fraction_is_answered_with_its_text():
    with pytest.raises(gp.ScheduleError, match='for a share of the run write "5%"'):
        gp.cosine(0.05)


# --- texts of an older Glidepath ---

OLD = [
    ("wsd(100, warmup=5, cooldown=10, final=0.1)", "wsd(100, warmup=5, cooldown=10, to=0.1)"),
    ("flat_cosine(100, cooldown=10%, final=0.1)", "flat_cosine(100, cooldown=10%, to=0.1)"),
    ("wsd_s([50, 50], warmup=5, cooldown=10, final=0.1)", "wsd_s([50, 50], warmup=5, cooldown=10, to=0.1)"),
    ("one_cycle(100, final=0.1)", "one_cycle(100, to=0.1)"),
    ("one_cycle_linear(100, final=0.1)", "one_cycle_linear(100, to=0.1)"),
    ("one_cycle_momentum(100, low=0.8, high=0.9)", "one_cycle_momentum(100, minimum=0.8, maximum=0.9)"),
    ("tri_stage(warmup=9, hold=9, decay=9, final=0.1)", "tri_stage(warmup=9, hold=9, decay=9, to=0.1)"),
    (
        "infinite(warmup=9, cooldown=9, hold=9, final=9, level=0.2, to=0.1)",
        "infinite(warmup=9, cooldown=9, hold=9, annealing=9, plateau=0.2, to=0.1)",
    ),
    ("cyclic(50, low=0.2)", "cyclic(50, minimum=0.2)"),
    ("chebyshev(64, low=0.1)", "chebyshev(64, curvature_ratio=0.1)"),
    ("sweep(100, low=0.001)", "sweep(100, start=0.001)"),
    ("range_test(100, low=0.001)", "sweep(100, start=0.001)"),
    ("2 * clip(clip(linear(9), low=0.1), high=0.9)", "2 * clip(clip(linear(9), minimum=0.1), maximum=0.9)"),
]


@pytest.mark.parametrize(("old", "new"), OLD)
def test_a_text_of_an_older_glidepath_is_read_with_one_warning_that_has_the_new_text(old, new):
    for read in (parse, parse_plan):
        with pytest.warns(gp.GlidepathWarning) as warned:
            plan = read(old)
        assert plan == parse(new)
        assert len(warned) == 1
        assert str(warned[0].message).endswith(f": write {new} [GP720]")
        assert warned[0].filename == __file__


@pytest.mark.parametrize(("old", "new"), OLD)
def test_a_saved_text_is_read_without_a_warning(old, new):
    assert parse_saved(old) == parse(new)


def test_every_former_name_is_in_these_texts():
    texts = " ".join(old for old, _ in OLD)
    assert all(f"{recipe}(" in texts for recipe in (*FORMER_RECIPES, *FORMER_ARGUMENTS))


def test_a_former_name_beside_the_present_one_is_a_mistake():
    with pytest.raises(gp.TextError, match="low is another name of minimum, and both are given"):
        parse("clip(linear(9), minimum=0.1, low=0.2)")
    with pytest.raises(gp.TextError, match="final is another name of to, and both are given"):
        parse("wsd(9, warmup=1, cooldown=1, final=0.1, to=0.2)")


def test_the_warning_about_a_former_name_points_at_the_users_line_through_scheduler():
    torch = pytest.importorskip("torch")
    from glidepath.torch import Scheduler

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    with pytest.warns(gp.GlidepathWarning) as warned:
        Scheduler(optimizer, "one_cycle(100, final=0.1)")
    assert warned[0].filename == __file__


# --- Set ---


def test_set_is_read_without_pytorch():
    assert parse_plan(" Set( linear(10%, to=0.5) ) ") == gp.Set(gp.linear("10%", to=0.5))
    assert parse_plan("Set(plan=linear(9))") == gp.Set(gp.linear(9))
    assert parse_plan("linear(9)") == gp.linear(9)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("Set()", 0, "Set takes one schedule"),
        ("Set(linear(9), linear(8))", 0, "Set takes one schedule"),
        ("Set(5)", 4, "a schedule belongs here, not 5"),
        ("Set(cosin(5))", 4, "unknown name 'cosin'"),
        ("2 * Set(linear(9))", 4, "unknown name 'Set'"),
    ],
)
def test_a_mistake_in_set_has_its_place(text, place, problem):
    with pytest.raises(gp.TextError) as caught:
        parse_plan(text)
    assert caught.value.problem == problem
    assert caught.value.offset == place
