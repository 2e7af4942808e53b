"""How a figure looks: restrained, the same on every machine, readable in print and with color blindness."""

from typing import Any, Literal

from matplotlib.font_manager import get_font_names

from glidepath.errors import ScheduleError

WIDTHS = {"column": 3.35, "page": 6.9}  # inches, as in two-column papers
Width = Literal["column", "page"] | float

# Okabe and Ito, 2008, https://jfly.uni-koeln.de/color/: distinct under every form of color blindness
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# and distinct in black and white
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
INK, QUIET, GRID, BAND, ALARM = "#222222", "#666666", "#dddddd", "#f2f2f2", "#C0392B"
NAME_SIZE = 6.5  # of the names of phases, in points

# names of schedules may be Chinese: the fonts of this machine that have the characters
CHINESE = sorted({"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "SimHei"} & set(get_font_names()))

STYLE: Any = {  # Matplotlib names the type of its settings only since 3.11
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", *CHINESE],  # the first ships with Matplotlib
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.4,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "butt",
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.handlelength": 2.6,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "path.simplify": True,  # points on one line are one line: smaller files; jumps and extremes are kept in `series`
    "path.simplify_threshold": 0.05,  # points, a tenth of the thinnest line
    "svg.fonttype": "path",  # the reader's fonts do not matter
    "svg.hashsalt": "glidepath",  # the same figure is the same file
    "pdf.fonttype": 42,  # text stays text
}


def size(width: Width, height: float | None, rows: int, columns: int) -> tuple[float, float]:
    """Return the width and height of a figure in inches; by default the height suits the width of one axis.

    Raises:
        ScheduleError: if a size is out of range.
    """
    wide = WIDTHS.get(width) if isinstance(width, str) else float(width)
    if wide is None or not 1 <= wide <= 100:
        raise ScheduleError(f"a width is {' or '.join(map(repr, WIDTHS))}, or 1 to 100 inches, not {width!r}")
    tall = min(max(1.9, 0.62 * wide / columns), 2.5) * rows if height is None else float(height)
    if not 1 <= tall <= 100:
        raise ScheduleError(f"a height is 1 to 100 inches, not {height!r}")
    return wide, tall
