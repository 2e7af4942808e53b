"""From a figure to a file or to SVG text."""

import io
import os
import warnings
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from glidepath.errors import GlidepathError

from .style import STYLE

FORMATS = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}  # with the field that would change every time


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG text, the same text for the same figure."""
    text = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure to a PNG, SVG or PDF file, by its ending, atomically; create missing folders.

    Raises:
        GlidepathError: if the ending is not that of a format, or the file cannot be written.
    """
    file, ending = Path(path), check_format(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # one for every character
            new = file.with_name(f".{file.stem}.new{file.suffix}")
            figure.savefig(new, format=ending, dpi=200, metadata={FORMATS[ending]: None})
            os.replace(new, file)
    except OSError as error:
        raise GlidepathError(f"cannot write {str(file)!r}: {error.strerror or error}") from error
    return file


def check_format(path: str | Path) -> str:
    """Return the format that the ending of a file name asks for.

    Raises:
        GlidepathError: if there is no such format.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise GlidepathError(f"{str(path)!r} must end in one of {', '.join('.' + name for name in FORMATS)}")
    return ending
