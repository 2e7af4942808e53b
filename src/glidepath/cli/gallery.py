"""`glidepath gallery`: a figure of every recipe and of every mechanism of the study note, and a page of them all."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath import plot
from glidepath.extras import needs_extra
from glidepath.parser import NAMES

from .examples import EXAMPLES, example

with needs_extra("torch", "the gallery, which runs real schedulers,"):
    from .mechanisms import MECHANISMS, rates

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Glidepath: gallery</title>
<style>
  body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
  section {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 2rem 1.5rem; }}
  figure {{ margin: 0; }} img {{ width: 100%; }} code {{ font-size: 13px; overflow-wrap: anywhere; }}
  figcaption p {{ margin: .2rem 0; }}
</style>
<h1>Gallery</h1>
<p>Every curve shows the values that training uses, from the same function.</p>
{sections}
</html>
"""


@dataclass(frozen=True)
class Entry:
    """A figure on disk, with its caption."""

    file: str
    title: str
    code: str
    line: str = ""


def gallery(*, output: Annotated[Path, Parameter(alias="-o")] = Path("gallery")) -> None:
    """Draw every recipe, and every way to decay a rate in PyTorch, as one figure each, with an index page.

    Parameters
    ----------
    output
        The folder to write.
    """
    sections = {
        "The study note: learning-rate decay in PyTorch": list(_mechanisms(output)),
        "Recipes": list(_recipes(output)),
    }
    (output / "index.html").write_text(page(sections), encoding="utf-8")
    print(f"wrote {sum(map(len, sections.values()))} figures and {output / 'index.html'}")


def _recipes(folder: Path) -> Iterator[Entry]:
    for name in NAMES:
        plan, steps = example(name)
        file = f"recipe-{name}.svg"
        plot.save(plot.plot({"": plan}, steps, width="column"), folder / file)
        yield Entry(file, name, EXAMPLES[name], (inspect.getdoc(NAMES[name]) or "").partition("\n")[0])


def _mechanisms(folder: Path) -> Iterator[Entry]:
    for name, mechanism in MECHANISMS.items():
        file = f"note-{name}.svg"
        series = plot.series_of(rates(mechanism))
        figure = plot.draw([series], width="column", step_label="epoch", value_label="learning rate")
        plot.save(figure, folder / file)
        yield Entry(file, mechanism.title, mechanism.code)


def page(sections: dict[str, list[Entry]]) -> str:
    """Return the index: HTML that needs nothing but the figures beside it."""
    return PAGE.format(sections="\n".join(_section(title, entries) for title, entries in sections.items()))


def _section(title: str, entries: list[Entry]) -> str:
    return f"<h2>{escape(title)}</h2>\n<section>\n" + "\n".join(map(_figure, entries)) + "\n</section>"


def _figure(entry: Entry) -> str:
    words = f"<p>{escape(entry.line)}</p>" if entry.line else ""
    title, code = escape(entry.title), escape(entry.code)
    caption = f"<figcaption><strong>{title}</strong> {words}<code>{code}</code></figcaption>"
    return f'<figure><img src="{entry.file}" alt="{title}" loading="lazy">{caption}</figure>'
