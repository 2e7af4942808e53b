"""A run is rebuilt from what its log says, and a log that cannot be true is refused with its place."""

import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glidepath as gp
from glidepath.errors import Place, RunError, ScheduleError
from glidepath.runs.aggregate import average_runs, group_seeds
from glidepath.runs.from_rows import run_from_rows
from glidepath.runs.run import Run

NAN = math.nan


def sparse(steps, rates, losses=None, **options):
    """A log with a loss in every row, unless it says otherwise."""
    return run_from_rows("a run", steps, rates, [3.0] * len(steps) if losses is None else losses, **options)


# --- the run itself ---


def test_a_run_keeps_its_own_arrays_and_nobody_can_change_them():
    rates = np.array([0.1, 0.2])
    run = Run("a", rates, [1, 2], [3.0, 2.0])
    rates[0] = 9.0
    assert run.rates.tolist() == [0.1, 0.2]
    assert [run.rates.dtype, run.updates.dtype, run.losses.dtype] == [np.float64, np.int64, np.float64]
    with pytest.raises(ValueError, match="read-only"):
        run.losses[0] = 1.0


def test_a_run_survives_pickling():
    run = Run("a", [0.1, 0.2], [1, 2], [3.0, 2.0], "a guess")
    again = pickle.loads(pickle.dumps(run))
    assert (again.name, again.assumed, again.rates.tolist()) == ("a", "a guess", [0.1, 0.2])


def test_peak_steps_and_final_loss_are_those_of_the_arrays():
    run = Run("a", [0.1, 0.3, 0.2], [1, 3], [3.0, 2.0])
    assert (run.peak, run.steps, run.final) == (0.3, 3, 2.0)


@pytest.mark.parametrize(
    "rates, updates, losses, message",
    [
        ([0.1, -0.1], [1, 2], [3, 2], "a, step 1: the rate is -0.1; a rate is finite, not negative"),
        ([0.1, NAN], [1, 2], [3, 2], "a, step 1: the rate is nan; a rate is finite, not negative"),
        ([math.inf, 0.1], [1, 2], [3, 2], "a, step 0: the rate is inf; a rate is finite, not negative"),
        ([0.1, 101], [1, 2], [3, 2], "a, step 1: the rate is 101.0: above 100 the units cannot be right"),
        ([0, 0], [1, 2], [3, 2], "a: every rate is zero, so nothing was trained"),
        ([0.1, 0.1], [1, 2], [3], "a: 1 losses and 2 numbers of updates"),
        ([0.1, 0.1], [1], [3], "a: one loss after an update; a curve has at least two"),
        ([0.1, 0.1], [], [], "a: no loss after an update"),
        ([0.1, 0.1], [1, 1.5], [3, 2], "a: updates are whole numbers, each higher"),
        ([0.1, 0.1], [2, 1], [3, 2], "a: updates are whole numbers, each higher"),
        ([0.1, 0.1], [1, 1], [3, 2], "a: updates are whole numbers, each higher"),
        ([0.1, 0.1], [0, 1], [3, 2], "a: updates lie between 1 and the 2 that have a rate, not [0. 1.]"),
        ([0.1, 0.1], [1, 3], [3, 2], "a: updates lie between 1 and the 2 that have a rate, not [1. 3.]"),
        ([0.1, 0.1], [1, 2], [3, 0], "a, step 2: the loss is 0.0: laws are fitted to the logarithm"),
        ([0.1, 0.1], [1, 2], [3, -1], "a, step 2: the loss is -1.0: laws are fitted to the logarithm"),
        ([0.1, 0.1], [1, 2], [3, NAN], "a, step 2: the loss is nan: the run diverged; delete the rows from there on"),
        ([[0.1, 0.1]], [1, 2], [3, 2], "a: rates are numbers in one row, not an array of shape (1, 2)"),
        (["x", 0.1], [1, 2], [3, 2], "a: rates are numbers in a row, not ['x', 0.1]"),
    ],
)
def test_what_cannot_be_true_is_refused_when_the_run_is_built(rates, updates, losses, message):
    with pytest.raises(RunError, match=re.escape(message)):
        Run("a", rates, updates, losses)


