"""`glidepath store`: what was trained and kept, and the room that it takes."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from glidepath.errors import GlidepathError, StoreError
from glidepath.study.store import Store
from glidepath.study.store.inspect import StoreSummary, find_problems, summarize

FOLDER = Path(".glidepath")
Flag = Annotated[bool, Parameter(negative=())]

store = App(
    name="store",
    help="List, clean up or check what was trained and kept.",
    help_format="plaintext",
    help_epilogue="Example: glidepath store ls",
)


@store.command(help_epilogue="Example: glidepath store ls --store .glidepath")
def ls(*, store: Path = FOLDER) -> None:
    """What was trained: for every task and seed its segments, updates, seconds and snapshots.

    Parameters
    ----------
    store
        The folder of the store.
    """
    with _existing(store) as found:
        _show(summarize(found), store)


@store.command(help_epilogue="Example: glidepath store gc --budget 2GB")
def gc(*, store: Path = FOLDER, budget: str = "4GB", dry_run: Flag = False) -> None:
    """Delete files that belong to nothing, and snapshots over a budget; curves always stay.

    The snapshots to go first are those that nothing was trained on from, then those that are cheapest to train again.

    Parameters
    ----------
    store
        The folder of the store.
    budget
        How much room the snapshots may take, as in 500MB or 2GiB.
    dry_run
        Only say what would be deleted.
    """
    with _existing(store) as found:
        most, strays = size(budget), found.strays()
        gone = found.snapshots_to_evict(most) if dry_run else found.evict_to(most)
        freed = sum(one.bytes for one in gone) + sum(file.stat().st_size for file in strays)
        for file in [] if dry_run else strays:
            file.unlink(missing_ok=True)
        says = "would free" if dry_run else "freed"
        print(f"{says} {shown(freed)}: {_counted(len(gone), 'snapshot')}, {_counted(len(strays), 'stray file')}")


@store.command(help_epilogue="Example: glidepath store verify")
def verify(*, store: Path = FOLDER) -> int:
    """Check the database and every snapshot, bit for bit; exits with 1 if anything is wrong.

    Damaged and missing snapshots are forgotten: their states are trained again when they are needed. Files that belong
    to nothing are listed, and `glidepath store gc` deletes them.

    Parameters
    ----------
    store
        The folder of the store.
    """
    with _existing(store) as found:
        wrong = find_problems(found)
        for line in wrong.lines:
            print(line)
        if wrong.snapshots and found.writable:
            found.delete_snapshots(wrong.snapshots)
            print(f"forgot {_counted(len(wrong.snapshots), 'snapshot')}: trained again when needed")
        if not wrong.lines:
            counts = found.counts()
            print(f"all is well: {counts['updates']:,} updates, {_counted(counts['snapshots'], 'snapshot')}")
        return 1 if wrong.lines else 0


def size(text: str) -> int:
    """Bytes, from a number with a unit.

    Examples:
        >>> size("2GB"), size("1.5KiB")
        (2000000000, 1536)
    """
    try:
        found = TypeAdapter(ByteSize).validate_python(text)
    except ValidationError:
        found = ByteSize(-1)
    if found < 0:
        raise GlidepathError(f"{text!r} is no size: write it as in 500MB, 2GB or 1.5GiB")
    return int(found)


def shown(count: int) -> str:
    """Bytes for people.

    >>> shown(999), shown(2_000_000_000)
    ('999B', '2.0GB')
    """
    return ByteSize(count).human_readable(decimal=True)


def _existing(folder: Path) -> Store:
    """A store that is there: looking at one makes none."""
    if not (folder / "store.sqlite").exists():
        raise StoreError(f"there is no store in {folder}: name its folder with --store")
    return Store(folder)


def _show(found: StoreSummary, folder: Path) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, right in COLUMNS.items():
        table.add_column(name, justify="right" if right else "left", no_wrap=right)
    for row in found.rows:
        table.add_row(
            row.task, row.seed, row.versions, f"{row.segments:,}", f"{row.updates:,}", f"{row.seconds:,.1f}",
            f"{row.snapshots:,}", shown(row.bytes),
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(
        f"\n{folder}: {found.updates:,} updates, each kept once, "
        f"{_counted(found.snapshots, 'snapshot')} of {shown(found.bytes)}, database of {shown(found.database)}",
        highlight=False,
    )


COLUMNS = {
    "task": False, "seed": True, "versions": False, "segments": True, "updates": True, "seconds": True,
    "snapshots": True, "bytes": True,
}  # fmt: skip


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"
