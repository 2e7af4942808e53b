"""A store is opened, or it is said what is wrong."""

import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from apart import READ_ONLY, command, environment, line, mounted
from leading import led

from glidepath.errors import StoreError
from glidepath.study.store import Store
from glidepath.study.store.connect import FORMAT, NAME


def test_a_store_is_made_where_there_is_none_and_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Store(tmp_path / "a/b") as store:
            assert store.writable
            assert set(store.counts().values()) == {0}


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    def opens(number: int) -> dict[str, int]:
        with Store(tmp_path / "new") as store:
            store.note_origin(str(number), {}, None)
            return store.counts()

    with ThreadPoolExecutor(8) as threads:
        assert max(counts["origins"] for counts in threads.map(opens, range(24))) == 24


@pytest.mark.parametrize("version", [0, FORMAT + 1, 999])
def test_another_format_is_refused_and_left_as_it_is(tmp_path: Path, version: int) -> None:
    Store(tmp_path).__exit__()
    with sqlite3.connect(tmp_path / NAME) as base:
        base.execute(f"PRAGMA user_version = {version}")
    base.close()
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(StoreError, match=rf"has format {version}, and this Glidepath reads format {FORMAT}: .*store="):
        Store(tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as base:
        base.execute("CREATE TABLE bookmarks (url TEXT)")
    base.close()
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(StoreError, match=r"database of another application: .*store="):
        Store(tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"all my passwords\n" * 400)
    with pytest.raises(StoreError, match=r"not a database.*move it away"):
        Store(tmp_path)


def test_a_place_that_can_hold_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        with pytest.raises(StoreError, match="no store can be created"):
            Store(tmp_path / folder)


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add_evaluations({f"state {i}": {"metric": i} for i in range(2000)})
    content = bytearray((tmp_path / NAME).read_bytes())
    content[4096 * 2 :] = bytes(len(content) - 4096 * 2)
    (tmp_path / NAME).write_bytes(content)
    with Store(tmp_path) as store, pytest.raises(StoreError, match=r"malformed.*move it away"):
        [store.evaluation(f"state {i}") for i in range(2000)]


# --- read only ---

LEAD = """
import sys
try:
    done = led("kept", steps=int(sys.argv[1]))
    print(done.trained, [curve.records[-1].loss for curve in done.curves])
except StoreError as error:
    print(error)
"""


def test_a_finished_study_can_be_read_where_nothing_can_be_written(here: Path) -> None:
    losses = [curve.records[-1].loss for curve in led("kept", steps=4).curves]
    assert mounted(*READ_ONLY, line(LEAD, 4)) == f"0 {losses}\n"


def test_an_unfinished_study_is_refused_before_anything_is_trained(here: Path) -> None:
    led("kept", steps=4)
    (here / "lines.py").write_text(
        (here / "lines.py").read_text().replace("def batch(step):", "def batch(step):\n        assert step == 0")
    )
    told = mounted(*READ_ONLY, line(LEAD, 6))
    assert told.startswith("the store kept can only be read, and not everything asked for is in it: ")
    assert "use another store, store=" in told


def test_a_store_is_not_made_where_nothing_can_be_written(here: Path) -> None:
    Path("kept").mkdir()
    assert mounted(*READ_ONLY, line(LEAD, 6)).startswith("no store can be created in kept")


def test_what_a_killed_process_left_in_the_log_can_be_read_where_nothing_can_be_written(here: Path) -> None:
    writes = "import os\nstore = Store(Path('kept')); store.add_evaluations({'s': {'m': 1.0}}); os.kill(os.getpid(), 9)"
    assert subprocess.run(command(writes), env=environment(), check=False).returncode == -9
    assert (here / "kept" / f"{NAME}-wal").stat().st_size
    reads = "store = Store(Path('kept')); print(store.evaluation('s'), store.writable)"
    assert mounted(*READ_ONLY, line(reads)) == "{'m': 1.0} False\n"