def test_the_highest_rate_and_the_first_and_last_update_are_allowed():
    assert Run("a", [0.0, 100.0], [1, 2], [1e-300, 2]).peak == 100


# --- from rows ---

ON_THE_LINE = (
    "between two logged rates the rate lies on a straight line; if it held until the next, it differs by up to "
)


def test_what_was_logged_stands_and_what_lies_between_is_on_a_straight_line():
    run = sparse([0, 4, 6], [0.0, 0.4, 0.2], [NAN, 3.0, 2.0])
    assert run.rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2])
    assert (run.rates[4], run.rates[6]) == (0.4, 0.2)
    assert run.assumed == ON_THE_LINE + "0.3, at step 3"
    assert sparse([0, 4, 6], [0.0, 0.4, 0.2], between="line").assumed == ON_THE_LINE.partition(";")[0]


def test_a_rate_that_is_held_stands_until_the_next():
    run = sparse([0, 4, 6], [0.0, 0.4, 0.2], [NAN, 3.0, 2.0], between="held")
    assert run.rates.tolist() == [0, 0, 0, 0, 0.4, 0.4, 0.2]
    assert run.assumed == "a rate holds until the next one that was logged"
    assert sparse([1, 4, 6], [0.4, 0.4, 0.2], between="held").rates.tolist() == [*[0.4] * 6, 0.2]


def test_losses_and_rates_may_be_logged_at_different_steps():
    run = sparse([0, 1, 2, 3, 4], [0.4, NAN, 0.2, NAN, 0.2], [NAN, 3.0, NAN, 2.5, NAN])
    assert run.rates == pytest.approx([0.4, 0.3, 0.2, 0.2, 0.2])
    assert (run.updates.tolist(), run.losses.tolist()) == ([1, 3], [3.0, 2.5])


def test_two_rows_of_one_step_may_tell_the_rate_and_the_loss():
    run = sparse([1, 1, 2, 2], [0.1, NAN, NAN, 0.2], [NAN, 3.0, 2.0, NAN])
    assert (run.rates.tolist(), run.losses.tolist()) == ([0.0, 0.1, 0.2], [3.0, 2.0])


def test_two_rows_of_one_step_may_say_the_same_rate():
    assert sparse([1, 1, 2], [0.1, 0.1, 0.2], [NAN, 3.0, 2.0]).rates.tolist() == [0.0, 0.1, 0.2]


def test_the_loss_before_any_update_is_left_out_and_its_rate_is_kept():
    run = sparse([0, 1, 2], [0.3, 0.2, 0.1], [9.0, 3.0, 2.0])
    assert (run.updates.tolist(), run.rates.tolist()) == ([1, 2], [0.3, 0.2, 0.1])


def test_a_lone_change_between_two_level_stretches_is_a_jump_in_the_middle():
    steps = [0, 128, 256, 384, 512]
    run = sparse(steps, [3e-4, 3e-4, 9e-5, 9e-5, 9e-5])
    assert run.rates.tolist() == [3e-4] * 192 + [9e-5] * 321
    assert run.assumed == "a jump of the rate at step 192, the middle of two logged steps"


def test_rounded_digits_are_no_jump():
    run = sparse([0, 2, 4, 6, 8], [0.3, 0.3, 0.3 + 1e-9, 0.3 + 1e-9, 0.3 + 1e-9])
    assert run.assumed == ""


def test_every_lone_change_is_a_jump_of_its_own():
    run = sparse(range(0, 70, 10), [3, 3, 2, 2, 1, 1, 1])
    assert run.rates.tolist() == [3] * 15 + [2] * 20 + [1] * 26
    assert run.assumed == "2 jumps of the rate, each in the middle of two logged steps"


def test_a_kink_and_a_slope_are_no_jumps():
    steps, rates = [0, 10, 20, 30, 40, 50], [1, 1, 0.8, 0.5, 0.2, 0.2]
    run = sparse(steps, rates)
    assert run.rates == pytest.approx(np.interp(range(51), steps, rates))
    assert run.assumed == ON_THE_LINE + "0.27, at step 29"


def test_a_change_at_either_edge_is_no_jump_because_one_side_was_not_seen():
    assert sparse([0, 10, 20, 30], [0.1, 0.3, 0.3, 0.3]).rates[5] == pytest.approx(0.2)
    assert sparse([0, 10, 20, 30], [0.3, 0.3, 0.3, 0.1]).rates[25] == pytest.approx(0.2)


