"""Draw the figures of docs/architecture.md: who imports whom, and the path of each kind of data.

    python scripts/draw_architecture.py    # writes docs/images/layers.svg and docs/images/path_*.svg

The layers come from the contract in pyproject.toml and the arrows from the imports themselves, so the picture cannot
differ from the code.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "glidepath"
IMAGES = ROOT / "docs" / "images"

INK, BOX, EDGE, ARROW = "#222222", "#eef2f7", "#5b7083", "#5b7083"
STYLE = {"font.family": "sans-serif", "svg.fonttype": "none", "svg.hashsalt": "glidepath"}  # text stays text

Stop = tuple[str, str]  # what happens, and the file below src/glidepath that does it
PATHS: dict[str, list[Stop]] = {
    "text": [
        ("text", "a string"),
        ("tokens and tree,\nbounded, never evaluated", "core/syntax.py"),
        ("recipes called,\nerrors with a caret", "parser.py"),
        ("frozen dataclasses", "core/schedule.py"),
        ("durations resolved\nover a horizon", "core/resolve.py"),
        ("values", "core/namespace.py"),
    ],
    "update": [
        ("optimizer.step()", "your loop"),
        ("pre-hook: the update\nthat comes", "torch/clock.py"),
        ("its row of values,\ncomputed ahead", "torch/row_cache.py"),
        ("or, if other code wrote:\nwhat that means", "torch/writes.py"),
        ("base * plan(k) written\ninto each group", "torch/bound_schedule.py"),
        ("the update", "your optimizer"),
        ("post-hook: counted", "torch/clock.py"),
    ],
    "study": [
        ("study.yaml", "study/spec/yaml_io.py"),
        ("checked, every text\nparsed once", "study/spec/study.py"),
        ("values of every run,\nprefix tree", "study/sharing/tree.py"),
        ("what the store lacks", "study/sharing/ledger.py"),
        ("segments trained,\neach once", "study/training/coordinator.py"),
        ("curves, verdict,\nfigures, page", "study/report/files.py"),
    ],
    "log": [
        ("a file or folder", "logs/files.py"),
        ("opened once,\nrecognized", "logs/source.py"),
        ("rows: step, rate, loss", "logs/formats/tables.py"),
        ("a run: the rate of\nevery update", "runs/from_rows.py"),
        ("seeds averaged,\none peak", "runs/aggregate.py"),
        ("a law fitted", "law/fitting/fit.py"),
    ],
}


def layers() -> list[list[str]]:
    """Return the rooms of each layer, the highest first, from the contract of import-linter."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[name.strip().removeprefix("glidepath.") for name in layer.split("|")] for layer in contract["layers"]]


def imports() -> set[tuple[str, str]]:
    """Return the pairs of rooms of which the first imports the second."""
    rooms = {room for layer in layers() for room in layer}
    pairs = {(room, target) for file in SOURCE.rglob("*.py") for room, target in _imports_of(file)}
    return {(room, target) for room, target in pairs if {room, target} <= rooms and room != target}


def _imports_of(file: Path) -> Iterator[tuple[str, str]]:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        package = [*parts[: len(parts) - node.level]] if node.level else []
        module = [*package, *(node.module or "").split(".")]
        names = [module] if len(module) > 1 and module[1] else [[*module[:1], alias.name] for alias in node.names]
        for name in names:
            if name[0] == "glidepath" and len(name) > 1:
                yield parts[1] if len(parts) > 1 else "", name[1]


def draw_layers(figure: Figure) -> None:
    """Draw who imports whom: a row for each room, the highest layer first, and a dot in the column of what it imports.

    A dot right of the diagonal points down, as it should; the declared conveniences, left of it, are hollow.
    """
    rooms = [room for layer in layers() for room in layer]
    size = len(rooms)
    axes = _empty_axes(figure, width=size * 0.62 + 4.4, height=size * 0.42 + 2.2)
    axes.set(xlim=(-6.2, size), ylim=(size, -3.8))
    shaded, top = False, 0
    for layer in layers():
        axes.axhspan(top - 0.5, top + len(layer) - 0.5, color=BOX, alpha=1.0 if shaded else 0.45, lw=0)
        shaded, top = not shaded, top + len(layer)
    for i, room in enumerate(rooms):
        axes.text(-0.9, i, room, ha="right", va="center", fontsize=9, color=INK)
        axes.text(i, -0.9, room, ha="left", va="bottom", fontsize=8, color=INK, rotation=55)
        axes.plot(i, i, marker="s", ms=5, color=EDGE, alpha=0.35)
    for room, target in sorted(imports()):
        i, j = rooms.index(room), rooms.index(target)
        axes.plot(j, i, marker="o", ms=6, mec=EDGE, mfc=EDGE if j > i else "white")


def draw_path(figure: Figure, stops: list[Stop]) -> None:
    """Draw the stops of a path from left to right, each with the file that does it below."""
    axes = _empty_axes(figure, width=2.5 * len(stops), height=1.6)
    for i, (text, place) in enumerate(stops):
        x = 2.5 * i + 1.25
        _draw_box(axes, x, 0.95, 2.0, 0.85, text)
        axes.text(x, 0.3, place, ha="center", va="center", fontsize=8, color=EDGE, family="monospace")
        if i:
            axes.annotate("", (x - 1.02, 0.95), (x - 1.48, 0.95), arrowprops={"arrowstyle": "-|>", "color": ARROW})


def _empty_axes(figure: Figure, width: float, height: float):
    figure.set_size_inches(width * 0.8, height * 0.8)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return axes


def _draw_box(axes, x: float, y: float, width: float, height: float, text: str) -> None:
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.02", fc=BOX, ec=EDGE, zorder=2))
    axes.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, zorder=3)


def main() -> None:
    """Write every figure as SVG."""
    with rc_context(STYLE):
        figure = Figure()
        draw_layers(figure)
        figure.savefig(IMAGES / "layers.svg", metadata={"Date": None}, facecolor="white")
        for name, stops in PATHS.items():
            figure = Figure()
            draw_path(figure, stops)
            figure.savefig(IMAGES / f"path_{name}.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main()
