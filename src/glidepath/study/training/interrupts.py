"""Ctrl-C only where it may come: nothing is stored by halves, and no result on its way is lost."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def collect_interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C in place of raising it; the second one raises."""
    interrupts: list[int] = []

    def note(number: int, frame: Any) -> None:
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(number)

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: it cannot be interrupted
        yield interrupts
        return
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Raise a Ctrl-C after what is inside; the second one at once."""
    with collect_interrupts() as interrupts:
        yield
    if interrupts:
        raise KeyboardInterrupt
