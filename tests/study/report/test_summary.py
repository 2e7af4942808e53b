"""The summary compares seed by seed and says no more than the seeds allow."""

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from scipy.stats import ttest_rel

from glidepath.study.curve import Curve, Record
from glidepath.study.report.figures import curves_figure, final_figure
from glidepath.study.report.screen import note
from glidepath.study.report.summary import Row, summary, tail_loss
from glidepath.study.runs import Run


def curve(
    schedule: str, seed: int, end: float, *, horizon: int = 20, peak: float = 0.1, losses: list[float] | None = None
) -> Curve:
    """A run that ends at `end`; NaN makes it diverge."""
    run = Run(0, schedule, "", None, horizon, peak, seed)
    losses = losses or [1.0 / (k + 1) for k in range(horizon)]
    records = [Record(k, peak, loss) for k, loss in enumerate(losses)]
    last = Record(horizon - 1, peak, math.nan) if math.isnan(end) else Record(horizon - 1, peak, losses[-1], {"m": end})
    return Curve(run, peak, (*records[:-1], last))


def study(**ends: list[float]) -> dict[str, Row]:
    curves = [curve(name, seed, end) for name, values in ends.items() for seed, end in enumerate(values)]
    return {row.setting.schedule: row for row in summary(curves)}


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


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    rows = study(a=[1.0], b=[9.0])
    assert rows["b"].verdict == "one seed"
    assert rows["b"].difference == (8.0, None, None)
    assert rows["b"].metrics["m"].deviation is None
    assert "no interval can be given" in note(list(rows.values()))


def test_the_note_states_the_number_of_seeds() -> None:
    assert "4 seeds" in note(list(study(a=[1.0] * 4, b=[2.0] * 4).values()))


def test_a_setting_that_diverged_for_one_seed_is_never_the_best() -> None:
    rows = study(a=[0.1, math.nan, 0.1], b=[5.0, 5.0, 5.0])
    assert list(rows) == ["b", "a"]
    assert (rows["a"].verdict, rows["a"].diverged) == ("diverged", 1)


def test_when_all_diverge_nothing_is_best() -> None:
    assert {row.verdict for row in study(a=[math.nan], b=[math.nan]).values()} == {"diverged"}


def test_horizons_are_ranked_each_for_itself() -> None:
    rows = summary([curve(n, 0, e, horizon=h) for n, e, h in [("a", 1, 20), ("b", 2, 20), ("a", 4, 40), ("b", 3, 40)]])
    assert [(r.setting.horizon, r.setting.schedule) for r in rows] == [(20, "a"), (20, "b"), (40, "b"), (40, "a")]
    assert [r.verdict for r in rows] == ["best", "one seed"] * 2


def test_the_training_loss_is_the_mean_of_the_last_tenth() -> None:
    assert tail_loss(curve("a", 0, 1.0, losses=[5.0] * 18 + [1.0, 2.0])) == 1.5


# --- figures ---


CURVES = [curve(name, seed, 1.0 + seed + i) for i, name in enumerate(["a", "b"]) for seed in range(3)]


def lines(axis: Axes) -> list[tuple[list[float], list[float]]]:
    return [(list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))) for line in axis.get_lines()]


def test_the_lower_panel_shows_full_trailing_means_at_their_last_step() -> None:
    curves = [curve("a", seed, 1.0, horizon=60, losses=[float(k + seed) for k in range(60)]) for seed in (0, 2)]
    x, y = lines(curves_figure(curves, summary(curves)).axes[1])[0]
    assert x[0] == 2  # three updates are a twentieth of sixty
    assert y == pytest.approx(x)  # the mean of k - 2, k - 1 and k, over the seeds 0 and 2


def test_the_final_figure_has_a_dot_for_each_seed_and_a_bar_at_their_mean() -> None:
    drawn = lines(final_figure(CURVES, summary(CURVES)).axes[0])
    assert [x for x, _ in drawn] == [[1.0, 2.0, 3.0], [2.0, 2.0], [2.0, 3.0, 4.0], [3.0, 3.0]]


def test_a_run_that_diverged_is_written_in_the_figure() -> None:
    curves = [*CURVES, curve("c", 0, math.nan)]
    rows = summary(curves)
    words = [text.get_text() for text in final_figure(curves, rows).axes[0].texts]
    assert words == ["1 of 1 diverged"]
    curves_figure(curves, rows)
