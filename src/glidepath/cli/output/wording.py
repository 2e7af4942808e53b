"""Errors in the words of the command line: an argument of a function as the option that gives it."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from glidepath.errors import Argument, GlidepathError

Options = Mapping[str, str]  # the option of a command by the name of the argument that it gives


@contextmanager
def word_as_options(options: Options) -> Iterator[None]:
    """Word the errors that are raised within: their arguments as options of the command.

    Args:
        options: of the command; an argument without one keeps its Python form.

    Examples:
        >>> from glidepath.errors import Cure
        >>> with word_as_options({"columns": "--column"}):
        ...     raise GlidepathError("no rate", cures=[Cure("name it", Argument("columns", key="rate"))])
        Traceback (most recent call last):
        ...
        glidepath.errors.GlidepathError: no rate: name it, --column rate=... [GP001]
    """
    try:
        yield
    except GlidepathError as error:
        raise GlidepathError(error.worded(lambda argument: as_option(argument, options)), code=error.code) from error


def as_option(argument: Argument, options: Options) -> str:
    """Return an argument as the option that gives it.

    Examples:
        >>> options = {"columns": "--column", "peak": "--run-peak", "across_peaks": "--across-peaks"}
        >>> as_option(Argument("columns", "my rate", key="rate"), options)
        "--column 'rate=my rate'"
        >>> [as_option(Argument(*parts), options) for parts in (("peak",), ("peak", 1), ("across_peaks", True))]
        ['--run-peak', '--run-peak 1', '--across-peaks']
        >>> as_option(Argument("share", False), {"share": "--share"})
        '--no-share'
    """
    option = options.get(argument.name)
    if option is None:
        return str(argument)
    value = argument.value
    if argument.key:
        shown = "..." if value is None else value
        return f"{option} {quote(f'{argument.key}={shown}')}"
    if value is False:
        return option.replace("--", "--no-", 1)
    return option if value is None or value is True else f"{option} {quote(str(value))}"


def quote(text: str) -> str:
    r"""Return a text as it is typed in a shell; characters that a terminal would obey are escaped.

    >>> print(quote("lr"), quote("my rate"), quote("it's\x1b"))
    lr 'my rate' $'it\'s\x1b'
    """
    if text.isprintable():
        return shlex.quote(text)
    single = repr(f'"{text}')  # a text with a double quote is written in single ones
    return f"$'{single[2:]}"
