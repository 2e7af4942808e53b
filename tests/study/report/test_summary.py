"""The summary compares seed by seed and says no more than the seeds allow."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from glidepath.errors import StudyError
from glidepath.study.report.cells import legend
from glidepath.study.report.summary import Row, summary, tail_loss

from .sample_curves import curve, curves


def study(**ends: list[float]) -> dict[str, Row]:
    return {row.setting.schedule: row for row in summary(curves(**ends))}


def test_the_lowest_mean_is_the_best_and_comes_first() -> None:
    rows = study(a=[3.0, 3.1, 3.2], b=[1.0, 1.1, 1.2], c=[2.0, 2.1, 2.2])
    assert list(rows) == ["b", "c", "a"]
    assert rows["b"].verdict == "best"
    assert rows["b"].difference is None


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    a, b = [1.30, 1.12, 1.25, 1.41], [1.0, 1.05, 0.9, 1.2]
    found = study(a=a, b=b)["a"].difference
    expected = ttest_rel(a, b).confidence_interval(0.95)
    assert found is not None
    assert found == pytest.approx((np.mean(a) - np.mean(b), expected.low, expected.high), rel=1e-12)


def test_a_steady_difference_counts_however_far_apart_the_seeds_are() -> None:
    rows = study(a=[1.0, 5.0, 9.0], b=[1.1, 5.1, 9.11])
    assert rows["b"].verdict == "worse"


def test_seeds_that_disagree_show_no_difference() -> None:
    assert study(a=[1.0, 1.0, 1.0], b=[0.5, 1.0, 1.9])["b"].verdict == "no difference shown"


def test_two_names_for_the_same_curve_do_not_differ() -> None:
    rows = study(a=[1.0, 2.0, 3.0], b=[1.0, 2.0, 3.0])
    assert rows["b"].difference == (0.0, 0.0, 0.0)
    assert rows["b"].verdict == "no difference shown"


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    rows = study(a=[1.0], b=[9.0])
    assert rows["b"].verdict == "one seed"
    assert rows["b"].difference == (8.0, None, None)
    assert rows["b"].metrics["m"].deviation is None
    assert {row.verdict for row in rows.values()} == {"one seed"}
    assert "no interval can be given" in legend(list(rows.values()))


def test_with_more_schedules_each_interval_is_wider_so_that_all_hold_together() -> None:
    ends = {"a": [1.0, 1.05, 0.9, 1.2], "b": [1.3, 1.12, 1.25, 1.41], "c": [1.5, 1.5, 1.6, 1.9], "d": [2, 3, 4, 5.0]}
    rows = study(**ends)
    for name in "bcd":
        expected = ttest_rel(ends[name], ends["a"]).confidence_interval(1 - 0.05 / 6)  # six pairs of four
        found = rows[name].difference
        assert found is not None
        assert found[1:] == pytest.approx((expected.low, expected.high), rel=1e-9)
        assert rows[name].verdict == ("worse" if expected.low > 0 else "no difference shown")


def test_a_difference_that_holds_alone_need_not_hold_among_many() -> None:
    two = {"a": [1.0, 1.1, 1.2], "b": [1.1, 1.25, 1.33]}
    assert study(**two)["b"].verdict == "worse"
    assert study(**two, **{f"c{i}": [9.0 + i, 9.1, 9.2] for i in range(9)})["b"].verdict == "no difference shown"


def test_the_number_of_comparisons_does_not_depend_on_what_diverged() -> None:
    two = {"a": [1.0, 1.1, 1.2], "b": [1.1, 1.25, 1.33]}
    lost, kept = study(**two, c=[math.nan, 9.1, 9.2])["b"], study(**two, c=[9.0, 9.1, 9.2])["b"]
    assert lost.difference == kept.difference


# --- peaks ---


def test_a_schedule_is_judged_at_its_own_best_peak() -> None:
    rows = summary(
        curves(a=[1.0, 1.1, 1.2], b=[3.0, 3.1, 3.2], peak=0.1) + curves(a=[5.0, 5.1, 5.2], b=[2.0, 2.1, 2.21], peak=0.2)
    )
    found = {(row.setting.schedule, row.setting.peak): row.verdict for row in rows}
    assert found == {("a", 0.1): "best", ("b", 0.2): "worse", ("b", 0.1): "other peak", ("a", 0.2): "other peak"}
    assert [row.setting.schedule for row in rows if row.difference is not None] == ["b"]


def test_peaks_are_no_comparisons() -> None:
    a, b = [1.0, 1.05, 0.9], [1.3, 1.12, 1.25]
    rows = summary([c for peak, more in [(0.1, 0), (0.2, 1), (0.3, 2)] for c in
                    curves(a=[x + more for x in a], b=[x + more for x in b], peak=peak)])  # fmt: skip
    (difference,) = [row.difference for row in rows if row.difference is not None]
    expected = ttest_rel(b, a).confidence_interval(0.95)
    assert difference[1:] == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_a_peak_at_which_a_seed_diverged_is_not_the_best_peak() -> None:
    rows = summary(curves(a=[1.0, 1.1], peak=0.1) + curves(a=[0.1, math.nan], peak=0.2))
    assert [(row.setting.peak, row.chosen, row.diverged) for row in rows] == [(0.1, True, 0), (0.2, False, 1)]


def test_settings_with_other_seeds_cannot_be_compared() -> None:
    with pytest.raises(StudyError, match=r"a at peak 0.1 has the seeds \[0, 1\], b at peak 0.1 has \[0\]"):
        study(a=[1.0, 2.0], b=[1.0])


@given(
    st.lists(
        st.lists(st.sampled_from([0.5, 1.0, 1.25, 2.0, math.nan]), min_size=3, max_size=3), min_size=1, max_size=4
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_runs_changes_nothing(ends: list[list[float]], chance: random.Random) -> None:
    runs = [
        curve(name, seed, end + more, peak=peak)
        for name, values in zip("abcd", ends, strict=False)
        for peak, more in ((0.1, 0.0), (0.2, 0.25))
        for seed, end in enumerate(values)
    ]
    before = [(row.setting, row.verdict, row.difference) for row in summary(runs)]
    chance.shuffle(runs)
    after = [(row.setting, row.verdict, row.difference) for row in summary(runs)]
    assert [x[:2] for x in before] == [x[:2] for x in after]
    assert [x[2] is None for x in before] == [x[2] is None for x in after]
    assert [x[2] for x in before if x[2]] == [pytest.approx(x[2], rel=1e-12) for x in after if x[2]]


# --- what is not ranked ---


def test_a_setting_that_diverged_for_one_seed_is_never_the_best() -> None:
    rows = study(a=[0.1, math.nan, 0.1], b=[5.0, 5.0, 5.0])
    assert list(rows) == ["b", "a"]
    assert (rows["a"].verdict, rows["a"].diverged) == ("diverged", 1)


def test_when_all_diverge_nothing_is_best() -> None:
    assert {row.verdict for row in study(a=[math.nan], b=[math.nan]).values()} == {"diverged"}


def test_horizons_are_ranked_each_for_itself() -> None:
    rows = summary([curve(n, 0, e, horizon=h) for n, e, h in [("a", 1, 20), ("b", 2, 20), ("a", 4, 40), ("b", 3, 40)]])
    assert [(r.setting.horizon, r.setting.schedule) for r in rows] == [(20, "a"), (20, "b"), (40, "b"), (40, "a")]
    assert [r.verdict for r in rows] == ["one seed"] * 4


def test_the_training_loss_is_the_mean_of_the_last_tenth() -> None:
    assert tail_loss(curve("a", 0, 1.0, losses=[5.0] * 18 + [1.0, 2.0])) == 1.5
