"""The verdict says what the intervals say, and no more."""

import itertools
import math

import pytest

from glidepath.cli.output.verdict import note, show
from glidepath.study.report.summary import summary
from glidepath.study.report.verdict import sentences, verdict

from .sample_curves import curve, curves

CLOSE = {"cosine": [1.0, 1.1, 1.3], "linear": [1.2, 1.0, 1.25], "wsd": [1.3, 1.5, 1.0]}


def said(**ends: list[float]) -> list[str]:
    return sentences(summary(curves(**ends)))


def test_schedules_that_cannot_be_told_apart_are_named_together() -> None:
    assert said(**CLOSE) == ["no difference in m shown at this budget between cosine, linear and wsd (3 seeds)"]


def test_a_winner_is_called_best() -> None:
    found = said(a=[1.0, 1.1, 1.2], b=[2.0, 2.1, 2.2], c=[3.0, 3.1, 3.2])
    assert found == ["a is best: b and c are shown to be worse in m (3 seeds)"]


def test_some_worse_and_some_unclear_are_told_apart() -> None:
    assert said(**CLOSE, bad=[9.0, 9.1, 9.3]) == [
        "no difference in m shown at this budget between cosine, linear and wsd (3 seeds)",
        "shown to be worse than cosine in m: bad (3 seeds)",
    ]


def test_one_seed_gets_no_verdict() -> None:
    rows = summary(curves(a=[1.0], b=[9.0]))
    assert sentences(rows)[0].startswith("1 seed: no verdict")
    assert verdict(rows)[0].best is None
    assert "★" not in note(rows)


def test_what_diverged_is_named_with_its_count() -> None:
    assert said(a=[1.0, 1.1, 1.2], b=[0.1, math.nan, 0.1], c=[2.0, 2.1, 2.2]) == [
        "a is best: c is shown to be worse in m (3 seeds)",
        "b is not ranked: it diverged for 1 of 3 seeds at peak 0.1",
    ]
    assert said(a=[1.0, 1.1], b=[0.1, math.nan])[0] == "only a did not diverge (2 seeds)"


def test_when_all_diverge_smaller_peaks_are_advised() -> None:
    assert said(a=[math.nan, 1.0], b=[math.nan, math.nan])[0] == (
        "no verdict: every schedule diverged (2 seeds); try smaller peaks"
    )


def peaks(best: float) -> list[str]:
    """Three peaks, the given one the best."""
    tried = (0.03, 0.1, 0.3)
    return sentences(
        summary([c for peak in tried for c in curves(a=[1 + abs(peak - best), 1.1 + abs(peak - best)], peak=peak)])
    )


def test_a_best_peak_at_an_edge_asks_for_more_peaks() -> None:
    assert peaks(0.3)[1:] == ["a is best in m at the largest peak tried, 0.3: try larger ones"]
    assert peaks(0.03)[1:] == ["a is best in m at the smallest peak tried, 0.03: try smaller ones"]
    assert peaks(0.1)[1:] == []


def test_what_diverged_at_every_peak_has_no_best_one() -> None:
    lost = [math.nan, 1.0]
    found = sentences(summary(curves(a=lost, peak=0.1) + curves(a=lost, peak=0.2)))
    assert not any("try larger" in sentence or "peak tried" in sentence for sentence in found)


def test_a_single_peak_is_no_edge() -> None:
    assert not any("peak" in sentence for sentence in said(**CLOSE))


def test_schedules_at_the_same_edge_share_a_sentence() -> None:
    runs = curves(a=[2.0, 2.1], b=[3.0, 3.1], peak=0.1) + curves(a=[1.0, 1.1], b=[1.5, 1.8], peak=0.2)
    assert sentences(summary(runs))[-1] == "a and b are best in m at the largest peak tried, 0.2: try larger ones"


def test_where_there_are_several_horizons_each_sentence_begins_with_its_own() -> None:
    runs = curves(a=[1.0, 1.1], b=[2.0, 2.1]) + curves(a=[2.0, 2.1], b=[1.0, 1.1], horizon=2000)
    assert sentences(summary(runs)) == [
        "20 steps: a is best: b is shown to be worse in m (2 seeds)",
        "2k steps: b is best: a is shown to be worse in m (2 seeds)",
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_schedules_and_seeds_changes_no_sentence(order: tuple[int, ...]) -> None:
    names, ends = list(CLOSE), [[*values, 9.0] for values in CLOSE.values()]
    shuffled = [curve(names[i], order[seed], ends[i][order[seed]]) for i in order for seed in order]
    assert sentences(summary(shuffled)) == said(**CLOSE)


def test_the_table_shows_other_peaks_without_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    show(summary(curves(a=[1.0, 1.1], b=[2.0, 2.1], peak=0.1) + curves(a=[3.0, 3.1], b=[4.0, math.nan], peak=0.2)))
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines[1:5]]
    assert [(cells[0], cells[2], cells[-1]) for cells in table] == [
        ("a", "0.1", "best"),
        ("b", "0.1", "worse"),
        ("a", "0.2", "0.0707"),
        ("b", "0.2", "diverged"),
    ]
    assert "a is best: b is shown to be worse in m (2 seeds)" in lines


def test_a_name_in_square_brackets_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(summary([curve("step(every=3)[:9]", 0, 1.0), curve("[bold]", 0, 2.0)]))
    shown = capsys.readouterr().out
    assert "step(every=3)[:9]" in shown
    assert "[bold]" in shown


def test_the_legend_tells_how_wide_each_interval_is() -> None:
    assert "(each with 99.5%, for 10 pairs)" in note(summary(curves(**{name: [1.0, 2.0] for name in "abcde"})))
    assert "with its 95% interval" in note(summary(curves(a=[1.0, 2.0], b=[1.0, 2.0])))
