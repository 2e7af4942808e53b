"""What holds for every schedule, whatever it is made of."""

import copy
import math
import pickle
import re
import struct

import numpy as np
import pytest

import glidepath as gp
from glidepath.parser import NAMES
from tests.catalogue import DRAFTS, EVERYTHING, LONG, MILLION, MILLION_WITH_OPTIONS, RECIPES, SCHEDULES, VARIANTS

HORIZON = gp.Horizon(10_000, steps_per_epoch=100, tokens_per_step=1_000_000)
PLANS = [gp.parse(text) for text in SCHEDULES]
ENDING = [plan for plan in PLANS if plan.duration is not None]


def bits(values):
    return struct.pack(f"{len(values)}d", *values)


def telling_steps(plan, around=40):
    """The first steps of a plan, those around its end and its boundaries, and some far away."""
    length = plan.duration or 1000
    starts = getattr(plan, "starts", ())
    places = [0, length // 3, length // 2, length, 10**15, *starts]
    near = {place + i for place in places for i in range(-3, 4)}
    return sorted({*range(around), *(k for k in near if 0 <= k <= 2**53)})


def plans(those=PLANS):
    return pytest.mark.parametrize("plan", those, ids=str)


def texts(those):
    return pytest.mark.parametrize("text", those)


# --- the catalogue itself ---


def test_every_recipe_that_a_text_may_use_is_in_the_catalogue():
    assert set(RECIPES) == set(NAMES) == set(MILLION)
    for name, (text, _) in RECIPES.items():
        assert f"{name}(" in text
        assert f"{name}(" in MILLION[name]


def test_every_recipe_is_public():
    assert all(getattr(gp, name) is recipe for name, recipe in NAMES.items())


def test_the_catalogue_has_every_piece_that_a_schedule_can_be_made_of():
    pieces = {kind.__name__ for kind in walk(gp.Schedule) if getattr(kind, "__final__", False)}
    used = {type(piece).__name__ for plan in PLANS for piece in inside(plan)}
    assert used == pieces - {"Function", "Draft"}


def walk(kind):
    return {kind}.union(*(walk(sub) for sub in kind.__subclasses__()))


def inside(plan):
    yield plan
    for value in vars(plan).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, gp.Schedule):
                yield from inside(part)


# --- text, equality, copies ---


@texts(EVERYTHING)
def test_what_repr_prints_is_python_that_builds_an_equal_plan(text):
    plan = gp.parse(text)
    built = eval(repr(plan), {name: getattr(gp, name) for name in NAMES})
    assert built == plan
    assert (repr(built), built.text, hash(built)) == (repr(plan), plan.text, hash(plan))


@texts(EVERYTHING)
def test_a_plan_is_read_back_from_its_own_text(text):
    plan = gp.parse(text)
    assert gp.parse(plan.text) == plan
    assert gp.parse(plan.text).text == plan.text


@texts(EVERYTHING)
def test_copies_are_equal_and_give_the_same_bits(text):
    plan = gp.parse(text)
    for other in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan), copy.copy(plan)):
        assert other == plan
        assert (repr(other), hash(other)) == (repr(plan), hash(plan))
        if text not in DRAFTS:
            assert bits([other(k) for k in range(50)]) == bits([plan(k) for k in range(50)])


@plans()
def test_a_plan_that_was_called_is_pickled_as_small_as_one_that_was_not(plan):
    fresh = gp.parse(plan.text)
    used = gp.parse(plan.text)
    used.block(0, 500)
    used(np.arange(5))
    assert len(pickle.dumps(used)) == len(pickle.dumps(fresh))


def test_plans_of_the_catalogue_differ_from_each_other():
    assert len(set(PLANS)) == len({plan.text for plan in PLANS})


@plans()
def test_a_plan_is_frozen(plan):
    with pytest.raises(AttributeError):
        plan.steps = 5


# --- values ---


@plans()
def test_values_are_floats_and_finite(plan):
    for k in telling_steps(plan):
        value = plan(k)
        assert type(value) is float
        grows = "1.5" in plan.text or "-step" in plan.text
        assert math.isfinite(value) or (grows and k > 1000)


@plans()
def test_a_block_has_the_bits_of_the_calls(plan):
    for start, stop in ((0, 300), (7, 7), (49, 150), (95, 105)):
        assert bits(plan.block(start, stop)) == bits([plan(k) for k in range(start, stop)])
    end = plan.duration or 10**6
    start = max(0, end - 20)
    assert bits(plan.block(start, end + 20)) == bits([plan(k) for k in range(start, end + 20)])


@plans()
def test_numpy_agrees_within_four_units_in_the_last_place(plan):
    steps = np.array(sorted({*range(3000), *telling_steps(plan)}))
    scalar, array = np.array([plan(int(k)) for k in steps]), plan(steps)
    assert array.dtype == np.float64
    assert array.shape == steps.shape
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.abs(array - scalar) <= 4 * np.spacing(largest_term(plan, scalar))
    assert (near | (array == scalar)).all()


