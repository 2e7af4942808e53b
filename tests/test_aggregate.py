"""Runs that differ only by their seed are one, their mean; of several peaks the one that won is chosen, and said."""

import math

import numpy as np
import pytest

from glidepath.errors import RunError
from glidepath.runs.aggregate import average_seeds, choose_peak, group_by_peak, last_loss, noise_of, with_distinct_names
from glidepath.runs.run import Run


def run(name: str, *, peak: float = 0.1, steps: int = 40, end: float = 2.0) -> Run:
    """A linear decay whose loss falls from 3 to `end`."""
    rates = peak * (1 - np.arange(steps) / steps)
    updates = np.arange(1, steps + 1)
    return Run(name, rates, updates, np.linspace(3.0, end, steps))


# --- seeds ---


def test_seeds_of_one_schedule_become_their_mean_under_their_common_name():
    seeds = [run(f"cosine (seed {i})", end=2.0 + i / 10) for i in range(3)]
    means = average_seeds([*seeds, run("linear", steps=30)])
    assert [each.name for each in means.runs] == ["cosine", "linear"]
    assert means.runs[0].final == pytest.approx(2.1)
    assert [len(group) for group in means.groups] == [3, 1]


def test_the_noise_is_the_standard_error_of_a_difference_of_two_means():
    ends = [2.0, 2.1, 2.3]
    seeds = [run(f"s{i}", end=end) for i, end in enumerate(ends)]
    lasts = [last_loss(each) for each in seeds]
    mean = sum(lasts) / 3
    variance = sum((each - mean) ** 2 for each in lasts) / 2
    assert average_seeds(seeds).noise == pytest.approx(math.sqrt(2 * variance / 3))


def test_the_noise_of_several_schedules_is_pooled():
    groups = [[run("a"), run("b", end=2.2)], [run("c", steps=30), run("d", steps=30, end=2.4)], [run("e", steps=20)]]
    squares = [noise_of([group]) ** 2 for group in groups[:2]]
    assert noise_of(groups) == pytest.approx(math.sqrt(sum(squares) / 2))


def test_without_a_second_seed_there_is_no_noise():
    assert average_seeds([run("a"), run("b", steps=30)]).noise is None


def test_a_run_that_is_given_twice_is_no_second_seed():
    with pytest.raises(RunError, match=r"a and b are the same run: give it once"):
        average_seeds([run("a"), run("b")])


def test_means_have_names_of_their_own():
    names = [each.name for each in with_distinct_names([run("a"), run("b"), run("a"), run("a")])]
    assert names == ["a", "b", "a #2", "a #3"]


def test_the_last_loss_is_the_mean_over_the_last_twentieth():
    each = run("a", steps=40)
    assert last_loss(each) == pytest.approx((each.losses[-1] + each.losses[-2]) / 2)


def test_the_name_of_the_loss_survives_the_mean():
    seeds = [Run(f"s{i}", [0.1, 0.1], [1, 2], [3.0, 2.0 + i], loss="validation_loss") for i in range(2)]
    assert average_seeds(seeds).runs[0].loss == "validation_loss"


# --- peaks ---


def test_peaks_that_differ_by_less_than_a_hundredth_are_one():
    groups = group_by_peak([run("b", peak=0.1008), run("a", peak=0.1), run("c", peak=0.2)])
    assert [[each.name for each in group] for group in groups.values()] == [["a", "b"], ["c"]]


def test_runs_that_a_law_takes_for_one_peak_are_one_group():
    assert len(group_by_peak([run("a", peak=0.9901), run("b", peak=1.0)])) == 1  # 1% of the higher one


def test_the_peak_that_reached_the_lowest_last_loss_is_chosen_and_the_note_has_the_numbers():
    low, high = run("low", peak=0.1, end=2.1), run("high", peak=0.2, end=2.0)
    choice = choose_peak([low, high, run("worse", peak=0.2, end=2.5, steps=30)])
    assert (choice.peak, [each.name for each in choice.runs]) == (0.2, ["high", "worse"])
    assert choice.note == (
        "only the 2 runs with the peak 0.2 are used, because one law does not hold across peaks; the lowest last loss "
        f"at each peak: 0.1 {last_loss(low):.4f}, 0.2 {last_loss(high):.4f}"
    )


def test_a_lucky_seed_does_not_choose_the_peak():
    seeds = [run("s0", peak=0.1, end=1.9), run("s1", peak=0.1, end=2.7)]
    assert choose_peak([*seeds, run("other", peak=0.2, end=2.1)]).peak == 0.2


def test_peaks_are_compared_over_the_longest_horizon_that_they_share():
    short = [run("a", peak=0.1, steps=40, end=2.2), run("b", peak=0.2, steps=40, end=2.3)]
    longer = run("c", peak=0.2, steps=400, end=1.5)
    assert choose_peak([*short, longer]).peak == 0.1
    assert choose_peak([short[0], longer]).peak == 0.2


def test_one_peak_is_no_choice():
    choice = choose_peak([run("a"), run("b", steps=30)])
    assert (choice.note, len(choice.runs)) == ("", 2)


def test_a_peak_may_be_named_and_must_be_there():
    runs = [run("low", peak=0.1, end=2.1), run("high", peak=0.2)]
    assert choose_peak(runs, 0.1004).runs == (runs[0],)
    with pytest.raises(RunError, match=r"no run has the peak 0\.3; there are 0\.1 \(1 run\), 0\.2 \(1 run\)"):
        choose_peak(runs, 0.3)
    with pytest.raises(RunError, match="there is no run to choose a peak from"):
        choose_peak([])
