"""The whole study as one HTML page that needs nothing else: no network, no scripts, no other file.

The figures are SVG within the page and follow its colors, dark or light; on paper everything is light.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from glidepath.plot import to_svg
from glidepath.plot.style import GRID, INK, QUIET
from glidepath.study.curve import Curve

from .cells import header, legend, lines
from .summary import Row
from .verdict import sentences

TITLE = "Learning-rate schedules compared"
PAGE_COLORS = {
    "#ffffff": "none",
    INK: "var(--ink)",
    "#000000": "var(--ink)",
    QUIET: "var(--quiet)",
    GRID: "var(--grid)",
}
# what only a separate file needs: the page is not XML, and has its own metadata
XML_ONLY = re.compile(r"<metadata>.*?</metadata>|\sxmlns(:\w+)?=\"[^\"]*\"|\s(width|height)=\"[^\"]*pt\"", re.DOTALL)


@final
@dataclass(frozen=True)
class Picture:
    """A figure as the page shows it: a name for its parts, what it shows in words, and its SVG."""

    name: str
    words: str
    svg: Markup


def page(
    curves: Sequence[Curve], rows: Sequence[Row], figures: Mapping[str, tuple[Figure, str]], facts: Mapping[str, str]
) -> str:
    """Return the page as text.

    Args:
        curves: for the texts of the schedules.
        rows: of the summary.
        figures: by a short name, each with what it shows in words.
        facts: what else to say, label and text: the task, the runs, the updates that were trained.
    """
    return _template().render(
        title=f"{TITLE}: {facts['task']}" if "task" in facts else TITLE,
        sentences=sentences(rows),
        legend=legend(rows),
        facts=facts,
        pictures=[Picture(name, words, embed_figure(figure, name)) for name, (figure, words) in figures.items()],
        header=header(rows),
        lines=lines(rows),
        schedules={curve.run.schedule: curve.run.text for curve in curves},
    )


def embed_figure(figure: Figure, name: str) -> Markup:
    """Return a figure as an `svg` element of a page: its ids begin with `name`, its colors are those of the page."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # one for every character
        text = to_svg(figure)
    text = XML_ONLY.sub("", text[text.index("<svg") :])
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for color, page_color in PAGE_COLORS.items():
        text = re.sub(rf"(fill|stroke): ?{color}", rf"\1: {page_color}", text)
    return Markup(text.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1))


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
