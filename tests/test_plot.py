import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glidepath as gp
import glidepath.plot
from glidepath import plot
from glidepath.plot.labels import GAP, Name, place_names, select_names
from glidepath.plot.series import EXACT_STEPS, outline, thin_out
from glidepath.plot.style import COLORS, DASHES

SIX = (
    "warmup(1%) >> constant(2%) >> cosine(60%, to=0.3) >> 0.3 * constant(2%) >> linear(3%, start=0.3, to=0.1) "
    ">> geometric(32%, start=0.1, to=0.01)"
)


def curve(figure, number=0, axis=0):
    """The points of a drawn curve."""
    lines = [line for line in figure.axes[axis].get_lines() if line.get_zorder() == 3]
    return lines[number].get_xdata(), lines[number].get_ydata()


# --- what is drawn is what drives training ---


@pytest.mark.parametrize("text", ["cosine(500)", "warmup(5%) >> constant() >> linear(20%)", "one_cycle(100%)"])
def test_a_figure_shows_the_value_of_every_update(text):
    plan = gp.parse(text).over(500)
    x, y = curve(plot.plot({"": plan}, 500))
    drawn = dict(zip(x.tolist(), y.tolist(), strict=True))
    assert all(drawn[k] == pytest.approx(value, rel=1e-15) for k, value in enumerate(plan.block(0, 500)))


def test_a_staircase_is_drawn_with_vertical_walls_at_its_own_steps():
    x, y = curve(plot.plot({"": gp.multistep([3, 7], factor=0.5)}, 10))
    corners = [(3, 1.0), (3, 0.5), (7, 0.5), (7, 0.25), (10, 0.25)]
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    assert [points.index(corner) for corner in corners] == sorted(points.index(corner) for corner in corners)
    assert all(b[1] == a[1] for a, b in pairwise(points) if a[0] != b[0])


def test_a_smooth_curve_gets_no_walls():
    values = gp.cosine(50).block(0, 50)
    x, _ = outline(np.arange(50), np.array(values))
    assert x.tolist() == list(range(50))


def test_a_restart_is_a_wall():
    x, y = curve(plot.plot({"": gp.cosine_restarts(100, times=2)}))
    at = np.flatnonzero(x == 100)
    assert len(at) == 2
    assert y[at[0]] < 1e-3
    assert y[at[1]] == 1.0


@given(st.lists(st.floats(-1, 1), min_size=100, max_size=400), st.integers(2, 20))
@settings(max_examples=50, deadline=None)
def test_thinning_loses_no_extreme_of_any_part(values, buckets):
    x, y = np.arange(len(values)), np.array(values)
    few_x, few_y = thin_out(x, y, buckets)
    assert set(zip(few_x.tolist(), few_y.tolist(), strict=True)) <= set(zip(x.tolist(), values, strict=True))
    assert len(few_x) <= max(4 * buckets, 4)
    assert (few_x[0], few_x[-1]) == (0, len(values) - 1)
    starts = [int(i * len(values) / buckets) for i in range(buckets)]
    for start, stop in zip(starts, [*starts[1:], len(values)], strict=True):
        inside = few_y[(few_x >= start) & (few_x < stop)]
        assert (inside.min(), inside.max()) == (min(values[start:stop]), max(values[start:stop]))


def test_a_million_steps_are_thinned_and_keep_every_jump_and_the_one_spike():
    plan = gp.step(every=7777, factor=0.97)
    values = np.array(plan(np.arange(1_000_000)))
    values[333_333] = 5.0
    x, y = thin_out(*outline(np.arange(1_000_000), values))
    assert len(x) < 10_000
    assert (333_333, 5.0) in set(zip(x.tolist(), y.tolist(), strict=True))
    walls = set(x[:-1][np.diff(x) == 0].tolist())
    assert walls >= set(range(7777, 1_000_000, 7777))


def test_a_run_too_long_for_an_array_is_drawn_from_a_grid_that_knows_every_boundary():
    plan = gp.parse("warmup(100) >> constant(80%) >> 0.1 * constant()").over(10**12)
    series = plot.evaluate(plan, 10**12)
    assert len(series.steps) < EXACT_STEPS
    assert {0, 99, 100, 100 + 8 * 10**11 - 1, 100 + 8 * 10**11, 10**12 - 1} <= set(series.steps.tolist())


def test_what_no_axis_can_show_is_marked_on_the_step_axis():
    figure = plot.plot({"": gp.formula("sin(step) / step")}, 100, log=True)
    legend = figure.axes[0].get_legend()
    assert {text.get_text() for text in legend.get_texts()} == {"not finite", "zero or below"}
    marks = {line.get_marker(): set(line.get_xdata().tolist()) for line in figure.axes[0].get_lines()}
    assert marks["x"] == {0}
    assert 4 in marks["v"]
    assert 1 not in marks["v"]


# --- lengths ---


def test_a_plan_with_an_end_is_drawn_to_its_end():
    assert plot.plot({"": gp.linear(321)}).axes[0].get_xlim() == (0, 321)


