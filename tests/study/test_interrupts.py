"""Ctrl-C, at the places where it could lose something."""

import signal
from pathlib import Path
from typing import Any

import pytest
from leading import curves, led

from glidepath.study.sharing.ledger import Ledger
from glidepath.study.store import Store
from glidepath.study.training.interrupts import defer_interrupts

ONE: dict[str, Any] = {"seeds": [0], "schedules": {"a": "constant()"}}
TWICE = """
import os, signal

def twice(seed):
    task = line(seed)
    def batch(step):
        with open("asked.txt", "a") as notes:
            print(step, file=notes)
        if step == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return task.batch(step)
    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)
"""


def kept(store: Path) -> int:
    with Store(store) as opened:
        return opened.counts()["updates"]


def test_a_second_ctrl_c_ends_the_training_and_begins_no_other(here: Path) -> None:
    (here / "twice.py").write_text((here / "lines.py").read_text() + TWICE)
    with pytest.raises(KeyboardInterrupt):
        led(task="twice.py:twice", share=False, **ONE)
    assert (here / "asked.txt").read_text().split() == ["0", *"012345"]  # the first batch is looked at beforehand


def test_what_is_being_noted_when_ctrl_c_comes_is_kept(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Ledger.add

    def interrupted(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        add(*arguments)

    monkeypatch.setattr(Ledger, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        led("store", share=False, **ONE)
    assert kept(here / "store") == 20
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert led("store", share=False, **ONE).trained == 0


def test_ctrl_c_while_workers_report_keeps_what_they_had(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Ledger.add

    def interrupted(*arguments: Any) -> None:
        monkeypatch.undo()
        monkeypatch.chdir(here)
        signal.raise_signal(signal.SIGINT)
        add(*arguments)

    monkeypatch.setattr(Ledger, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        led("store", on="processes", workers=2)
    first = kept(here / "store")
    assert first > 0
    again = led("store")
    assert again.curves == curves("alone", share=False)
    assert first + again.trained == kept(here / "store")


@pytest.mark.parametrize(("times", "expected"), [(1, ["all of it"]), (2, [])])
def test_the_first_ctrl_c_waits_for_what_must_not_be_interrupted(times: int, expected: list[str]) -> None:
    done = []

    def interrupted() -> None:
        with defer_interrupts():
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == expected
