"""The page stands alone, is well formed, and shows what the study holds."""

import math
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from glidepath.study.report.figures import draw_final
from glidepath.study.report.files import report
from glidepath.study.report.page import page as whole_page
from glidepath.study.report.summary import summary

from .sample_curves import curve, curves

VOID = {"meta", "link", "br", "hr", "img", "input"}
SHAPES = {"path", "use", "rect", "circle", "g"}  # those of SVG may close themselves
FACTS = {"task": "digits", "steps": "<b>120</b> & more"}
RUNS = curves(a=[1.0, 1.1, 1.3], b=[2.0, 2.1, math.nan]) + curves(a=[1.5, 1.6, 1.7], b=[1.0, 2.0, 3.0], peak=0.2)


class Reader(HTMLParser):
    """Fails where tags are not closed in order; keeps what a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words += data

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("study")
    report(folder, RUNS, summary(RUNS), FACTS)
    return (folder / "report.html").read_text()


def test_the_page_asks_for_nothing_outside(page: str) -> None:
    assert "http" not in page
    assert "//" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).replace("</", "")
    read = Reader(page)
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in read.tags)
    for _, attributes in read.tags:
        assert all(value.startswith("#") for name, value in attributes.items() if name.endswith(("href", "src")))
        assert not any(name.startswith("on") for name in attributes)


def test_every_part_has_a_name_of_its_own_and_every_reference_leads_somewhere(page: str) -> None:
    read = Reader(page)
    counted = Counter(attributes["id"] for _, attributes in read.tags if "id" in attributes)
    assert max(counted.values()) == 1
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert wanted
    assert wanted <= set(counted)


def test_the_page_says_the_verdict_the_facts_and_every_text(page: str) -> None:
    words = Reader(page).words
    assert "Learning-rate schedules compared: digits" in words
    assert "no difference in m shown at this budget between a and b (3 seeds)" in words
    assert "<b>120</b> & more" in words
    assert words.count("constant()") == 2


def test_what_cannot_be_seen_can_be_heard(page: str) -> None:
    read = Reader(page)
    assert read.attributes("html") == [{"lang": "en"}]
    assert all(figure["aria-label"] and figure["role"] == "img" for figure in read.attributes("figure"))
    assert len(read.attributes("figure")) == 3
    scopes = Counter(cell["scope"] for cell in read.attributes("th"))
    assert scopes == {"col": 7, "row": 4}


def test_a_figure_follows_the_colours_of_the_page(page: str) -> None:
    figures = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert "var(--ink)" in figures
    assert len(re.findall(r'id="\w+-patch_1">\s*<path [^>]*style="fill: none"', figures)) == 3  # no paper of their own
    assert "#ffffff" not in figures
    assert "#222222" not in figures


@pytest.mark.parametrize(
    "name", ["<script>", "--><script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "]]>&amp;", "余弦"]
)
def test_names_and_texts_are_shown_and_never_obeyed(name: str) -> None:
    runs = [curve(name, seed, 1.0 + seed, text=f"{name}()") for seed in range(2)]
    rows = summary(runs)
    text = whole_page(runs, rows, {"final": (draw_final(runs, rows), name)}, {name: name})
    read = Reader(text)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in read.tags)
    assert read.words.count(name) >= 5  # the verdict, a fact and its label, the table, the text


def test_the_same_study_is_the_same_page() -> None:
    rows = summary(RUNS)
    first, second = (whole_page(RUNS, rows, {"final": (draw_final(RUNS, rows), "")}, FACTS) for _ in range(2))
    assert first == second
