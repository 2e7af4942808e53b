"""Count the words that make code hard to read, and fail if there are more of them than `LIMITS` allows.

    python scripts/check_words.py                    # the counts, against the limits
    python scripts/check_words.py src/glidepath/law  # every place below a folder, to mend

The limits only fall: whoever lowers a count lowers its limit. What is counted, and why, is in CONTRIBUTING.md.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "glidepath"

VAGUE = {"one", "found", "known", "given", "seen", "told", "held", "made"}  # as variables and arguments
OPENINGS = {"The", "A", "An", "What", "Whether", "How"}  # of docstrings of functions, which begin with a verb
PARTICIPLES = {  # as the first word of a function's name: irregular ones, beside all in -ed and -ing
    *("begun", "built", "chosen", "done", "drawn", "fed", "found", "given", "gone", "grown", "held", "kept", "known"),
    *(
        "left",
        "lost",
        "made",
        "met",
        "read_back",
        "seen",
        "sent",
        "shown",
        "spent",
        "taken",
        "told",
        "thrown",
        "written",
    ),
}
NOT_PARTICIPLES = {"embed", "exceed", "feed", "need", "seed", "speed", "proceed", "bring", "ring", "string", "king"}
FIELD_NAMES = {"normalized_exponential", "slanted_triangular", "using"}  # recipes keep the field's names
DIALECT = re.compile(r"\b(somebody|nobody|anybody|whoever|what became of|a word on|wild points?|letters?)\b", re.I)

LIMITS = {
    "vague names": 0,
    "functions named by a participle": 6,
    "docstrings without a verb first": 0,
    "words of the old dialect": 0,
}

Place = tuple[str, Path, int, str]  # what is counted, where, and the name


def participle(name: str) -> bool:
    """Return whether a function's name begins with a participle."""
    first = name.strip("_").split("_")[0]
    return first in PARTICIPLES or (first.endswith(("ed", "ing")) and first not in NOT_PARTICIPLES)


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is read like an attribute, where a participle is plain English."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def places_in(file: Path) -> Iterator[Place]:
    """Yield everything in a file that is counted."""
    text = file.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id in VAGUE:
            yield "vague names", file, node.lineno, node.id
        elif isinstance(node, ast.arg) and node.arg in VAGUE:
            yield "vague names", file, node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _places_of(node, file)
    for number, line in enumerate(text.splitlines(), start=1):
        for match in DIALECT.finditer(line):
            yield "words of the old dialect", file, number, match.group()


def _places_of(node: ast.FunctionDef | ast.AsyncFunctionDef, file: Path) -> Iterator[Place]:
    if participle(node.name) and not is_property(node) and node.name.strip("_") not in FIELD_NAMES:
        yield "functions named by a participle", file, node.lineno, node.name
    words = (ast.get_docstring(node) or "").split()
    if words and words[0].rstrip(",.:") in OPENINGS:
        yield "docstrings without a verb first", file, node.lineno, f"{node.name}: {' '.join(words[:6])}"


def main(folders: list[str]) -> int:
    """Print the counts, and the places below the folders; return 1 if a limit is exceeded."""
    roots = [Path(folder) for folder in folders] or [SOURCE]
    files = sorted({file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))})
    places = [place for file in files for place in places_in(file)]
    for kind, file, line, name in places if folders else ():
        print(f"{file}:{line}: {kind}: {name}")
    counts = {kind: sum(place[0] == kind for place in places) for kind in LIMITS}
    for kind, count in counts.items():
        print(f"{count:5} {kind}, at most {LIMITS[kind]}" if not folders else f"{count:5} {kind}")
    return int(not folders and any(counts[kind] > limit for kind, limit in LIMITS.items()))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
