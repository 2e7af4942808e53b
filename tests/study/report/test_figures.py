"""The figures draw what the curves hold."""

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import t, ttest_1samp

from glidepath.study.curve import Curve, Record
from glidepath.study.report.figures import draw_cost, draw_curves, draw_final
from glidepath.study.report.summary import summary
from glidepath.study.spec.runs import StudyRun

from .sample_curves import curve, curves

CURVES = curves(a=[1.0, 2.0, 3.0], b=[2.0, 3.0, 4.0])


def lines(axis: Axes) -> list[tuple[list[float], list[float]]]:
    return [(list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))) for line in axis.get_lines()]


def names(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def evaluated(name: str, seed: int, values: list[float]) -> Curve:
    """A run of 12 updates, evaluated after every third."""
    metrics: Any = {3 * i + 2: {"m": value} for i, value in enumerate(values)}
    records = tuple(Record(k, 0.1, 1.0, metrics.get(k, {})) for k in range(12))
    return Curve(StudyRun(0, name, "", None, 12, 0.1, seed), 0.1, records)


def test_the_lower_panel_shows_full_trailing_means_at_their_last_step() -> None:
    runs = [curve("a", seed, 1.0, horizon=60, losses=[float(k + seed) for k in range(60)]) for seed in (0, 2)]
    x, y = lines(draw_curves(runs, summary(runs)).axes[1])[0]
    assert x[0] == 2  # three updates are a twentieth of sixty
    assert y == pytest.approx(x)  # the mean of k - 2, k - 1 and k, over the seeds 0 and 2


def test_the_final_figure_has_a_dot_for_each_seed_a_bar_at_their_mean_and_its_interval() -> None:
    dots, bar, reach = lines(draw_final(CURVES, summary(CURVES)).axes[0])[3:6]
    assert dots[0] == [2.0, 3.0, 4.0]
    assert bar[0] == [3.0, 3.0]
    assert reach[0] == pytest.approx(ttest_1samp([2, 3, 4], 0).confidence_interval(0.95), rel=1e-9)


def test_the_final_figure_shows_each_schedule_at_its_best_peak() -> None:
    runs = curves(a=[1.0, 2.0], b=[3.0, 4.0], peak=0.1) + curves(a=[5.0, 6.0], b=[1.0, 1.5], peak=0.2)
    axis = draw_final(runs, summary(runs)).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b, peak 0.2", "a, peak 0.1"]


def test_a_run_that_diverged_is_written_in_every_figure_and_has_no_mean() -> None:
    runs = [*CURVES, *curves(c=[math.nan, 1.0, 1.0])]
    rows = summary(runs)
    final = draw_final(runs, rows).axes[0]
    assert [text.get_text() for text in final.texts] == ["1 of 3 diverged"]
    assert lines(final)[-1] == ([1.0, 1.0], [2, 2])  # the dots of the others, and nothing behind them
    for figure in (draw_curves(runs, rows), draw_cost(runs, rows)):
        assert names(figure) == ["a", "b", "c (1 of 3 diverged)"]


def test_figures_can_be_drawn_when_everything_diverged() -> None:
    for runs in (curves(a=[math.nan]), curves(a=[math.nan]) + curves(a=[math.nan], horizon=40)):
        for draw in (draw_curves, draw_final, draw_cost):
            draw(runs, summary(runs))


def test_with_one_horizon_evaluations_stand_over_the_updates_spent() -> None:
    runs = [evaluated("a", 0, [4.0, 3.0, 2.0, 1.0]), evaluated("a", 1, [6.0, 5.0, 4.0, 3.0])]
    axis = draw_cost(runs, summary(runs)).axes[0]
    assert lines(axis) == [([3, 6, 9, 12], [5.0, 4.0, 3.0, 2.0])]
    (band,) = axis.collections
    corners = {tuple(corner) for corner in np.round(band.get_paths()[0].vertices, 9).tolist()}
    assert {(3.0, 4.0), (3.0, 6.0), (12.0, 1.0), (12.0, 3.0)} <= corners


def test_with_several_horizons_the_ends_stand_over_the_lengths_with_their_intervals() -> None:
    runs = curves(a=[3.0, 3.2], horizon=40) + curves(a=[1.0, 1.2], horizon=10) + curves(a=[2.0, 2.2], horizon=20)
    axis = draw_cost(runs, summary(runs)).axes[0]
    (container,) = axis.containers
    x, y = container[0].get_data()
    assert [float(value) for value in x] == pytest.approx([10, 20, 40], rel=0.04)
    assert [float(value) for value in y] == pytest.approx([1.1, 2.1, 3.1])
    (low, high) = container[2][0].get_segments()[0][:, 1]
    half = t.ppf(0.975, 1) * math.sqrt(0.02) / math.sqrt(2)
    assert (low, high) == pytest.approx((1.1 - half, 1.1 + half))


def test_the_legend_of_fifteen_schedules_stays_within_the_figure() -> None:
    every = {f"warmup and then shape {i}": [1.0 + i, 1.5 + i] for i in range(15)}
    runs = curves(**every)
    for draw in (draw_curves, draw_cost):
        figure = draw(runs, summary(runs))
        figure.canvas.draw()
        box = figure.legends[0].get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert figure.axes[0].get_window_extent().height > 60