def test_an_endless_plan_borrows_the_length_of_its_neighbour():
    figure = plot.plot({"a": gp.step(every=30), "b": gp.cosine(90)})
    assert figure.axes[0].get_xlim() == (0, 90)
    assert figure.axes[0].get_xlabel() == "step"


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        (gp.step(every=30), 1000),
        (gp.warmup("10%") >> gp.constant(), 1000),
        (gp.warmup(4000) >> gp.inverse_sqrt(warmup=1000), 10_000),
    ],
)
def test_an_assumed_length_shows_the_last_phase_and_is_written_on_the_step_axis(plan, steps):
    axis = plot.plot({"": plan}).axes[0]
    assert axis.get_xlim() == (0, steps)
    assert "no length given" in axis.get_xlabel()


def test_a_draft_is_drawn_over_the_first_round_length_that_it_fits_in():
    axis = plot.plot({"": gp.warmup(2000) >> gp.constant() >> gp.cosine("20%")}).axes[0]
    assert axis.get_xlim() == (0, 10_000)
    assert axis.get_xlabel() == "step (no length given: 10k shown)"


def test_a_draft_in_epochs_asks_for_them():
    plan = gp.warmup("3ep") >> gp.constant()
    with pytest.raises(gp.HorizonError, match="steps_per_epoch"):
        plot.plot({"": plan})
    assert plan._repr_svg_() is None


def test_a_horizon_given_as_text_is_understood():
    assert plot.plot({"": gp.parse("cosine(100%)")}, "10k").axes[0].get_xlim() == (0, 10_000)


# --- phases ---


def names(figure, axis=0):
    return [text for text in figure.axes[axis].texts if text.get_text()]


@pytest.mark.parametrize("width", ["column", "page"])
def test_six_phases_are_shaded_and_named_and_no_two_names_touch(width):
    figure = plot.plot({"": gp.parse(SIX)}, 10_000, width=width)
    figure.draw_without_rendering()
    shown = names(figure)
    assert [text.get_text() for text in shown] == ["warmup", "constant", "cosine", "constant", "linear", "geometric"]
    boxes = [text.get_window_extent() for text in shown]
    # an annotation's box holds its line too, so the characters alone are compared
    boxes = [mpl.text.Text.get_window_extent(text) for text in shown]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert len(figure.axes[0].patches) == 3


def test_curves_with_other_phases_are_not_shaded():
    figure = plot.plot({"a": gp.warmup(10) >> gp.linear(90), "b": gp.warmup(20) >> gp.linear(80)})
    assert not names(figure)
    assert not figure.axes[0].patches


def test_names_that_do_not_fit_are_said_once_and_then_left_out():
    same = [Name("cosine", 10.0 * i + 5, 20.0, 10.0) for i in range(10)]
    assert select_names(same, 100.0) == [Name("cosine", 50.0, 20.0, 100.0)]
    wide = [Name("a", 5, 60, 10), Name("b", 50, 60, 80), Name("c", 95, 30, 10)]
    assert [name.text for name in select_names(wide, 100.0)] == ["b", "c"]
    assert select_names([Name("a", 5, 600, 10)], 100.0) == []


names_in_a_row = st.lists(st.tuples(st.floats(0, 400), st.floats(5, 50)), min_size=1, max_size=6)


@given(names_in_a_row)
def test_spread_names_keep_their_order_do_not_touch_and_stay_inside(given):
    row = [Name("x", middle, width, 1.0) for middle, width in sorted(given)]
    places = place_names(row, 400.0)
    edges = [(place - name.width / 2, place + name.width / 2) for place, name in zip(places, row, strict=True)]
    assert all(left[1] + GAP <= right[0] + 1e-6 for left, right in pairwise(edges))
    assert edges[0][0] >= -1e-6
    assert edges[-1][1] <= 400 + 1e-6


def test_names_with_room_stay_in_the_middle_of_their_bands():
    row = [Name("a", 50.0, 30.0, 100.0), Name("b", 150.0, 30.0, 100.0)]
    assert place_names(row, 200.0) == pytest.approx([50.0, 150.0])


def test_names_over_a_short_last_band_are_pushed_back_inside():
    assert place_names([Name("a", 199.0, 40.0, 2.0)], 200.0) == [180.0]
    assert place_names([Name("a", 1.0, 40.0, 2.0)], 200.0) == [20.0]


def test_two_names_that_collide_part_evenly():
    row = [Name("a", 100.0, 40.0, 1.0), Name("b", 100.0, 40.0, 1.0)]
    assert place_names(row, 400.0) == pytest.approx([100 - (40 + GAP) / 2, 100 + (40 + GAP) / 2])


# --- looks ---


def test_side_by_side_plans_share_one_scale_and_carry_their_names():
    plans = {"high": gp.linear(100), "low": 0.1 * gp.linear(100), "mid": 0.5 * gp.linear(100)}
    figure = plot.plot(plans, side_by_side=True)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["high", "low", "mid"]
    assert len({axis.get_ylim() for axis in figure.axes}) == 1


