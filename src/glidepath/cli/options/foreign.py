"""Schedules of other libraries by name: what a module of the user defines, or a file of arguments."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from glidepath.convert import Conversion, read
from glidepath.errors import ConvertError, TaskError, needs_extra
from glidepath.tasks.failures import blaming
from glidepath.tasks.loading import module_named

NAMES = "a schedule is named file.py:name or package.module:name; a plan has parentheses, as in cosine(1000)"


def conversion(name: str) -> Conversion:
    """The schedule that a name stands for, or that the arguments in a file describe.

    Raises:
        ConvertError: if there is none, or if it cannot be read.
    """
    file = Path(name)
    return read(_arguments(file) if file.suffix in (".json", ".yaml", ".yml") else _found(name))


def _found(name: str) -> Any:
    """The object that a name stands for; a function without parameters is called for it."""
    where, colon, attribute = name.rpartition(":")
    if not (colon and where and attribute):
        raise ConvertError(f"{name!r} names no schedule: {NAMES}")
    try:
        module = module_named(name, where, NAMES)
        if not hasattr(module, attribute):
            raise ConvertError(f"{where} has no {attribute}: it has {_listed(module)}")
        return _made(name, getattr(module, attribute))
    except TaskError as error:
        raise ConvertError(str(error).removeprefix("the task ")) from error


def _made(name: str, value: Any) -> Any:
    if not isinstance(value, FunctionType) or inspect.signature(value).parameters:
        return value
    with blaming(name, "making its schedule", inspect.getsourcefile(value)):
        return value()


def _listed(module: Any) -> str:
    names = [name for name, value in vars(module).items() if name[0] != "_" and not inspect.ismodule(value)]
    return ", ".join(names[:8]) or "no names"


def _arguments(file: Path) -> Mapping[str, Any]:
    """The arguments of Megatron-LM in a JSON or YAML file."""
    try:
        text = file.read_text(encoding="utf-8")
        known = json.loads(text) if file.suffix == ".json" else _yaml(text)
    except ValueError as error:
        raise ConvertError(f"{file} cannot be read: {error}") from error
    if not isinstance(known, Mapping):
        raise ConvertError(
            f"{file} holds a {type(known).__name__}, not arguments by name: lr, min_lr, lr_decay_iters, ..."
        )
    return known


def _yaml(text: str) -> Any:
    with needs_extra("compare", "a YAML file"):
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error  # in one line