def largest_term(plan, values):
    """Where terms of both signs are added, they may cancel, and what is left keeps the error of the terms."""
    cancels = "noisy_linear" in plan.text or ") + " in plan.text or "formula" in plan.text or "noise" in plan.text
    return np.maximum(np.abs(values), 1.0 if cancels else 0.0)


@plans()
def test_torch_agrees_in_float64(plan):
    torch = pytest.importorskip("torch")
    steps = [k for k in telling_steps(plan, 200) if k <= 2**52]
    scalar = torch.tensor([plan(k) for k in steps], dtype=torch.float64)
    tensor = plan(torch.tensor(steps))
    assert tensor.dtype == torch.float64
    torch.testing.assert_close(tensor, scalar, rtol=1e-14, atol=1e-16)


# JAX counts steps in 32 bits and cannot trace the hash of noise
TRACEABLE = [plan for plan in PLANS if "nois" not in plan.text and not re.search(r"\d{10}", plan.text)]


@plans(TRACEABLE)
def test_jax_agrees_in_its_own_precision_traced_or_not(plan):
    jax = pytest.importorskip("jax")
    steps = jax.numpy.arange(50)
    scalar = [plan(k) for k in range(50)]
    for values in (plan(steps), jax.jit(plan)(steps)):
        assert np.allclose(np.asarray(values), scalar, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_keep_their_shape(shape):
    steps = np.ones(shape, dtype="int64")
    for plan in PLANS:
        assert plan(steps).shape == shape


@plans(ENDING)
def test_past_its_end_a_plan_holds(plan):
    held = plan(plan.duration)
    assert {plan(plan.duration + k) for k in (0, 1, 2, 77, 10**6, 10**15)} == {held}
    assert set(plan.block(plan.duration, plan.duration + 50)) == {held}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("linear(10, to=0.25)", 0.25),
        ("warmup(10)", 1.0),
        ("linear(10)[:4]", 0.7),
        ("linear(10)[2:4]", 0.7),
        ("linear(10)[2:]", 0.0),
        ("linear(10)[:0]", 1.0),
        ("reverse(linear(10))", 1.0),
        ("staircase(linear(10), every=4)", 0.0),
        ("repeat(linear(10), times=3, shrink=0.5)", 0.0),
        ("repeat(linear(10, to=0.5), times=3, shrink=0.5)", 0.125),
        ("linear(10, to=0.5) * cosine(20, to=0.5)", 0.25),
        ("table([1, 0.3])", 0.3),
        ("chebyshev(1)", 1 / (0.05 + 0.95 * 0.5)),
    ],
)
def test_what_each_piece_holds(text, held):
    plan = gp.parse(text)
    assert plan(plan.duration) == pytest.approx(held, rel=1e-15)


@plans(PLANS[:80])
def test_a_cut_is_the_plan_for_its_own_steps(plan):
    for n in (1, 17, 60):
        assert bits(plan[:n].block(0, n)) == bits(plan.block(0, n))
        assert plan[:n](n) == plan[:n](10**6) == plan(n - 1)
        assert bits(plan[n:].block(0, 50)) == bits(plan.block(n, n + 50))
        assert bits(plan[n : n + 9].block(0, 9)) == bits(plan.block(n, n + 9))


@plans(ENDING[:60])
def test_in_a_sequence_each_part_has_its_own_clock(plan):
    if plan.duration > 10**7:
        return
    after = gp.linear(10, start=0.5)
    both = plan >> after
    n = plan.duration
    assert both.duration == n + 10
    assert bits(both.block(max(0, n - 30), n)) == bits(plan.block(max(0, n - 30), n))
    assert bits(both.block(n, n + 30)) == bits(after.block(0, 30))


@pytest.mark.parametrize("texts", [(a, b, c) for a, b, c in zip(VARIANTS, VARIANTS[5:], VARIANTS[9:], strict=False)])
def test_sequences_are_flat_so_grouping_does_not_matter(texts):
    a, b, c = (plan if (plan := gp.parse(text)).duration is not None else plan[:20] for text in texts)
    assert (a >> b) >> c == a >> (b >> c) == gp.parse(f"({a!r}) >> ({b!r}) >> ({c!r})")
    assert hash((a >> b) >> c) == hash(a >> (b >> c))
    assert repr((a >> b) >> c) == repr(a >> (b >> c))


@texts(LONG)
def test_plans_of_a_million_billion_steps_are_looked_up_at_once(text):
    plan = gp.parse(text)
    for k in (0, 10**15 - 1, 10**15, 10**15 + 1):
        assert math.isfinite(plan(k))
    assert math.isfinite(plan(np.array([10**15]))[0])