def test_curves_differ_in_colour_and_in_dash():
    figure = plot.plot({str(i): (1 - i / 10) * gp.linear(100) for i in range(7)})
    drawn = [line for line in figure.axes[0].get_lines() if line.get_zorder() == 3]
    assert [line.get_color() for line in drawn] == list(COLORS)
    assert len({str(line._unscaled_dash_pattern) for line in drawn}) == len(DASHES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [str(i) for i in range(7)]


def test_ticks_are_written_as_10k_and_3e_4():
    figure = plot.plot({"": 3e-4 * gp.linear(10_000)})
    figure.draw_without_rendering()
    assert "10k" in [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert "3e-4" in [text.get_text() for text in figure.axes[0].get_yticklabels()]


@pytest.mark.parametrize(("width", "inches"), [("column", 3.35), ("page", 6.9), (5, 5.0)])
def test_a_figure_has_the_width_of_a_column_or_a_page(width, inches):
    assert plot.plot({"": gp.linear(10)}, width=width).get_figwidth() == pytest.approx(inches)


@pytest.mark.parametrize("width", ["wide", 0.5, 1000, float("nan")])
def test_another_width_is_refused_with_what_is_allowed(width):
    with pytest.raises(gp.ScheduleError, match="'column' or 'page', or 1 to 100 inches"):
        plot.plot({"": gp.linear(10)}, width=width)


def test_nothing_to_draw_is_an_error():
    with pytest.raises(gp.ScheduleError, match="nothing to draw"):
        plot.plot({})


def test_a_log_figure_of_nothing_above_zero_says_so_and_does_not_fail():
    figure = plot.plot({"": -1.0 * gp.linear(10)}, log=True)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["zero or below"]


def test_a_single_step_can_be_drawn():
    x, y = curve(plot.plot({"": gp.constant(1)}))
    assert (x.tolist(), y.tolist()) == ([0, 1], [1.0, 1.0])


# --- files ---


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "SVG"])
def test_the_same_figure_is_the_same_file(tmp_path, ending):
    one, other = (
        plot.save(plot.plot({"": gp.linear(100)}), tmp_path / folder / f"lr.{ending}").read_bytes() for folder in "ab"
    )
    assert one == other
    assert len(one) > 1000


def test_an_unknown_ending_is_an_error_that_lists_the_known_ones(tmp_path):
    with pytest.raises(gp.GlidepathError, match=r"'lr.jpeg' must end in one of \.png, \.svg, \.pdf"):
        plot.save(plot.plot({"": gp.linear(10)}), "lr.jpeg")


def test_a_file_that_cannot_be_written_is_our_own_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(gp.GlidepathError, match="cannot write"):
        plot.save(plot.plot({"": gp.linear(10)}), tmp_path / "file" / "lr.png")


@pytest.mark.parametrize("plan", [gp.warmup("2%") >> gp.constant() >> gp.cosine("20%"), gp.cosine(77), gp.noise()])
def test_a_notebook_gets_a_small_picture_without_fonts(plan):
    text = plan._repr_svg_()
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert len(text) < (60_000 if plan == gp.noise() else 30_000)


def test_a_plan_draws_itself():
    figure = gp.cosine(100).plot(log=True, title="A plan")
    assert figure.axes[0].get_yscale() == "log"
    assert "<svg" in figure._repr_svg_()


def test_drawing_leaves_no_global_state_behind():
    before = dict(mpl.rcParams)
    plot.to_svg(plot.plot({"": gp.cosine(100)}))
    assert dict(mpl.rcParams) == before
    script = (
        "import sys, glidepath as gp; gp.cosine(100)._repr_svg_(); "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'tkinter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("module", "package"), [("matplotlib", "matplotlib"), ("numpy", "numpy")])
def test_a_figure_without_its_packages_names_the_extra(module, package):
    script = f"import sys; sys.modules['{module}'] = None; import glidepath as gp; gp.cosine(9).plot()"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    message = f'figures need {package}, which is not installed: pip install "glidepath[plot]" [GP601]'
    assert run.stderr.strip().endswith(f"MissingExtraError: {message}")


@pytest.mark.parametrize("module", ["matplotlib", "numpy"])
def test_a_notebook_without_the_packages_of_figures_shows_the_text(module):
    script = (
        f"import sys; sys.modules['{module}'] = None; import glidepath as gp; "
        "print(gp.cosine(9)._repr_svg_(), repr(gp.cosine(9)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "None cosine(9)\n"


def test_a_series_of_recorded_values_has_a_step_for_each():
    series = glidepath.plot.series_of([3.0, 2.0, 1.5], "loss")
    assert isinstance(series, glidepath.plot.Series)
    assert (series.name, series.steps.tolist(), series.values.tolist()) == ("loss", [0, 1, 2], [3.0, 2.0, 1.5])


def test_the_picture_of_a_plan_is_svg_and_the_format_of_a_file_is_its_ending():
    assert glidepath.plot.draw_svg(glidepath.linear(9)).lstrip().startswith("<?xml")
    assert [glidepath.plot.check_format(name) for name in ("a.png", "b.SVG", "c.pdf")] == ["png", "svg", "pdf"]
    with pytest.raises(glidepath.GlidepathError, match="must end in one of"):
        glidepath.plot.check_format("a.docx")
