"""The figure of a command: drawn where it was asked for, or where Matplotlib is installed."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_FIGURE = 'no figure was drawn: pip install "glidepath[plot]" for one'


def figure_file(output: Path | None, default: str) -> Path | None:
    """Return the file of a figure; None if none was asked for and Matplotlib is not installed.

    Args:
        output: that was asked for.
        default: the file if none was.

    Raises:
        MissingExtraError: if a figure was asked for, and Matplotlib is not installed.
        GlidepathError: if the ending of the file is not that of a format.
    """
    if output is None:
        return None if find_spec("matplotlib") is None else Path(default)
    from glidepath.plot import check_format  # only here and below: Matplotlib is slow to import, and may be missing

    check_format(output)
    return output


def save_figure(file: Path | None, draw: "Callable[[], Figure]") -> str:
    """Draw and save a figure, and return one line about it.

    Args:
        file: from `figure_file`.
        draw: makes the figure; not called if there is no file.

    Raises:
        GlidepathError: if the file cannot be written.
    """
    if file is None:
        return NO_FIGURE
    from glidepath.plot import save

    return f"wrote {save(draw(), file)}"
