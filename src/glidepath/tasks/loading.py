"""From a task's name to its function: a built-in name, `package.module:function` or `file.py:function`."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, final

from glidepath.core.closest import did_you_mean
from glidepath.errors import GlidepathError, MissingExtraError, TaskError

from .failures import blame
from .sources import fingerprint, unwrap
from .task import Task

BUILT_IN = {
    "digits": "glidepath.tasks.digits:digits",
    "stdlib_gpt": "glidepath.tasks.stdlib_gpt:stdlib_gpt",
}

FORMS = "a task is digits, stdlib_gpt, package.module:function or file.py:function"


@final
@dataclass(frozen=True)
class Loadable:
    """A kind of thing that users write in a module of their own and name on the command line.

    Args:
        noun: what messages call it, "task".
        forms: what its names may look like, for messages.
        error_class: of the error when it cannot be loaded.
    """

    noun: str
    forms: str
    error_class: type[GlidepathError]

    def subject(self, name: str) -> str:
        """Return what messages call the one of this name, "the task digits"."""
        return f"the {self.noun} {name}"


TASK = Loadable("task", FORMS, TaskError)


@final
@dataclass(frozen=True)
class NamedTask:
    """A task's function with the name it was found by, the file it is written in, and the module it was found in."""

    name: str
    function: Callable[[int], Any]
    file: str | None
    module: str = ""

    def __call__(self, seed: int) -> Task:
        """Build a fresh task; whatever its function raises is reported with the line of its file."""
        with self.blame(f"building itself for seed {seed}"):
            built = self.function(seed)
        if not isinstance(built, Task):
            raise TaskError(f"the task {self.name} returned {_kind(built)}: return a glidepath.tasks.Task")
        return built

    def blame(self, action: str) -> Any:
        """Return a context in which an exception is this task's."""
        return blame(f"the task {self.name}", action, self.file)

    @property
    def fingerprint(self) -> str:
        """Return a hash of its code: it tells whether that has changed since."""
        return fingerprint(self.function, self.module)


def load_task(name: str) -> NamedTask:
    """Load the task that a name stands for.

    Files and packages are looked for where you are, as `python file.py` would.

    Raises:
        TaskError: if there is no such task; the message gives the nearest name that exists.
        MissingExtraError: if a built-in task needs a package that is not installed.

    Examples:
        >>> load_task("digits").function.__name__
        'digits'
    """
    where, colon, attribute = BUILT_IN.get(name, name).rpartition(":")
    if not (colon and where and attribute):
        raise TaskError(_unknown(name))
    module = load_module(name, where)
    function = getattr(module, attribute, None)
    if not callable(function):
        raise TaskError(_no_function(name, module, attribute, function))
    return NamedTask(name, function, _source(function) or getattr(module, "__file__", None), module.__name__)


def load_module(name: str, where: str, kind: Loadable = TASK) -> ModuleType:
    """Import the module in which something that the user named is written: a file, or a module of a package.

    Args:
        name: what the user wrote, for messages.
        where: the part of it before the colon.
        kind: what the name stands for.

    Raises:
        GlidepathError: the class of `kind`, if there is no such module, or it fails while it is imported.
        MissingExtraError: if it is built in, and needs a package that is not installed.
    """
    return _import_file(name, Path(where), kind) if where.endswith(".py") else _import_package(name, where, kind)


def _import_file(name: str, path: Path, kind: Loadable) -> ModuleType:
    if not path.is_file():
        raise kind.error_class(f"there is no file {path} in {Path.cwd()}: {kind.forms}")
    full = path.resolve()
    _add_to_path(str(full.parent))
    place = hashlib.sha256(str(full).encode()).hexdigest()[:8]  # two folders may each have a task.py
    spec = importlib.util.spec_from_file_location(f"glidepath_task_{full.stem}_{place}", full)
    if spec is None or spec.loader is None:
        raise kind.error_class(f"{path} cannot be read as Python: {kind.forms}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look a module up by its name
    with blame(kind.subject(name), f"importing {path}", str(full), kind.error_class):
        spec.loader.exec_module(module)
    return module


def _import_package(name: str, where: str, kind: Loadable) -> ModuleType:
    _add_to_path(str(Path.cwd()))
    try:
        with blame(kind.subject(name), f"importing {where}", None, kind.error_class):
            return importlib.import_module(where)
    except kind.error_class as error:
        missing = _explain_missing_module(name, where, error.__cause__, kind)
        if missing is None:
            raise
        raise missing from error


def _explain_missing_module(name: str, where: str, cause: Any, kind: Loadable) -> GlidepathError | None:
    """Return a clearer error if it is the module itself, or a package of a built-in task, that is missing."""
    if not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return None
    if name in BUILT_IN:
        return MissingExtraError(cause.name.partition(".")[0], "compare", f"the task {name}")
    if (where + ".").startswith(cause.name + "."):
        return kind.error_class(f"there is no module {cause.name} (from {Path.cwd()}): {kind.forms}")
    return None


def _add_to_path(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _source(function: Any) -> str | None:
    """Return the file of a function written in Python; None for a class, an object that is called, or a built-in."""
    function = unwrap(function)
    return inspect.getsourcefile(function) if isinstance(function, FunctionType | MethodType) else None


def _unknown(name: str) -> str:
    if name.endswith(".py"):
        return f"which function of {name} is the task? Write {name}:function"
    return f"unknown task {name!r}{_nearest(name, BUILT_IN)}: {FORMS}"


def _no_function(name: str, module: ModuleType, attribute: str, value: Any) -> str:
    if value is not None:
        return f"{attribute} in {name} is {_kind(value)}: a task is a function of the seed"
    names = [key for key, value in vars(module).items() if isinstance(value, FunctionType)]
    listed = f"; it has {', '.join(names[:8])}" if names else ""
    return f"{name.rpartition(':')[0]} has no function {attribute}{_nearest(attribute, names)}{listed}"


def _nearest(name: str, names: Any) -> str:
    hint = did_you_mean(name, names)
    return f", {hint}" if hint else ""


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
