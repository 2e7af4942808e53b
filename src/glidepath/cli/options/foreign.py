"""Schedules of other libraries by name: what a module of the user defines, or a file of arguments."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

from glidepath.convert import Conversion, read
from glidepath.errors import ConvertError
from glidepath.extras import needs_extra
from glidepath.tasks.failures import blame
from glidepath.tasks.loading import Loadable, load_module

NAMES = "a schedule is named file.py:name or package.module:name; a plan has parentheses, as in cosine(1000)"
SCHEDULE = Loadable("schedule", NAMES, ConvertError)


def read_by_name(name: str, arguments: Sequence[str] = ()) -> Conversion:
    """Read the schedule that a name stands for, or that the arguments in a file describe.

    Args:
        name: file.py:name or package.module:name, or a JSON or YAML file.
        arguments: of the script, if it is one that reads them.

    Raises:
        ConvertError: if there is none, or if it cannot be read.
    """
    file = Path(name)
    if file.suffix not in (".json", ".yaml", ".yml"):
        return read(_load(name, arguments))
    if arguments:
        raise ConvertError(f"{file} is not run, so it takes no arguments: {' '.join(arguments)}")
    return read(_arguments(file))


def _load(name: str, arguments: Sequence[str]) -> Any:
    """Return the object that a name stands for; a function without parameters is called for it."""
    where, colon, attribute = name.rpartition(":")
    if not (colon and where and attribute):
        raise ConvertError(f"{name!r} names no schedule: {NAMES}")
    with _command_line(where, arguments):
        module = load_module(name, where, SCHEDULE)
        if not hasattr(module, attribute):
            raise ConvertError(f"{where} has no {attribute}: it has {_public_names(module)}")
        return _call_if_function(name, getattr(module, attribute))


@contextmanager
def _command_line(script: str, arguments: Sequence[str]) -> Iterator[None]:
    """Let a script read its own name and arguments, and not those of this program."""
    own = sys.argv
    sys.argv = [script, *arguments]
    try:
        yield
    except ConvertError as error:
        if not isinstance(error.__cause__, SystemExit):
            raise
        example = f"glidepath convert {script}:name -- --epochs 90"
        raise ConvertError(f"{error}; write the arguments that it needs after --, as in {example}") from error.__cause__
    finally:
        sys.argv = own


def _call_if_function(name: str, value: Any) -> Any:
    if not isinstance(value, FunctionType) or inspect.signature(value).parameters:
        return value
    with blame(SCHEDULE.subject(name), "building it", inspect.getsourcefile(value), ConvertError):
        return value()


def _public_names(module: Any) -> str:
    names = [name for name, value in vars(module).items() if name[0] != "_" and not inspect.ismodule(value)]
    return ", ".join(names[:8]) or "no names"


def _arguments(file: Path) -> Mapping[str, Any]:
    """Read the arguments of Megatron-LM from a JSON or YAML file."""
    try:
        text = file.read_text(encoding="utf-8")
        arguments = json.loads(text) if file.suffix == ".json" else _parse_yaml(text)
    except ValueError as error:
        raise ConvertError(f"{file} cannot be read: {error}") from error
    if not isinstance(arguments, Mapping):
        raise ConvertError(
            f"{file} holds a {type(arguments).__name__}, not arguments by name: lr, min_lr, lr_decay_iters, ..."
        )
    return arguments


def _parse_yaml(text: str) -> Any:
    with needs_extra("compare", "a YAML file"):
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error  # in one line
