"""Every piece that a schedule can be made of, through everything that reads schedules.

A new piece fails here until it has a sample; a sample fails where an interpreter does not know its piece; and a piece
that no interpreter was told of is refused by each of them, instead of being taken for something else.
"""

import pickle
import struct
from dataclasses import dataclass

import numpy as np
import pytest

import glidepath as gp
from glidepath.convert import code
from glidepath.convert.writers.function import TABLE
from glidepath.convert.writing import Target
from glidepath.core.assignment import Set
from glidepath.core.printing import Call
from glidepath.core.schedule import Schedule
from glidepath.errors import ConvertError, DraftError, NoFormulaError
from glidepath.parser import parse_plan
from glidepath.phases import phases
from glidepath.prefix import common_prefix
from glidepath.review.structure import stepwise
from tests.convert.executed import apart, executed

STEPS = 60
TARGETS: list[Target] = ["function", "torch", "transformers", "optax", "keras", "timm"]

# Two texts of each piece: the second one takes another way at some step.
SAMPLES = {
    "Sequence": ("warmup(5) >> cosine(40)", "warmup(5) >> cosine(41)"),
    "Scaled": ("0.5 * (constant(9) >> linear(20))", "0.5 * (constant(9) >> linear(21))"),
    "Shifted": ("0.5 + (constant(9) >> linear(20))", "0.5 + (constant(9) >> linear(21))"),
    "Quotient": ("1 / (warmup(9) >> linear(20, to=0.1))", "1 / (warmup(9) >> linear(21, to=0.1))"),
    "Product": ("linear(50) * step(every=7)", "linear(50) * step(every=7, factor=0.2)"),
    "Sum": ("linear(50) + step(every=7)", "linear(50) + step(every=7, factor=0.2)"),
    "Maximum": ("maximum(linear(50), cosine(50))", "maximum(linear(50), cosine(50, power=2))"),
    "Clipped": ("clip(linear(50), minimum=0.2, maximum=0.8)", "clip(linear(50), minimum=0.3, maximum=0.8)"),
    "Cut": ("(warmup(9) >> linear(30))[4:30]", "(warmup(9) >> linear(30))[4:29]"),
    "Reversed": ("reverse(warmup(9) >> linear(30))", "reverse(warmup(10) >> linear(29))"),
    "Staircase": ("staircase(constant(10) >> linear(30), every=4)", "staircase(constant(14) >> linear(26), every=4)"),
    "Repeated": ("repeat(constant(4) >> linear(6), times=3)", "repeat(constant(5) >> linear(5), times=3)"),
    "Constant": ("constant()", "constant(7) >> 0.5 * constant()"),
    "Linear": ("linear(30)", "constant(3) >> linear(30)"),
    "Warmup": ("warmup(30)", "warmup(30)[:20]"),
    "Cosine": ("cosine(30)", "cosine(30)[:20]"),
    "Polynomial": ("polynomial(30)", "polynomial(30, power=3)"),
    "OneMinusSqrt": ("one_minus_sqrt(30)", "one_minus_sqrt(31)"),
    "NormalizedExponential": ("normalized_exponential(30)", "normalized_exponential(30, ratio=0.5)"),
    "Rex": ("rex(30)", "rex(31)"),
    "Tanh": ("tanh(30)", "tanh(31)"),
    "Geometric": ("geometric(30)", "geometric(30)[:9]"),
    "InverseLinear": ("inverse_linear(30)", "inverse_linear(30)[:9]"),
    "CosineWaves": ("cosine_waves(30)", "cosine_waves(30)[:9]"),
    "Chebyshev": ("chebyshev(32)", "chebyshev(32)[:9]"),
    "Exponential": ("exponential(every=9, factor=0.5)", "exponential(every=9, factor=0.5)[:9]"),
    "Step": ("step(every=9)", "step(every=9, factor=0.2)"),
    "Multistep": ("multistep([9, 30])", "multistep([9, 31])"),
    "InverseTime": ("inverse_time(every=9)", "inverse_time(every=9)[:9]"),
    "InversePower": ("inverse_power(9)", "inverse_power(9)[:9]"),
    "Table": ("table([1, 0.5, 0.25])", "table([1, 0.5, 0.2])"),
    "Noise": ("(2.0 + clip(noise(), minimum=-1))[:60]", "(2.0 + clip(noise(seed=1), minimum=-1))[:60]"),
    "Formula": ("formula('1 / (1 + step)')", "formula('1 / (1 + step)')[:9]"),
}
# Pieces that only some interpreters can read: a Python function has no text, and a draft has no values yet.
WITHOUT_TEXT = {"Function"}
WITHOUT_VALUES = {"Draft"}
BOTH = [text for texts in SAMPLES.values() for text in texts]
PLANS = [*BOTH, "repeat(linear(10), growth=1.5, shrink=0.5)", "staircase(constant(), every=3)", "reverse(cosine(9))"]