def test_a_jump_that_was_logged_on_both_sides_is_where_it_was():
    run = sparse([0, 10, 11, 20], [0.3, 0.3, 0.1, 0.1])
    assert run.rates.tolist() == [0.3] * 11 + [0.1] * 10
    assert run.assumed == ""


def test_a_log_that_begins_with_the_first_update_lacks_nothing():
    for first in (0, 1):
        run = sparse([first, 2, 3], [0.2, 0.2, 0.1])
        assert (run.rates[0], run.assumed) == (0.2, "")


def test_before_the_first_row_the_rates_go_on_backwards_as_they_begin():
    level = sparse([4, 10, 20], [0.3, 0.3, 0.1])
    assert level.rates[:5].tolist() == [0.3] * 5
    assert "a level rate (no warmup was given) over the first 4 updates" in level.assumed
    line = 8e-5 * (1 - np.arange(2600) / 2600)
    rows = np.arange(499, 2600, 500)
    falling = sparse(rows, line[rows], updates=2600)
    assert falling.rates[:2500] == pytest.approx(line[:2500], rel=1e-9)
    assert "a fall like that of the first rows" in falling.assumed
    rise = np.minimum(np.arange(1, 301) / 100, 1.0)
    rows = np.arange(19, 300, 20)
    warmup = sparse(rows, rise[rows])
    assert warmup.rates == pytest.approx(rise)
    assert "a linear warmup over the first 19 updates" in warmup.assumed
    kink = sparse([60, 120, 180, 400], [0.6, 1.0, 1.0, 1.0])
    assert kink.rates[:61] == pytest.approx(np.arange(61) / 100)


def test_a_curve_that_falls_goes_on_backwards_without_a_turn():
    curve = 0.5 * (1 + np.cos(np.pi * np.arange(2000) / 2000))
    rows = np.arange(99, 2000, 100)
    run = sparse(rows, curve[rows])
    assert np.abs(run.rates[:99] - curve[:99]).max() < 1e-3
    assert (np.diff(run.rates[:99]) <= 0).all()


def test_a_history_that_is_missing_is_asked_for():
    assert sparse([4, 19], [0.3, 0.3]).steps == 20
    assert sparse([9, 19], [0.3, 0.3]).rates.tolist() == [0.3] * 20
    message = "the first rate was logged at step 5 of 20, and the history before it is missing: give the schedule of "
    with pytest.raises(RunError, match=message + "the run, plan= and peak="):
        sparse([5, 19], [0.3, 0.2])


def test_a_warmup_that_is_told_is_not_assumed():
    run = sparse([8, 9, 10], [0.3, 0.3, 0.1], warmup=4)
    assert run.rates.tolist() == [*np.linspace(0, 0.3, 4), *[0.3] * 6, 0.1]
    assert run.assumed == ""
    assert sparse([8, 9, 10], [0.3, 0.3, 0.1], warmup=0).rates.tolist() == [0.3] * 10 + [0.1]
    with pytest.raises(RunError, match="a rate was logged at step 8, within the warmup of 9"):
        sparse([8, 9, 10], [0.3, 0.3, 0.1], warmup=9)
    with pytest.raises(ScheduleError, match="warmup is a count of steps"):
        sparse([8, 9, 10], [0.3, 0.3, 0.1], warmup=1.5)


def test_rates_after_the_last_logged_one_are_level_for_as_long_as_a_gap_of_the_log():
    run = sparse([0, 10, 20], [0.1, 0.3, NAN])
    assert run.rates[10:].tolist() == [0.3] * 11
    assert run.assumed.endswith("at step 9; a level rate over the last 10 updates, which were not logged")
    with pytest.raises(RunError, match="the last rate was logged at step 10 of 22, and those after it are missing"):
        sparse([0, 10, 21], [0.1, 0.3, NAN])


