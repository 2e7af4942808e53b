"""The code that a task is made of, and its fingerprint: whether it has changed since.

The code is the file of the task's function, and every module that this one uses, directly or not, and that lies in
the same folder or package. Installed packages are told apart by their versions elsewhere; data files are not seen.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


def fingerprint(function: Callable[..., Any]) -> str:
    """SHA-256 over the function's name and its code's files, 64 hexadecimal digits.

    Moving the whole folder changes nothing.
    """
    found = hashlib.sha256(getattr(function, "__qualname__", type(function).__name__).encode())
    for name, file in sorted(sources(function).items()):
        found.update(f"\0{name}\0".encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def sources(function: Callable[..., Any]) -> dict[str, Path]:
    """The files of a function's code, by their path from the folder that they share."""
    start = sys.modules.get(getattr(inspect.unwrap(function), "__module__", ""))
    file = _file(start)
    if start is None or file is None:
        return {}
    folder = _folder(start, file)
    seen, waiting = {file: start}, [start]
    while waiting:
        for module in _used(waiting.pop()):
            used = _file(module)
            if used is not None and used not in seen and folder in used.parents and _own(start, module):
                seen[used] = module
                waiting.append(module)
    return {str(path.relative_to(folder)): path for path in seen}


def _used(module: ModuleType) -> Iterator[ModuleType]:
    """Modules that a module's names are, or come from."""
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        found = sys.modules.get(name) if isinstance(name, str) else None
        if found is not None and found is not module:
            yield found


def _own(start: ModuleType, module: ModuleType) -> bool:
    """A built-in task is its own file: the rest of Glidepath does not decide its bits."""
    return not start.__name__.startswith("glidepath.") and not module.__name__.startswith("glidepath.")


def _file(module: ModuleType | None) -> Path | None:
    name = getattr(module, "__file__", None)
    path = Path(name).resolve() if name else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _folder(module: ModuleType, file: Path) -> Path:
    """The folder of the outermost package, or the one where a lone file lies."""
    depth = module.__name__.count(".") + (file.name == "__init__.py")
    return file.parents[depth]
