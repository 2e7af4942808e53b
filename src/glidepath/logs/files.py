"""Which files a path stands for, and what kind each is, by its first bytes."""

from pathlib import Path

from glidepath.core.errors import RunError

RESULTS = "curves.csv"  # in the folder that `glidepath compare` writes
STORE = "store.sqlite"
TABLES = (".csv", ".parquet")

SQLITE, PARQUET = b"SQLite format 3\0", b"PAR1"
NO_TABLES = {  # never opened, whatever their names
    b"\x80": "a pickle, which could run anything when it is read",
    b"PK\x03\x04": "an archive (a workbook, .npz or .pt file, perhaps)",
    b"\x1f\x8b": "compressed",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


def files_of(path: Path) -> list[Path]:
    """A file itself; of a folder the study's curves, the store, or every table in the order of their names.

    Raises:
        RunError: if there is nothing to read.
    """
    if not path.is_dir():
        return [path]
    for name in (RESULTS, STORE):
        if (path / name).is_file():
            return [path / name]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in TABLES and file.is_file())
    if not found:
        raise RunError(
            f"{path} holds no logs: neither {RESULTS} of glidepath compare, nor {STORE}, nor a .csv or .parquet file"
        )
    return found


def is_store(file: Path) -> bool:
    """Whether it is a SQLite database."""
    return _beginning(file).startswith(SQLITE)


def is_parquet(file: Path) -> bool:
    """Whether it is a Parquet file.

    Raises:
        RunError: if it is no table at all.
    """
    beginning = _beginning(file)
    for mark, kind in NO_TABLES.items():
        if beginning.startswith(mark):
            raise RunError(f"{file} is {kind}: export the log as CSV in UTF-8")
    return beginning.startswith(PARQUET)


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(len(SQLITE))
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error