def test_long_cycles_begin_exactly_where_they_should():
    """floor(log(x)) is a cycle off here in every peer."""
    plan = gp.parse("repeat(cosine(1000), growth=3)")
    for i in range(1, 25):
        start = 1000 * (3**i - 1) // 2
        assert plan(start) == 1.0
        assert 0 < plan(start - 1) < 1e-5


def test_growing_cycles_have_the_lengths_that_the_text_says():
    plan = gp.parse("repeat(linear(10), times=5, growth=1.5)")
    lengths = [round(10 * 1.5**i) for i in range(5)]
    assert plan.duration == sum(lengths)
    starts = [sum(lengths[:i]) for i in range(5)]
    assert [k for k in range(plan.duration) if plan(k) == 1.0] == starts


def test_what_is_too_large_for_a_float_is_infinite_everywhere():
    for text in ("exponential(every=1, factor=10)", "step(every=1, factor=10)", "repeat(linear(9), shrink=10)"):
        plan = gp.parse(text)
        assert plan(9000) == math.inf
        assert plan(np.array([9000]))[0] == math.inf
    assert gp.multistep([5, 9], factor=[1e200, 1e200])(9) == math.inf


def test_no_update_of_a_warmup_and_a_decay_to_zero_is_wasted():
    plan = gp.warmup(100) >> gp.cosine(900)
    values = plan.block(0, 1000)
    assert min(values) > 0
    assert values[0] == 0.01
    assert values[99] == values[100] == 1.0
    assert plan(1000) == 0.0


# --- what a schedule is not ---


@plans(PLANS[:40])
def test_a_schedule_is_not_a_list(plan):
    with pytest.raises(TypeError):
        iter(plan)
    with pytest.raises(gp.ScheduleError, match=r"write plan\(5\)"):
        plan[5]
    with pytest.raises(gp.ScheduleError, match="without a stride"):
        plan[::2]


@pytest.mark.parametrize("step", [-1, 1.5, True, "3", None, 2**53 + 1, 10**400, np.float32(0.5), np.bool_(True)])
def test_what_is_no_step_is_refused(step):
    for plan in (gp.linear(10), gp.warmup(3) >> gp.constant()):
        with pytest.raises(gp.StepError, match="is not a step"):
            plan(step)


@pytest.mark.parametrize("step", [5, 5.0, np.int64(5), np.int8(5), np.float64(5)])
def test_whole_numbers_of_every_kind_are_steps(step):
    assert gp.linear(10)(step) == 0.5
    assert type(gp.linear(10)(step)) is float


def test_arrays_of_anything_but_steps_are_refused():
    for steps in (np.array([0.5]), np.array([-1]), np.array([True]), np.array(["a"])):
        with pytest.raises(gp.StepError):
            gp.linear(10)(steps)
    assert gp.linear(10)(np.array([5.0]))[0] == 0.5


@texts(DRAFTS[:-1])
def test_a_draft_has_no_values_and_says_what_to_do(text):
    plan = gp.parse(text)
    assert isinstance(plan, gp.Draft)
    for ask in (lambda: plan(0), lambda: plan.duration, lambda: plan.block(0, 5), lambda: plan(np.arange(3))):
        with pytest.raises(gp.DraftError, match=r"plan\.over\(10_000\)"):
            ask()


@texts(DRAFTS)
def test_a_draft_over_a_horizon_is_a_schedule_with_text(text):
    plan = gp.parse(text).over(HORIZON)
    assert not isinstance(plan, gp.Draft)
    assert gp.parse(plan.text) == plan
    assert math.isfinite(plan(0))


@texts([*MILLION.values(), *MILLION_WITH_OPTIONS])
def test_numpy_agrees_over_a_million_steps(text):
    plan, steps = gp.parse(text), np.random.default_rng(0).integers(0, 1_000_000, 2000)
    scalar = np.array([plan(int(k)) for k in steps])
    # an exponent multiplies what NumPy's power, sine and logarithm differ by, and its AVX-512 kernels differ by more
    ulps = 32 if "power=" in text or "k=" in text else 4
    assert (np.abs(plan(steps) - scalar) <= ulps * np.spacing(np.abs(scalar))).all()


GROWN = [gp.repeat(gp.cosine(4), growth=2), gp.repeat(gp.linear(2), growth=2), gp.cosine_restarts(8, growth=4)]


@pytest.mark.parametrize("plan", GROWN)
def test_jax_takes_cycles_that_grow_beyond_what_its_integers_hold(plan):
    jax = pytest.importorskip("jax")
    steps = jax.numpy.arange(100)
    for values in (plan(steps), jax.jit(plan)(steps)):
        assert values.tolist() == pytest.approx([plan(k) for k in range(100)], rel=1e-5, abs=1e-6)
    late = plan(jax.numpy.asarray(2**31 - 1))
    assert float(late) == pytest.approx(plan(2**31 - 1), abs=1e-3)
