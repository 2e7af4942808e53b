"""The figure of measured and predicted losses."""

import numpy as np
import pytest

from glidepath import plot
from glidepath.errors import GlidepathError
from glidepath.plot.loss_series import MeasuredLosses, PredictedLosses
from glidepath.plot.losses import draw_losses
from glidepath.plot.style import COLORS, QUIET

STEPS = 1000
UPDATES = np.arange(10, STEPS + 1, 10)


def run(name="a run", shift=0.0, **options):
    return MeasuredLosses(name, np.linspace(1e-3, 0, STEPS), UPDATES, 2 + 9 / UPDATES + shift, **options)


def prediction(name="a plan", shift=0.0, steps=STEPS, **options):
    updates = np.arange(1, steps + 1)
    losses = 2 + 9 / updates + shift
    end = float(losses[-1])
    band = {"low": losses - 0.02, "high": losses + 0.02, "final": (end - 0.03, end + 0.05)}
    return PredictedLosses(name, np.full(steps, 1e-3), updates, losses, **(band | options))


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_rate_stands_above_the_loss_with_a_third_of_the_height_and_one_step_axis():
    rate, loss = draw_losses([run()], [prediction()]).axes
    assert rate.get_gridspec().get_height_ratios() == (1.0, 2.0)
    assert rate.get_shared_x_axes().joined(rate, loss)
    assert (rate.get_ylabel(), loss.get_xlabel(), loss.get_ylabel()) == ("learning rate", "step", "loss")


def test_the_first_losses_leave_the_axis_and_the_last_interval_does_not():
    _, loss = draw_losses([run()], [prediction()]).axes
    low, high = loss.get_ylim()
    assert high < 2.2
    assert low < 2 + 9 / STEPS - 0.03


def test_points_are_what_was_measured_and_lines_what_was_predicted():
    one = prediction()
    _, loss = draw_losses([run()], [one]).axes
    points = next(line for line in loss.get_lines() if line.get_linestyle() == "None")
    assert points.get_xdata().tolist() == UPDATES.tolist()
    drawn = next(line for line in loss.get_lines() if line.get_zorder() == 3)
    assert drawn.get_ydata().tolist() == one.losses.tolist()
    assert len(loss.collections) >= 1  # the band
    assert loss.get_xlim()[1] > STEPS  # the whisker stands behind the end


def test_many_losses_are_averaged_and_shown_faintly_too():
    updates = np.arange(1, 3001)
    many = MeasuredLosses("many", np.ones(3000), updates, np.full(3000, 2.0))
    _, loss = draw_losses([many]).axes
    lengths = sorted(len(line.get_xdata()) for line in loss.get_lines())
    assert lengths[0] <= 150 < lengths[-1]


def test_one_prediction_is_told_in_the_legend_with_its_interval():
    assert labels(draw_losses([run()], [prediction()], level=0.95)) == [
        "a plan: 2.009, 95% [1.979, 2.059]",
        "a run",
    ]


def test_several_predictions_are_ranked_beside_the_curves():
    plans = [prediction("worse", 0.01), prediction("best"), prediction("between", 0.005)]
    figure = draw_losses([run()], plans, tie=0.007)
    last = figure.axes[2] if figure.axes[2].get_xlabel() else figure.axes[3]
    assert [label.get_text() for label in last.get_yticklabels()] == ["best", "between", "worse"]
    assert last.get_ylim()[0] > last.get_ylim()[1]
    assert last.get_xlabel() == "last loss,\n90% interval"


def test_what_a_law_says_of_a_run_has_its_colour_and_a_key():
    law = prediction("a run", low=None, high=None, final=None)
    figure = draw_losses([run()], [law])
    assert labels(figure) == ["a run", "measured", "law"]
    assert {line.get_color() for line in figure.axes[1].get_lines()} == {COLORS[0]}


def test_runs_are_grey_where_colours_do_not_suffice():
    runs = [run(f"run {i}") for i in range(4)]
    plans = [prediction(f"plan {i}") for i in range(5)]
    _, loss, *_ = draw_losses(runs, plans).axes
    points = [line.get_color() for line in loss.get_lines() if line.get_linestyle() == "None"]
    assert points == [QUIET] * 4
    assert len({line.get_color() for line in loss.get_lines() if line.get_zorder() == 3}) == 5


def test_a_family_has_one_colour_and_one_name():
    runs = [run(f"run {i}", i / 100, family="peak 1e-3") for i in range(9)]
    figure = draw_losses(runs)
    assert labels(figure) == ["peak 1e-3"]
    assert {line.get_color() for line in figure.axes[1].get_lines()} == {COLORS[0]}


def test_too_many_names_are_left_out_and_all_runs_drawn():
    figure = draw_losses([run(f"run {i}") for i in range(30)])
    assert not figure.legends
    assert len(figure.axes[1].get_lines()) == 30


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_file(ending, tmp_path):
    files = []
    for name in "ab":
        figure = draw_losses([run()], [prediction("one"), prediction("two", 0.01)], title="a title")
        files.append(plot.save(figure, tmp_path / f"{name}.{ending}").read_bytes())
    assert files[0] == files[1]


def test_a_run_with_two_losses_can_be_drawn():
    few = MeasuredLosses("few", [1e-3, 1e-3], [1, 2], [3.0, 3.0])
    assert draw_losses([few]).axes[1].get_ylim()[0] < 3 < draw_losses([few]).axes[1].get_ylim()[1]


def test_nothing_is_not_drawn():
    with pytest.raises(GlidepathError, match="nothing to draw"):
        draw_losses([])
