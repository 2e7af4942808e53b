"""The database of trackio: several runs, each row at the step of its call."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from glidepath import logs
from glidepath.errors import RunError

from .against_truth import DATA, truth_of

FOLDER = DATA / "trackio"
FILE = FOLDER / "lines.db"


def write(file, rows, columns="id INTEGER PRIMARY KEY, run_id, timestamp, run_name, step, metrics"):
    with closing(sqlite3.connect(file)) as base, base:
        base.execute(f"CREATE TABLE metrics ({columns})")
        base.executemany(f"INSERT INTO metrics VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return file


def test_every_run_has_its_rates_at_the_updates_that_used_them():
    every, fifth = logs.rates(FILE)
    assert (every.name, every.steps) == ("every", list(range(20)))
    assert list(every.rates) == truth_of(FOLDER / "every")
    assert (fifth.name, fifth.steps) == ("fifth", [4, 9, 14, 19])
    assert list(fifth.rates) == [truth_of(FOLDER / "fifth")[step] for step in fifth.steps]
    assert logs.names(FILE) == ("every", "fifth")


def test_between_the_rows_of_a_run_its_plan_has_the_rates():
    plan = "linear(4, start=0.2, to=1) >> constant(1) >> cosine(20)"
    (run,) = logs.read(FILE, only=["fifth"], plan=plan, peak=0.1)
    assert run.rates == pytest.approx(truth_of(FOLDER / "fifth"))
    (run,) = logs.read(FOLDER, only=["every"])  # a folder with the database
    assert run.rates.tolist() == truth_of(FOLDER / "every")


def test_validations_at_steps_of_their_own_are_read():
    (run,) = logs.read(FILE, only=["fifth"], metric="val_loss")
    assert run.updates.tolist() == [5, 10, 15, 20]


def test_reading_leaves_nothing_beside_the_database(tmp_path):
    file = shutil.copy(FILE, tmp_path / "lines.db")
    os.chmod(file, 0o444)
    os.chmod(tmp_path, 0o555)
    try:
        assert len(logs.rates(file)) == 2
        assert [each.name for each in tmp_path.iterdir()] == ["lines.db"]
    finally:
        os.chmod(tmp_path, 0o755)


def test_rows_that_are_not_yet_in_the_database_are_read(tmp_path):
    file = write(tmp_path / "a.db", [(k, "x", "", "run", k, b'{"lr": 0.1, "loss": 2.0}') for k in range(3)])
    with closing(sqlite3.connect(file)) as base:
        base.execute("PRAGMA journal_mode=WAL")
        with base:
            base.execute("INSERT INTO metrics VALUES (9, 'x', '', 'run', 9, '{\"lr\": 0.2}')")
        assert logs.rates(file)[0].steps == [0, 1, 2, 9]


def test_two_runs_of_one_name_are_two_and_older_databases_go_by_the_name(tmp_path):
    text = '{"lr": 0.1, "loss": "NaN"}'
    rows = [(k, k % 2, "", "run", k // 2, text) for k in range(10)]
    assert [rates.steps for rates in logs.rates(write(tmp_path / "a.db", rows))] == [[0, 1, 2, 3, 4]] * 2
    older = [(k, "", "run", k, text) for k in range(10)]
    columns = "id INTEGER PRIMARY KEY, timestamp, run_name, step, metrics"
    assert [rates.steps for rates in logs.rates(write(tmp_path / "b.db", older, columns))] == [list(range(10))]


def test_rates_and_losses_in_calls_of_their_own_are_no_updates(tmp_path):
    rows = [(k, "x", "", "run", k, '{"lr": 0.1}' if k % 2 else '{"loss": 2.0}') for k in range(10)]
    file = write(tmp_path / "a.db", rows)
    with pytest.raises(RunError, match=r"_step counts calls of log, and lr and loss come in calls of their own"):
        logs.read(file)
