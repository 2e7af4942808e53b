import math
import re

import pytest

from glidepath.cli.examples import EXAMPLES, example
from glidepath.parser import NAMES

torch = pytest.importorskip("torch")
pytest.importorskip("glidepath.torch.lr_scheduler", exc_type=ImportError)

from glidepath.cli.gallery import gallery  # noqa: E402
from glidepath.cli.mechanisms import MECHANISMS, plateau_loss, rates  # noqa: E402

torch.set_num_threads(1)


def test_every_recipe_has_an_example_that_calls_it():
    assert list(EXAMPLES) == list(NAMES)
    assert all(re.search(rf"\b{name}\(", text) for name, text in EXAMPLES.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_example_has_finite_values_and_is_worth_a_picture(name):
    plan, steps = example(name)
    values = plan.block(0, steps)
    assert all(map(math.isfinite, values))
    assert name == "constant" or max(values) > 1.1 * min(values)


BY_FORMULA = {
    "by-hand": lambda e: 0.01 * 0.9 ** (e // 5 + 1),
    "step": lambda e: 0.01 * 0.8 ** (e // 5),
    "multistep": lambda e: 0.01 * 0.9 ** ((e >= 20) + (e >= 80)),
    "exponential": lambda e: 0.01 * 0.9**e,
    "cosine": lambda e: 0.0001 + (0.01 - 0.0001) * (1 + math.cos(math.pi * e / 100)) / 2,
    "fixed": lambda e: 0.01,
    "exponential-decay": lambda e: 0.01 * 0.5 ** (e / 20),
    "step-decay": lambda e: 0.01 * 0.1 ** (e // 30),
    "stages": lambda e: 0.01 * 0.5 ** (e >= 20) * 0.8 ** (e >= 50) * 0.2 ** (e >= 80),
    "custom": lambda e: 0.01 / math.sqrt(1 + e / 10),
}


@pytest.mark.parametrize("name", BY_FORMULA)
def test_the_optimizer_trains_at_the_rate_that_the_note_says(name):
    assert rates(MECHANISMS[name]) == pytest.approx([BY_FORMULA[name](e) for e in range(100)], rel=1e-12)


def test_the_notes_lambda_has_no_rate_at_epoch_0_and_follows_sin_e_over_e_after():
    seen = rates(MECHANISMS["lambda"])
    assert math.isnan(seen[0])
    assert seen[1:] == pytest.approx([0.01 * math.sin(e) / e for e in range(1, 100)])


def test_the_plateau_lowers_the_rate_after_more_than_ten_epochs_without_progress():
    seen = rates(MECHANISMS["plateau"])
    best = [min(map(plateau_loss, range(e + 1))) for e in range(100)]
    falls = [e for e in range(1, 100) if seen[e] < seen[e - 1]]
    assert falls[0] == 20 + 11 + 1
    assert all(best[e - 1] == best[e - 11] for e in falls)
    assert seen[-1] < seen[0] / 100


def test_the_formulas_cover_every_mechanism():
    assert {*BY_FORMULA, "lambda", "plateau"} == set(MECHANISMS)


def test_the_gallery_is_a_figure_of_everything_and_a_page_that_shows_each(tmp_path, capsys, monkeypatch):
    few = ["cosine", "wsd", "step"]
    monkeypatch.setattr("glidepath.cli.gallery.NAMES", {name: NAMES[name] for name in few})
    gallery(output=tmp_path / "gallery")
    figures = {file.name for file in (tmp_path / "gallery").glob("*.svg")}
    assert figures == {f"recipe-{name}.svg" for name in few} | {f"note-{name}.svg" for name in MECHANISMS}
    page = (tmp_path / "gallery" / "index.html").read_text()
    assert set(re.findall(r'src="([^"]*)"', page)) == figures
    assert "http" not in re.sub(r"<p>.*?</p>", "", page)
    assert f"{len(figures)} figures" in capsys.readouterr().out
