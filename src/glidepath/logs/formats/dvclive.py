"""The folder of dvclive: in `plots/metrics` a table of two columns for every metric, step and value, between tabs."""

from collections.abc import Iterator
from pathlib import Path

from glidepath.errors import Place, RunError

from ..lines import open_binary, read_lines
from ..names import short_repr
from ..series import Number, Scalars, gather_scalars
from .csv_rows import number_of
from .objects import is_needed

METRICS = Path("plots", "metrics")
STEP = b"step"
MOST_BYTES = 1000  # of a line of a step and a number, perhaps with the time
MOST_FILES = 10_000


def is_dvclive(folder: Path) -> bool:
    """Return whether a folder is that of a run by dvclive."""
    return (folder / METRICS).is_dir()


def scalars_of_dvclive(folder: Path) -> Scalars:
    """Return the metrics of one run.

    A file that links to another folder is not read. A run that was killed may leave a last line torn: it is left out,
    and `assumed` says so.

    Raises:
        RunError: if there is none, or a file is damaged.
    """
    root, left_out = folder / METRICS, list[str]()
    files = sorted(file for file in root.rglob("*.tsv") if _is_within(file, root))
    if len(files) > MOST_FILES:
        raise RunError(f"{root} has more than {MOST_FILES:,} files: this is not the log of a run")
    numbers = (number for file in files for number in _numbers(file, _name(file, root), left_out))
    inner = folder.resolve()
    name = inner.parent.name if inner.name == "dvclive" else inner.name
    return gather_scalars(Place(str(folder)), name, numbers).assume(*left_out)


def _is_within(file: Path, root: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(root.resolve())


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).with_suffix("").as_posix()


def _numbers(file: Path, name: str, left_out: list[str]) -> Iterator[Number]:
    """Yield the rows of a metric; none if it is one of texts."""
    header: list[bytes] = []
    with open_binary(file) as stream:
        for number, line in read_lines(stream, MOST_BYTES):
            spot = (str(file), number, "")
            if not line.endswith(b"\n") and len(line) <= MOST_BYTES:
                left_out.append(f"the last line is left out, because it was cut off ({Place(*spot)})")
                return
            cells = line.rstrip(b"\r\n").split(b"\t")
            if not header:
                header = _check_header(cells, Place(*spot))
                continue
            try:
                step, value = _step_and_value(header, cells)
            except (ValueError, OverflowError) as error:
                if number == 2 and not is_needed(name):
                    return
                problem = f"{short_repr(_text(line))} is not a step and a number: the file is damaged"
                raise RunError(problem, place=Place(*spot)) from error
            yield name, step, value, spot


def _check_header(cells: list[bytes], place: Place) -> list[bytes]:
    if len(cells) < 2 or STEP not in cells[:-1]:
        problem = f"{short_repr(_text(cells[0]))} is not the first column of a metric of dvclive, which has a step"
        raise RunError(problem, place=place)
    return cells


def _step_and_value(header: list[bytes], cells: list[bytes]) -> tuple[float, float]:
    if len(cells) != len(header) or sum(map(len, cells)) >= MOST_BYTES:
        raise ValueError
    return float(int(cells[header.index(STEP)])), number_of(cells[-1].decode("ascii"))


def _text(line: bytes) -> str:
    return line[:40].decode("ascii", "replace").strip()