# Two plans of each combinator that differ first after a million million steps.
LONG_PAIRS = {
    "Staircase": (
        "staircase(constant(1000000000000) >> linear(90), every=7)",
        "staircase(constant(1000000000000) >> linear(91), every=7)",
    ),
    "Repeated": (
        "repeat(constant(1000000000000) >> linear(90), times=3)",
        "repeat(constant(1000000000000) >> cosine(90), times=3)",
    ),
    "Reversed": (
        "reverse(linear(90) >> constant(1000000000000))",
        "reverse(cosine(90) >> constant(1000000000000))",
    ),
    "Maximum": (
        "maximum(constant(1000000000000) >> linear(90), 0.5 * constant())",
        "maximum(constant(1000000000000) >> linear(91), 0.5 * constant())",
    ),
    "Quotient": (
        "1 / (constant(1000000000000) >> linear(90, to=0.1))",
        "1 / (constant(1000000000000) >> linear(91, to=0.1))",
    ),
    "Product": (
        "(constant(1000000000000) >> linear(90)) * cosine(2000000000000)",
        "(constant(1000000000000) >> linear(91)) * cosine(2000000000000)",
    ),
    "Clipped": (
        "clip(constant(1000000000000) >> linear(90), minimum=0.5)",
        "clip(constant(1000000000000) >> linear(91), minimum=0.5)",
    ),
    "Cut": ("(constant(1000000000005) >> linear(90))[5:]", "(constant(1000000000005) >> linear(91))[5:]"),
    "Sequence": ("constant(1000000000000) >> linear(90)", "constant(1000000000000) >> linear(91)"),
}
N = 10**12
LONG_ANSWERS = {
    **dict.fromkeys(LONG_PAIRS, N + 1),
    "Staircase": -(-(N + 1) // 7) * 7,
    "Reversed": N,
}


def walk(kind):
    return {kind}.union(*(walk(sub) for sub in kind.__subclasses__()))


def inside(plan):
    yield plan
    for value in vars(plan).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Schedule):
                yield from inside(part)


def bits(values):
    return struct.pack(f"{len(values)}d", *values)


def values(plan, steps=STEPS):
    return [plan(k) for k in range(steps)]


def test_every_piece_has_a_sample():
    pieces = {kind.__name__ for kind in walk(Schedule) if getattr(kind, "__final__", False)}
    missing = sorted(pieces - SAMPLES.keys() - WITHOUT_TEXT - WITHOUT_VALUES)
    assert missing == [], f"add to SAMPLES in tests/test_interpreters.py: {', '.join(missing)}"
    assert pieces == SAMPLES.keys() | WITHOUT_TEXT | WITHOUT_VALUES


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_made_of_its_piece(name):
    assert name in {type(piece).__name__ for piece in inside(gp.parse(SAMPLES[name][0]))}


# --- each interpreter ---


@pytest.mark.parametrize("first", PLANS)
def test_prefix_agrees_with_the_values(first):
    plan = gp.parse(first)
    for second in PLANS:
        other = gp.parse(second)
        agreed = next((k for k in range(STEPS) if bits([plan(k)]) != bits([other(k)])), STEPS)
        assert common_prefix(plan, other, STEPS) == agreed


