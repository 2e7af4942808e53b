"""The command line: one thin file per command, each loaded only when it is called.

Exit codes: 0 clean, 1 findings or a verdict against, 2 bad input. Answers go to stdout, errors to stderr, without a
traceback unless GLIDEPATH_TRACEBACK is set. A command words an error's arguments as its own options with
`glidepath.cli.output.wording`; what is written here is the error with its code.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TextIO

from glidepath.errors import GlidepathError, GlidepathWarning, MissingExtraError
from glidepath.extras import needs_extra

CLEAN, FINDINGS, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a name in a docstring may not be ASCII
    warnings.showwarning = _show_warning
    try:
        code = _answer(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has stopped: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except Exception as error:
        if os.environ.get("GLIDEPATH_TRACEBACK"):
            raise
        print(f"glidepath: {explain(error)}", file=sys.stderr)
        return BAD_INPUT


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write a warning of Glidepath in one line; others keep the file and line that they are about."""
    if isinstance(message, GlidepathWarning):
        print(f"glidepath: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=file or sys.stderr)


def _answer(arguments: Sequence[str]) -> int:
    with needs_extra("cli", "the command line"):
        from .app import answer  # inside, so that a missing cyclopts is reported like any other missing extra
    return answer(arguments)


def explain(error: Exception) -> str:
    """Return what to write about an error in place of its traceback."""
    causes = list(_chain(error))
    ours = next((cause for cause in causes if isinstance(cause, GlidepathError)), None)
    if ours is not None:
        return str(ours)
    missing = [str(cause.name) for cause in causes if isinstance(cause, ModuleNotFoundError)]
    if missing and not missing[-1].startswith("glidepath"):
        package = missing[-1].partition(".")[0]
        return str(MissingExtraError(package, "", "this command"))
    if isinstance(error, OSError):
        return f"cannot use {error.filename!r}: {error.strerror}" if error.filename else str(error)
    return f"an error of glidepath's own, please report it: {type(error).__name__}: {error}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__
