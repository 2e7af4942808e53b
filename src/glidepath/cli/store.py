"""`glidepath store`: what was trained and stored, and the disk space that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.table import Table

from glidepath.errors import Argument, Cure, GlidepathError, StoreError
from glidepath.study.store import Store
from glidepath.study.store.inspect import StoreSummary, find_problems, summarize

from .output.console import console, write_lines
from .output.wording import word_as_options

FOLDER = Path(".glidepath")
Flag = Annotated[bool, Parameter(negative=())]

store = App(
    name="store",
    help="List, clean up or check what was trained and stored.",
    help_format="plaintext",
    help_epilogue="Example: glidepath store ls",
)


@store.command(help_epilogue="Example: glidepath store ls --store .glidepath")
def ls(*, store: Path = FOLDER) -> None:
    """List what was trained: for every task and seed its segments, updates, seconds and snapshots.

    Parameters
    ----------
    store
        The folder of the store.
    """
    with open_existing(store) as opened:
        _show(summarize(opened), store)


@store.command(help_epilogue="Example: glidepath store gc --budget 2GB")
def gc(*, store: Path = FOLDER, budget: str = "4GB", dry_run: Flag = False) -> None:
    """Delete files that belong to no snapshot, and snapshots over a budget; curves always stay.

    The snapshots to go first are those that nothing was trained on from, then those that are cheapest to train again.

    Parameters
    ----------
    store
        The folder of the store.
    budget
        The most disk space that the snapshots may take, as in 500MB or 2GiB.
    dry_run
        Only say what would be deleted.
    """
    with open_existing(store) as opened:
        limit, strays = size(budget), opened.strays()
        evicted = opened.snapshots_to_evict(limit) if dry_run else opened.evict_to(limit)
        freed = sum(snapshot.bytes for snapshot in evicted) + sum(file.stat().st_size for file in strays)
        for file in [] if dry_run else strays:
            file.unlink(missing_ok=True)
        verb = "would free" if dry_run else "freed"
        print(
            f"{verb} {size_text(freed)}: {_count_text(len(evicted), 'snapshot')}, "
            f"{_count_text(len(strays), 'stray file')}"
        )


@store.command(help_epilogue="Example: glidepath store verify")
def verify(*, store: Path = FOLDER) -> int:
    """Check the database and every snapshot, bit for bit; exits with 1 if anything is wrong.

    Damaged and missing snapshots are deleted: their states are trained again when they are needed. Files that belong
    to no snapshot are listed, and `glidepath store gc` deletes them.

    Parameters
    ----------
    store
        The folder of the store.
    """
    with open_existing(store) as opened:
        damage = find_problems(opened)
        for line in damage.lines:
            print(line)
        if damage.snapshots and opened.writable:
            opened.delete_snapshots(damage.snapshots)
            print(f"deleted {_count_text(len(damage.snapshots), 'snapshot')}: trained again when needed")
        if not damage.lines:
            counts = opened.counts()
            print(f"all is well: {counts['updates']:,} updates, {_count_text(counts['snapshots'], 'snapshot')}")
        return 1 if damage.lines else 0


def size(text: str) -> int:
    """Return the bytes that a number with a unit means.

    Examples:
        >>> size("2GB"), size("1.5KiB")
        (2000000000, 1536)
    """
    try:
        count = TypeAdapter(ByteSize).validate_python(text)
    except ValidationError:
        count = ByteSize(-1)
    if count < 0:
        raise GlidepathError(f"{text!r} is not a size; write it as in 500MB, 2GB or 1.5GiB")
    return int(count)


def size_text(count: int) -> str:
    """Write a number of bytes with a unit.

    >>> size_text(999), size_text(2_000_000_000)
    ('999B', '2.0GB')
    """
    return ByteSize(count).human_readable(decimal=True)


@contextmanager
def open_existing(folder: Path) -> Iterator[Store]:
    """Open a store that exists: listing one never creates it."""
    with word_as_options({"store": "--store"}):
        if not (folder / "store.sqlite").exists():
            raise StoreError(f"there is no store in {folder}", cures=[Cure("name its folder", Argument("store"))])
        with Store(folder) as opened:
            yield opened


def _show(summary: StoreSummary, folder: Path) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, right in COLUMNS.items():
        table.add_column(name, justify="right" if right else "left", no_wrap=right)
    for row in summary.rows:
        table.add_row(
            row.task, row.seed, row.versions, f"{row.segments:,}", f"{row.updates:,}", f"{row.seconds:,.1f}",
            f"{row.snapshots:,}", size_text(row.bytes),
        )  # fmt: skip
    console().print(table)
    write_lines(
        f"\n{folder}: {summary.updates:,} updates, each stored once, "
        f"{_count_text(summary.snapshots, 'snapshot')} of {size_text(summary.bytes)}, "
        f"database of {size_text(summary.database)}"
    )


COLUMNS = {
    "task": False, "seed": True, "versions": False, "segments": True, "updates": True, "seconds": True,
    "snapshots": True, "bytes": True,
}  # fmt: skip


def _count_text(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"
