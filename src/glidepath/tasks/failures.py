"""Exceptions inside code of the user, a task or a schedule: each becomes one error with its place, and no traceback."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from glidepath.errors import Argument, Cure, GlidepathError, Place, TaskError

WITHOUT_SHARING = Cure("compare without sharing", Argument("share", False))  # of a task that cannot be reproduced


@contextmanager
def blame(subject: str, action: str, file: str | None, error_class: type[GlidepathError] = TaskError) -> Iterator[None]:
    """Turn any exception inside into an error that names the user's code, what it did, and the line in its file.

    Args:
        subject: the code, as messages call it, "the task digits".
        action: what was asked of it, as in "building the model".
        file: its source file; None if it has none.
        error_class: of the error to raise.

    Raises:
        GlidepathError: one of `error_class`; errors of Glidepath itself pass as they are.
    """
    try:
        yield
    except GlidepathError:
        raise
    except (Exception, SystemExit) as error:  # a script that exits must not end the study as if all were well
        reason = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise error_class(f"{subject} failed while {action}: {reason}", place=_place(error, file)) from error


def _place(error: BaseException, file: str | None) -> Place | None:
    """Return the innermost line of `file` that the exception went through; else the innermost line of all."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, line=error.lineno)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or list(frames[-1:])
    return Place(own[-1].filename, line=own[-1].lineno, part=f"in {own[-1].name}") if own else None
