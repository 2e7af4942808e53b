"""Messages are data until they are shown: the library names no option of the command line, and no code reads a message.

The arguments that messages about logs name have options in every command that reads logs.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import glidepath
from glidepath.cli import main
from glidepath.cli.options.logs import RATE_OPTIONS, RUN_OPTIONS
from glidepath.cli.review import OPTIONS as REVIEW_OPTIONS

SOURCE = Path(glidepath.__file__).parent
LIBRARY = [file for file in sorted(SOURCE.rglob("*.py")) if "cli" not in file.relative_to(SOURCE).parts]
EVERYTHING = sorted(SOURCE.rglob("*.py"))
READERS = ("fit", "predict", "advise", "design")  # the commands that learn from runs
OF_READERS_THEMSELVES = {"updates"}  # arguments that only the readers of logs give, never a user


# --- options ---


def docstrings(tree: ast.AST) -> set[int]:
    """Return the nodes that are docstrings, which no user meets as a message."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, owners))
    return {
        id(body[0].value)
        for body in bodies
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    }


def options_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts in a module that name an option of a command line: two dashes before a letter."""
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            words = node.value.replace("var(--", "").replace("(", " ").replace("`", " ").replace("'", " ").split()
            if any(word.startswith("--") and word[2:3].isalpha() for word in words):
                yield node.lineno, node.value


@pytest.mark.parametrize("code", ['f"give --run-plan {x}"', 'print("use (--peak)")', 'f("--seed")'])
def test_an_option_in_a_text_is_noticed(code):
    assert list(options_in(ast.parse(code)))


@pytest.mark.parametrize("code", ['"""Give --run-plan."""', '"a -- b"', '"---"', '"x--y"'])
def test_what_is_not_an_option_is_not_noticed(code):
    assert not list(options_in(ast.parse(code)))


def test_no_message_of_the_library_names_an_option_of_the_command_line():
    places = [
        f"{file.relative_to(SOURCE)}:{line}: {text}"
        for file in LIBRARY
        for line, text in options_in(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert places == []


# --- decisions by the text of an error ---

READING = {  # methods of a text that take it apart or look into it
    *("startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit"),
    *("find", "rfind", "index", "rindex", "count", "replace"),
}


def errors_in(tree: ast.AST) -> Iterator[tuple[ast.AST, set[str]]]:
    """Yield handlers and functions with the names that errors have in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name:
            yield node, {node.name}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = {a.arg for a in arguments if a.annotation and _is_error(ast.unparse(a.annotation))}
            if names:
                yield node, names


def _is_error(annotation: str) -> bool:
    parts = annotation.replace('"', "").replace("None", "").replace("|", " ").split()
    return bool(parts) and all(part.endswith(("Error", "Exception")) for part in parts)


def is_text_of(node: ast.AST, names: set[str], texts: set[str]) -> bool:
    """Return whether an expression is the text of an error, or a part of it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in texts:
            return True
        if any(isinstance(value, ast.Name) and value.id in names for value in _shown_in(part)):
            return True
    return False


def _shown_in(node: ast.AST) -> list[ast.expr]:
    """Return what a part of an expression turns into text: the argument of str(), the owner of .args, {} in a text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr"):
        return list(node.args)
    if isinstance(node, ast.Attribute) and node.attr in ("args", "worded", "reason", "problem"):
        return [node.value]
    return [node.value] if isinstance(node, ast.FormattedValue) else []


def decisions_in(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that compare the text of an error with something, or take it apart."""
    for scope, names in errors_in(tree):
        texts: set[str] = set()
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign | ast.NamedExpr) and is_text_of(node.value, names, texts):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                texts |= {target.id for target in targets if isinstance(target, ast.Name)}
        for node in ast.walk(scope):
            if _decides(node, names, texts):
                yield node.lineno


def _only_formats(call: ast.Call) -> bool:
    """Return whether a call has no word to look for: split() joins lines, removesuffix(": ") drops punctuation."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("split", "removesuffix"):
        return False
    return not any(character.isalnum() for argument in call.args for character in ast.unparse(argument))


def _decides(node: ast.AST, names: set[str], texts: set[str]) -> bool:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(not isinstance(side, ast.Constant) and is_text_of(side, names, texts) for side in sides)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in READING and is_text_of(node.func.value, names, texts):
        return not _only_formats(node)
    is_regex = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
    return is_regex and any(is_text_of(argument, names, texts) for argument in node.args)


@pytest.mark.parametrize(
    "decision",
    [
        'if "--plan" in str(error): pass',
        'if error.args[0] == "x": pass',
        'str(error).removeprefix("the task ")',
        'text = str(error)\n    text.partition(":")',
        'text = f"{error}"\n    if text != "": pass',
        're.sub("a", "b", str(error))',
        'error.worded().startswith("no")',
    ],
)
def test_a_decision_by_the_text_of_an_error_is_noticed(decision):
    handled = f"try: pass\nexcept ValueError as error:\n    {decision}"
    passed = f"def f(error: RunError) -> None:\n    {decision}"
    assert list(decisions_in(ast.parse(handled)))
    assert list(decisions_in(ast.parse(passed)))


@pytest.mark.parametrize(
    "code",
    [
        'raise RunError(f"{name}: {error}") from error',
        'if error.code == "GP105": raise',
        'print(" ".join(str(error).split()))',
        "if isinstance(error, OSError): raise",
    ],
)
def test_showing_the_text_of_an_error_is_no_decision(code):
    assert not list(decisions_in(ast.parse(f"try: pass\nexcept ValueError as error:\n    {code}")))


def test_no_code_decides_by_the_text_of_an_error():
    places = [
        f"{file.relative_to(SOURCE)}:{line}"
        for file in EVERYTHING
        for line in decisions_in(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert places == []


# --- the options of the arguments that messages about logs name ---


def arguments_in(folder: Path) -> set[str]:
    """Return the names of all arguments in the messages of a folder."""
    calls = (
        node
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Argument"
    )
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def test_every_argument_in_a_message_about_logs_has_an_option():
    arguments = arguments_in(SOURCE / "runs") | arguments_in(SOURCE / "logs")
    assert {"columns", "plan", "peak"} <= arguments  # the search works
    assert arguments - OF_READERS_THEMSELVES <= set(RUN_OPTIONS)


@pytest.mark.parametrize("command", READERS)
def test_every_command_that_learns_from_runs_has_these_options(command, capsys):
    assert main([command, "--help"]) == 0
    words = set(capsys.readouterr().out.split())
    assert set(RUN_OPTIONS.values()) <= words


def test_review_has_the_options_that_its_messages_name(capsys):
    assert main(["review", "--help"]) == 0
    words = set(capsys.readouterr().out.split())
    assert {*RATE_OPTIONS.values(), *REVIEW_OPTIONS.values()} <= words


NO_RATES = {
    "table.csv": "step,loss\n1,3\n2,2\n",
    "wandb.csv": "_step,loss\n0,3\n1,2\n",
    "trainer_state.json": '{"log_history": [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}]}',
}


@pytest.mark.parametrize("name", NO_RATES)
def test_a_log_without_rates_is_cured_by_what_each_command_can_do(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(NO_RATES[name])
    assert main(["fit", name]) == 2
    told = capsys.readouterr().err
    assert told.endswith("give the schedule of the run, --run-plan and --run-peak [GP401]\n")
    assert main(["review", "linear(2)", "--run", name]) == 2
    told = capsys.readouterr().err
    assert told.endswith('log optimizer.param_groups[0]["lr"] with every step [GP401]\n')
    assert "--run-" not in told
