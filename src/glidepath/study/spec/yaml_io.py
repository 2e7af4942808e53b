"""A study as a YAML file: read with the line of every key, and written so that it can be run again."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from glidepath.errors import KeyPath as KeyPath
from glidepath.errors import StudyError

from .study import Study, study_from

MAX_BYTES = 1_000_000


def read_study(file: str | Path, instead: Mapping[str, Any] = {}) -> Study:
    """Read the study in a YAML file, with some keys given otherwise.

    Args:
        file: YAML 1.2: 1e-3 is a number, yes is a text, and a key given twice is an error.
        instead: keys that override the file's.

    Raises:
        StudyError: with the line of the file for every mistake.
    """
    file = Path(file)
    read = _read_mapping(file)
    described = {key: value for key, value in read.items() if not _is_overridden(key, instead)} | dict(instead)
    described |= _task_beside(file, described.get("task"), "task" in instead)
    try:
        return study_from(described)
    except StudyError as error:
        place = lambda path: "" if path and path[0] in instead else f"{file}:{_line(read, path)}: "
        raise StudyError(error.mistakes, place) from None


def study_to_yaml(study: Study) -> str:
    """Write the study as YAML that `read_study` reads back."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 1000
    yaml.dump({key: value for key, value in study.model_dump().items() if value is not None}, stream)
    return stream.getvalue()


def _read_mapping(file: Path) -> Mapping[str, Any]:
    read = _load_yaml(file)
    if not isinstance(read, Mapping):
        raise StudyError(f"{file}: a study is a mapping of keys, as in `task: digits`")
    return read


def _load_yaml(file: Path) -> Any:
    """Read the file, with the place of every key."""
    content = _read_bytes(file)
    try:
        return YAML().load(content.decode())
    except MarkedYAMLError as error:
        raise StudyError(f"{file}{_mark(error)}: {_problem(error)}") from error
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise StudyError(f"{file} is not YAML: {str(error).splitlines()[0]}") from error


def _read_bytes(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise StudyError(f"{file} has {len(content)} bytes; a study has at most {MAX_BYTES}")
    return content


def _mark(error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"


def _problem(error: MarkedYAMLError) -> str:
    """Return the parser's reason on one line, without its advice about its own options."""
    return " ".join((error.problem or "this is not YAML").split())


def _is_overridden(key: str, instead: Mapping[str, Any]) -> bool:
    """Return whether a key is given otherwise; `steps` and `horizons` say the same thing, so one overrides both."""
    lengths = ("steps", "horizons")
    return key in instead or (key in lengths and any(name in instead for name in lengths))


def _task_beside(file: Path, task: Any, overridden: bool) -> dict[str, str]:
    """Return the key of a task whose file lies beside the study and not where you are."""
    if not isinstance(task, str) or overridden or ".py:" not in task or Path(task.rpartition(":")[0]).is_file():
        return {}
    beside = file.parent / task
    return {"task": str(beside)} if Path(str(beside).rpartition(":")[0]).is_file() else {}


def _line(read: Any, path: KeyPath) -> int:
    """Return the line of the innermost key on the path that the file has."""
    line = 1
    for key in path:
        places = getattr(getattr(read, "lc", None), "data", None) or {}
        if key not in places:
            break
        line, read = places[key][0] + 1, read[key]
    return line