@given(st.data())
def test_a_log_of_every_update_is_the_run_itself(data):
    rates = data.draw(st.lists(st.floats(0, 100), min_size=3, max_size=30).filter(any))
    steps = range(len(rates))
    run = sparse(steps, rates, [9.0] * len(rates))
    assert run.rates.tolist() == rates
    assert run.updates.tolist() == list(steps)[1:]


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.data())
def test_every_logged_rate_stands_and_no_other_leaves_the_range_of_its_neighbours(gaps, data):
    steps = np.cumsum([0, *gaps])
    levels = st.sampled_from([0.0, 0.1, 0.25, 1.0])
    rates = data.draw(st.lists(levels, min_size=len(steps), max_size=len(steps)).filter(any))
    run = sparse(steps, rates)
    assert run.steps == steps[-1] + 1
    for low, high, before, after in zip(steps, steps[1:], rates, rates[1:], strict=False):
        assert (run.rates[low], run.rates[high]) == (before, after)
        inside = run.rates[low : high + 1]
        slack = 1e-12
        assert inside.min() >= min(before, after) - slack
        assert inside.max() <= max(before, after) + slack


# --- with a plan ---

PLAN = gp.warmup(4) >> gp.cosine(16, to=0.1)


def test_a_plan_gives_the_rate_of_every_update_and_nothing_is_assumed():
    run = sparse([10, 15], [NAN, NAN], plan=PLAN, peak=0.5)
    assert run.rates == pytest.approx([0.5 * PLAN(k) for k in range(16)], rel=1e-14)
    assert run.assumed == ""


def test_a_draft_is_resolved_over_the_log_or_over_what_is_said():
    draft = gp.warmup("10%") >> gp.linear("90%")
    for asked, horizon in ((None, 20), (40, 40)):
        run = sparse([10, 19], [NAN, NAN], plan=draft, peak=0.5, horizon=asked)
        whole = draft.over(horizon)
        assert run.rates == pytest.approx([0.5 * whole(k) for k in range(20)], rel=1e-14)
    with pytest.raises(RunError, match=r"^a run: "):
        sparse([10, 19], [NAN, NAN], plan=gp.warmup(50) >> gp.linear("90%"), peak=0.5)


