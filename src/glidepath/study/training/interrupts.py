"""Ctrl-C where it may come: nothing that is being noted is left half done, and no result on its way is dropped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Collects Ctrl-C in place of raising it; the second one raises."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: nobody can interrupt it
        yield seen
        return
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Ctrl-C comes after what is inside; the second one at once."""
    with interrupts() as seen:
        yield
    if seen:
        raise KeyboardInterrupt
