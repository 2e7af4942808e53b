"""The code that a task is made of, and its fingerprint: whether it has changed since.

The code is the file of the task's function, and every file that this one imports, directly or not, and that lies in
the same folder or below it, or in the same package. Imports are read from the code, so one inside a function counts,
and one whose name is put together at run time does not. Installed packages are distinguished by their versions
elsewhere; data files are not seen.
"""

import ast
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from itertools import accumulate
from pathlib import Path
from typing import Any

INSTALLED = frozenset({"site-packages", "dist-packages"})
STANDARD = Path(sysconfig.get_path("stdlib")).resolve()


def fingerprint(function: Callable[..., Any], found_in: str = "") -> str:
    """Return the SHA-256 over the function's name and its code's files, 64 hexadecimal digits.

    Moving the whole folder changes nothing.

    Args:
        function: of the task.
        found_in: the name of the module where it was found, if that may be another than where it is written.
    """
    inner = unwrap(function)
    digest = hashlib.sha256(getattr(inner, "__qualname__", type(inner).__name__).encode())
    for name, file in sorted(sources(function, found_in).items()):
        digest.update(f"\0{name}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def sources(function: Callable[..., Any], found_in: str = "") -> dict[str, Path]:
    """Return the files of a function's code, by their path from the folder that they share."""
    written_in = getattr(unwrap(function), "__module__", None) or ""
    files: dict[str, Path] = {}
    for start in (written_in, found_in):
        for name, file in _own_files(start).items():
            if file not in files.values():
                files[f"found in {name}" if name in files else name] = file
    return files


def unwrap(function: Any) -> Any:
    """Return the function inside a partial or a decorator."""
    while isinstance(function, functools.partial) or hasattr(function, "__wrapped__"):
        function = function.func if isinstance(function, functools.partial) else function.__wrapped__
    return function


def _own_files(start: str) -> dict[str, Path]:
    """Return the files that a module is made of, by their path from its folder."""
    file = _file(start)
    if file is None:
        return {}
    folder = _folder(start, file)
    files, waiting = {file}, [(start, file)]
    while waiting:
        for name in _imports(*waiting.pop()):
            used = _file(name) if _own(start, name) else None
            if used is not None and used not in files and _beside(used, folder):
                files.add(used)
                waiting.append((name, used))
    return {path.relative_to(folder).as_posix(): path for path in files}


def _imports(module: str, file: Path) -> Iterator[str]:
    """Yield the names of all modules that a file imports, or may: in `from a import b`, b may be one; with their
    packages.
    """
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for name in [module, *(name for node in _nodes(file) for name in _names_in(node, package))]:
        yield from accumulate(name.split("."), "{}.{}".format)


def _nodes(file: Path) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(file.read_bytes()))
    except SyntaxError:  # it was changed since it was imported
        return


def _names_in(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    relative = "." * node.level + (node.module or "")
    try:
        base = importlib.util.resolve_name(relative, package)
    except ImportError:  # a relative import outside any package, in code that is never reached
        return []
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _own(start: str, name: str) -> bool:
    """Return whether a file counts: a built-in task is its own file, the rest of Glidepath does not decide its bits."""
    return "glidepath" not in (start.partition(".")[0], name.partition(".")[0])


def _beside(file: Path, folder: Path) -> bool:
    """Return whether a file is in the folder, and not in a virtual environment there."""
    if folder not in file.parents or STANDARD in file.parents:
        return False
    return INSTALLED.isdisjoint(file.relative_to(folder).parts)


def _folder(module: str, file: Path) -> Path:
    """Return the folder where a lone file or the outermost package lies; of an installed package, its own."""
    depth = module.count(".") + (file.name == "__init__.py")
    folder = file.parents[depth]
    return file.parents[depth - 1] if folder.name in INSTALLED and depth else folder


def _file(name: str) -> Path | None:
    """Return the Python file of a module, whether it has been imported or not."""
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None) if module is not None else _origin(name)
    path = Path(origin).resolve() if origin else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _origin(name: str) -> str | None:
    """Return where a module would be imported from, without importing anything."""
    package = name.rpartition(".")[0]
    folders = _folders(package) if package else None
    if package and not folders:
        return None
    spec = PathFinder.find_spec(name, folders)
    return spec.origin if spec is not None else None


def _folders(package: str) -> list[str]:
    """Return the folders of a package; none if it is a module, or is not there."""
    if package in sys.modules:
        return list(getattr(sys.modules[package], "__path__", []))
    outer = package.rpartition(".")[0]
    folders = _folders(outer) if outer else None
    spec = PathFinder.find_spec(package, folders) if folders or not outer else None
    return list(spec.submodule_search_locations or []) if spec is not None else []