def test_a_logged_rate_that_is_not_the_plans_is_shown_with_both_values():
    true = [0.5 * PLAN(k) for k in range(20)]
    sparse(range(20), [rate + 0.0049 for rate in true], plan=PLAN, peak=0.5)
    wrong = [*true[:12], true[12] + 0.0051, 9.0, *true[14:]]
    message = f"a run, step 12: the rate is {wrong[12]:g} in the log and {true[12]:g} by the plan"
    with pytest.raises(RunError, match=re.escape(message)):
        sparse(range(20), wrong, plan=PLAN, peak=0.5)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"plan": PLAN}, RunError, "a plan is a ratio of the peak: give peak= too"),
        ({"peak": 0.1}, RunError, "peak= and horizon= belong to a plan"),
        ({"horizon": 90}, RunError, "peak= and horizon= belong to a plan"),
        ({"plan": PLAN, "peak": 0.1, "warmup": 3}, RunError, "a plan has its own warmup"),
        ({"plan": PLAN, "peak": 0.0}, ScheduleError, "peak must be above 0"),
        ({"plan": "cosine(9)", "peak": 0.1}, ScheduleError, "plan needs a schedule"),
        ({"plan": gp.formula("1 / (step - 3)"), "peak": 0.1}, RunError, "a run, step 0: the rate is"),
        ({"plan": 0 * PLAN, "peak": 0.1}, RunError, "a run: every rate is zero"),
    ],
)
def test_a_plan_that_says_too_little_or_too_much_is_refused(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        sparse([10, 15], [NAN, NAN], **options)


# --- rows that cannot be true ---


@pytest.mark.parametrize(
    "steps, rates, losses, message",
    [
        ([1, 3, 2], [0.1] * 3, [3] * 3, "row 2: step 2 comes after step 3: two runs in one file, or a resumed one"),
        ([1, 2, 2], [0.1] * 3, [3] * 3, "row 2, step 2: there are two losses; keep one of them"),
        ([1, 2, 2], [0.1, 0.1, 0.2], [3, 3, NAN], "row 2, step 2: there are two rates, 0.1 and 0.2"),
        ([1, 2.5, 3], [0.1] * 3, [3] * 3, "row 1: the step is 2.5; steps are whole numbers from 0"),
        ([-1, 2, 3], [0.1] * 3, [3] * 3, "row 0: the step is -1.0; steps are whole numbers from 0"),
        ([1, NAN, 3], [0.1] * 3, [3] * 3, "row 1: the step is missing; steps are whole numbers from 0"),
        ([1, 2, math.inf], [0.1] * 3, [3] * 3, "row 2: the step is inf; steps are whole numbers from 0"),
        ([1, 2, 10_000_001], [0.1] * 3, [3] * 3, "row 2: 10,000,001 steps are more than 10,000,000: are these tokens?"),
        ([1, 2, 3], [0.1, -1, 0.1], [3] * 3, "row 1, step 2: the rate is -1.0; a rate is finite, not negative"),
        ([1, 2, 3], [0.1, 300, 0.1], [3] * 3, "row 1, step 2: the rate is 300.0: above 100 the units cannot be"),
        ([1, 2, 3], [0.1, math.inf, 1], [3] * 3, "row 1, step 2: the rate is inf; a rate is finite"),
        ([1, 2, 3], [0.1] * 3, [3, NAN, 0], "row 2, step 3: the loss is 0.0: laws are fitted to the logarithm"),
        (
            [1, 2, 3],
            [0.1] * 3,
            [3, NAN, math.inf],
            "row 2, step 3: the loss is inf: the run diverged; delete",
        ),
        ([1, 2, 3], [NAN] * 3, [3] * 3, "a run: no rate was logged: give the schedule of the run, plan= and peak="),
        ([1, 2, 3], [0] * 3, [3] * 3, "a run: every rate is zero"),
        ([0, 2, 3], [0.1] * 3, [3, NAN, 3], "a run: one loss after an update; a curve has at least two"),
        ([1, 2], [0.1] * 3, [3] * 3, "a run: steps, rates and losses have 2, 3, 3 rows; they are one table"),
        ([], [], [], "a run: the log has no rows"),
    ],
)
def test_rows_that_cannot_be_true_are_refused_with_their_place(steps, rates, losses, message):
    with pytest.raises(RunError, match=f"^{re.escape(message)}"):
        run_from_rows("a run", steps, rates, losses, place=lambda row: Place(f"row {row}"))


def test_without_places_a_message_names_the_run():
    with pytest.raises(RunError, match=r"^a run: step 2 comes after step 3"):
        sparse([1, 3, 2], [0.1] * 3)


# --- several seeds ---


def test_the_mean_of_seeds_is_one_run_with_their_rates():
    seeds = [Run(f"seed {i}", [0.1, 0.2], [1, 2], [3.0 + i, 2.0 - i / 4], "a guess") for i in range(3)]
    mean = average_runs(seeds, "mean")
    assert (mean.name, mean.losses.tolist(), mean.assumed) == ("mean", [4.0, 1.75], "a guess")
    assert average_runs(seeds).name == "seed 0, mean of 3"


def test_only_runs_that_differ_by_seed_have_a_mean():
    one = Run("one", [0.1, 0.2, 0.2], [1, 2], [3.0, 2.0])
    with pytest.raises(RunError, match="one and two differ in their rates"):
        average_runs([one, Run("two", [0.1, 0.3, 0.2], [1, 2], [3.0, 2.0])])
    with pytest.raises(RunError, match="one and three differ in their updates"):
        average_runs([one, one, Run("three", [0.1, 0.2, 0.2], [1, 3], [3.0, 2.0])])
    with pytest.raises(RunError, match="at least one run"):
        average_runs([])


def test_runs_that_differ_by_seed_are_found_in_their_order():
    rates = [0.1, 0.2, 0.2]
    seeds = [Run(f"seed {i}", rates, [1, 2], [3.0, 2.0 + i]) for i in range(3)]
    longer, sparser = Run("longer", [*rates, 0.1], [1, 2], [3.0, 2.0]), Run("sparser", rates, [1, 3], [3.0, 2.0])
    groups = group_seeds([longer, seeds[0], sparser, seeds[1], seeds[2]])
    assert [[run.name for run in group] for group in groups] == [
        ["longer"],
        ["seed 0", "seed 1", "seed 2"],
        ["sparser"],
    ]
    assert average_runs(groups[1]).final == 3.0
    assert group_seeds([]) == []