@pytest.mark.parametrize("name", LONG_PAIRS)
def test_a_prefix_ends_where_the_descriptions_part_however_long_they_are(name):
    """What is compared by description takes no time; by values these would take hours."""
    first, second = LONG_PAIRS[name]
    assert common_prefix(gp.parse(first), gp.parse(second), 3 * N) == LONG_ANSWERS[name]


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("steps", [1, 7, STEPS])
def test_phases_cover_every_step_and_hold_what_follows_the_end(text, steps):
    plan = gp.parse(text)
    rows = phases(plan, steps)
    covered = [row.name for row in rows for _ in range(row.start, row.stop)]
    assert [row.start for row in rows] == [0, *(row.stop for row in rows[:-1])]
    assert len(covered) == steps
    end = steps if plan.duration is None else min(plan.duration, steps)
    assert set(covered[end:]) <= {"hold", "constant"}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("reverse(warmup(4) >> linear(6))", [("linear", 0, 6), ("warmup", 6, 10), ("hold", 10, 20)]),
        ("staircase(warmup(5) >> linear(6), every=4)", [("warmup", 0, 8), ("linear", 8, 12), ("hold", 12, 20)]),
        ("(warmup(5) >> linear(6)) * (0.1 + step(every=3))", [("warmup", 0, 5), ("linear", 5, 11), ("shift", 11, 20)]),
        ("reverse(linear(10))", [("linear", 0, 10), ("hold", 10, 20)]),
        ("maximum(linear(9), cosine(20))", [("maximum", 0, 20)]),
    ],
)
def test_phases_look_into_every_combinator(text, rows):
    assert [(row.name, row.start, row.stop) for row in phases(gp.parse(text), 20)] == rows


@pytest.mark.parametrize("text", PLANS)
def test_a_review_reads_every_piece(text):
    review = gp.parse(text).review(STEPS)
    assert isinstance(review, gp.Review)


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_written(text, target):
    assert code(gp.parse(text), to=target)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "Table"])
def test_every_piece_is_written_as_a_formula(name):
    for text in SAMPLES[name]:
        try:
            formula = TABLE not in code(gp.parse(text), to="function")
        except NoFormulaError:
            formula = False
        assert formula, f"add {name} to src/glidepath/convert/writers/curves.py"


@pytest.mark.parametrize("text", PLANS)
def test_a_written_function_has_the_same_values(text):
    plan = gp.parse(text)
    written = executed(code(plan, to="function"))["get_lr"]
    assert apart([written(k) for k in range(STEPS)], plan, list(range(STEPS))) < 1e-12


@pytest.mark.parametrize("text", PLANS)
def test_reverse_runs_every_piece_backwards(text):
    plan = gp.parse(text)
    plan = plan[:STEPS] if plan.duration is None else plan
    assert values(gp.reverse(plan), plan.duration) == values(plan, plan.duration)[::-1]


@pytest.mark.parametrize("text", PLANS)
def test_text_pickle_blocks_and_arrays_keep_every_piece(text):
    plan = gp.parse(text)
    assert gp.parse(plan.text) == plan == pickle.loads(pickle.dumps(plan))
    assert parse_plan(f"Set({plan.text})") == Set(plan)
    assert bits(plan.block(0, STEPS)) == bits(values(plan))
    assert np.allclose(plan(np.arange(STEPS)), values(plan), rtol=1e-12, atol=1e-15)


# --- what they refuse ---


@dataclass(frozen=True, repr=False)
class Unknown(Schedule):
    """A piece that no interpreter has heard of; not final, so that no list of pieces has it."""

    plan: Schedule

    @property
    def duration(self):
        return self.plan.duration

    def _at(self, xp, k):
        return self.plan._at(xp, k) * 0.5

    def _call(self):
        return Call("unknown", (self.plan,))


NEW = Unknown(gp.warmup(5) >> gp.linear(20))


@pytest.mark.parametrize(
    "interpret",
    [
        lambda: common_prefix(NEW, gp.linear(9)),
        lambda: common_prefix(gp.linear(9) >> NEW, gp.linear(9) >> Unknown(gp.linear(5))),
        lambda: phases(NEW, 20),
        lambda: list(stepwise(NEW)),
    ],
    ids=["prefix", "prefix inside", "phases", "review"],
)
def test_a_piece_that_an_interpreter_does_not_know_is_refused(interpret):
    with pytest.raises(NotImplementedError, match="Unknown"):
        interpret()


def test_a_piece_that_the_writers_do_not_know_becomes_a_table_and_says_so():
    assert "table" in code(NEW, to="function")


def test_a_draft_and_a_python_function_are_refused_where_they_cannot_be_read():
    draft, function = gp.cosine("5%"), gp.formula(lambda step: 0.5)
    with pytest.raises(DraftError):
        phases(draft, 20)
    with pytest.raises(DraftError):
        common_prefix(draft, draft)
    with pytest.raises(ConvertError):
        code(function, to="function")
    assert [row.name for row in phases(function, 20)] == ["formula"]
    assert common_prefix(function, function, 20) == 20
