"""Plans as functions of the step, and what every target has in common; each program is executed."""

import pytest

from glidepath import Schedule, constant, cosine, formula, linear, parse, warmup
from glidepath.convert import code
from glidepath.convert.writing import Target
from glidepath.errors import ConvertError
from tests.catalogue import LONG, MILLION_WITH_OPTIONS, SCHEDULES

from .executed import apart, executed, steps_of

TARGETS: list[Target] = ["function", "torch", "transformers", "optax", "keras", "timm"]


def called(function: object, steps: list[int]) -> list[float]:
    return [float(function(k)) for k in steps]  # type: ignore[operator]


@pytest.mark.parametrize("text", SCHEDULES + MILLION_WITH_OPTIONS)
def test_a_function_has_the_values_of_its_plan_in_the_run_and_past_its_end(text: str) -> None:
    plan = parse(text)
    steps = steps_of(plan)
    assert apart(called(executed(code(plan, to="function"))["get_lr"], steps), plan, steps) < 1e-12


SETTINGS = [
    *("warmup(50) >> cosine(50, to=0.1)", "multistep([3, 7])", "0.5 * repeat(rex(9))"),
    *('formula("step % 7 / 7")', 'cosine(9) * formula("step % 7 / 7")', '0.5 * formula("1 + step // 3 % 4")'),
]


@pytest.mark.parametrize("text", SETTINGS)
def test_the_peak_is_a_setting_of_the_function(text: str) -> None:
    plan = parse(text)
    source = code(plan, to="function", peak=3e-4)
    assert "max_lr = 0.0003\n" in source
    assert apart(called(executed(source)["get_lr"], steps_of(plan)), plan, steps_of(plan), peak=3e-4) < 1e-12


def test_a_function_reads_as_a_person_writes_it() -> None:
    plan = warmup(100) >> constant(800) >> linear(100, to=0.1)
    assert code(plan, to="function", peak=6e-4) == (
        "# warmup(100) >> constant(800) >> linear(100, to=0.1)\n\n\n"
        "max_lr = 0.0006\n\n\n"
        "def get_lr(it):\n"
        "    if it < 100:\n"
        "        return max_lr * (it + 1) / 100\n"
        "    if it < 900:\n"
        "        return max_lr\n"
        "    if it < 1000:\n"
        "        return max_lr * (1.0 - 0.9 * (it - 900) / 100)\n"
        "    return max_lr * 0.1\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("3e-4 * (2.0 * cosine(10))", "return 0.0003 * (1 + math.cos(math.pi * it / 10))"),
        ("0.5 * linear(4)", "return 0.5 * (1 - it / 4)"),
        ("linear(100)[30:60]", "return 1 - (it + 30) / 100"),
        ("reverse(linear(10))", "return 1 - (9 - it) / 10"),
        ("step(every=30)", "return 0.1 ** (it // 30)"),
        ("staircase(linear(10), every=3)", "return 1 - (it // 3 * 3) / 10"),
        ("repeat(linear(10), shrink=0.5)", "return 0.5 ** (it // 10) * (1 - (it % 10) / 10)"),
        ("clip(linear(10), minimum=0.2)", "return max(1 - it / 10, 0.2)"),
        ("constant(10) >> 0.1 * constant()", "return 0.1"),
        ("constant()", "return 1.0"),
        ("inverse_sqrt(warmup=10)", "return math.sqrt(10 / it)"),
        ('formula("min(step, 5) ** 2 / -pi")', "return min(it, 5) ** 2 / (-math.pi)"),
        ('formula("-(2 + step) * e")', "return (-(2 + it)) * 2.718281828459045"),
    ],
)
def test_nothing_is_written_that_does_nothing(text: str, line: str) -> None:
    assert line in [written.strip() for written in code(parse(text), to="function").splitlines()]


def test_parts_that_begin_again_are_a_function_of_their_own() -> None:
    source = code(parse("repeat(warmup(3) >> linear(10)) * repeat(warmup(4) >> linear(10))"), to="function")
    assert "return cycle(it % 13) * cycle_2(it % 14)" in source
    source = code(parse("repeat(warmup(3) >> linear(10)) * repeat(warmup(3) >> linear(10))"), to="function")
    assert "return cycle(it % 13) * cycle(it % 13)" in source


def test_more_cycles_than_anybody_reads_are_a_table_if_the_plan_has_an_end() -> None:
    cycles = parse("repeat(warmup(3) >> linear(10), growth=1.01)")
    with pytest.raises(ConvertError, match=r"cycles, and a table takes a plan of at most 20000 updates: cut it"):
        code(cycles, to="function")
    source = code(cycles[:5_000], to="function")
    assert "# Its values are no formula here, so they are a table, one for each update.\n" in source
    steps = [*range(5_010), 10**9]
    assert apart(called(executed(source)["get_lr"], steps), cycles[:5_000], steps) == 0.0


@pytest.mark.parametrize("text", LONG)
def test_code_does_not_grow_with_the_run(text: str) -> None:
    assert len(code(parse(text), to="function")) < 1_000


@pytest.mark.parametrize("to", TARGETS)
def test_the_code_begins_with_the_text_of_the_plan(to: Target) -> None:
    assert code(warmup(5) >> cosine(95), to=to).startswith("# warmup(5) >> cosine(95)\n")
    table = code(parse(f"table({list(range(1, 2000))})"), to=to)
    assert max(map(len, table.splitlines())) <= 120
    assert "..." in table.partition("\n\n")[0]


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (parse("warmup(5%) >> cosine(95%)"), r"depends on the length of the run.*plan\.over\(10_000\)"),
        (formula(lambda step: 0.5), "calls a Python function.*table of its values"),
        (warmup(5) >> 0.5 * formula(lambda step: 0.5), "calls a Python function"),
        (formula("sin(step) / step"), "begins with nan"),
        (formula("1 / step"), "begins with inf"),
    ],
)
def test_what_no_target_can_write_is_refused(plan: Schedule, reason: str, to: Target) -> None:
    with pytest.raises(ConvertError, match=reason):
        code(plan, to=to)


def test_a_target_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConvertError, match="no code for 'jax': give one of function, torch"):
        code(cosine(10), to="jax")  # type: ignore[arg-type]


@pytest.mark.parametrize("peak", [0.0, -1.0, float("nan"), "x"])
def test_a_peak_is_a_number_above_zero(peak: float) -> None:
    with pytest.raises(ValueError, match="peak must be"):
        code(cosine(10), to="function", peak=peak)


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="code needs a schedule"):
        code("cosine(10)", to="function")  # type: ignore[arg-type]
