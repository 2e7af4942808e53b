"""The folders that `add_scalars` makes: each has event files of its own, with one number of the run above.

Under the tag `lr`, PyTorch writes `lr_backbone` beside the event file of the run, and tensorboardX `lr/backbone`.
"""

from collections.abc import Collection
from itertools import islice
from pathlib import Path

from glidepath.errors import RunError

from ..files import events_in
from ..names import normalize
from .events import read_numbers

SAMPLE = 100  # numbers by which a part is told


def group_parts(folders: Collection[Path]) -> dict[Path, tuple[Path, ...]]:
    """Return the folders that are parts of the run in a folder above, by that folder."""
    groups: dict[Path, tuple[Path, ...]] = {}
    for folder in sorted(folders):
        run = next((above for above in folder.parents if above in folders), None)
        if run is not None and part_name(folder, run) is not None:
            groups[run] = (*groups.get(run, ()), folder)
    return groups


def part_name(folder: Path, run: Path) -> str | None:
    """Return what the number in a folder is called: its tag and its own name; None if it is no part of the run."""
    try:
        tags = {name for name, *_ in islice(read_numbers(events_in(folder), []), SAMPLE)}
    except (RunError, OSError):
        return None
    path = folder.relative_to(run).as_posix()
    for tag in tags if len(tags) == 1 else ():
        if normalize(path).startswith(f"{normalize(tag)}_"):
            return f"{tag}/{path[len(tag) + 1 :]}"
    return None
