"""Whose mistake it was: an exception inside somebody's task becomes one error with its place, and no traceback."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from glidepath.errors import GlidepathError, TaskError


@contextmanager
def blaming(task: str, doing: str, file: str | None) -> Iterator[None]:
    """Turns any exception inside into a `TaskError` that names the task, what it did, and the line in its file.

    Args:
        task: the task's name.
        doing: what was asked of it, as in "building the model".
        file: the task's source file; None if it has none.
    """
    try:
        yield
    except GlidepathError:
        raise
    except (Exception, SystemExit) as error:  # a script that exits must not end the study as if all were well
        reason = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise TaskError(f"the task {task} failed while {doing}: {reason}{_place(error, file)}") from error


def _place(error: BaseException, file: str | None) -> str:
    """The innermost line of the task's own file that the exception went through; else the innermost line of all."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or list(frames[-1:])
    return f" ({own[-1].filename}, line {own[-1].lineno}, in {own[-1].name})" if own else ""
