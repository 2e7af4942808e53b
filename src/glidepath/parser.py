"""`parse`: from the text of a schedule to the schedule, without running code.

The names that a text may use are those of `NAMES` below, nothing else; bare durations (2%, 3ep, 10k) stand where
Python needs quotes.
"""

import math
import operator
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from . import recipes
from .core.argument_names import FOREIGN_RECIPES, FORMER_ARGUMENTS, FORMER_RECIPES, PLATEAUS
from .core.assignment import Set
from .core.checks import is_number
from .core.closest import did_you_mean
from .core.schedule import Schedule, cut, sequence
from .core.syntax import (
    MAX_DEPTH,
    MAX_LENGTH,
    CallNode,
    Chain,
    Infix,
    List,
    Name,
    Negative,
    Node,
    Number,
    Slice,
    String,
    tree,
)
from .errors import ArgumentError, GlidepathError, TextError
from .warn import warn_caller

ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

NAMES: dict[str, Callable[..., Schedule]] = {
    name: getattr(recipes, name)
    for name in (
        *(
            "warmup",
            "constant",
            "linear",
            "cosine",
            "polynomial",
            "one_minus_sqrt",
            "one_minus_power",
            "geometric",
        ),
        *("normalized_exponential", "inverse_linear", "rex", "tanh", "cosine_waves", "chebyshev"),
        *(
            "exponential",
            "step",
            "multistep",
            "inverse_time",
            "inverse_power",
            "inverse_sqrt",
            "noam",
            "power_law",
        ),
        *("formula", "table", "noise", "piecewise_constant", "piecewise_linear", "piecewise_cosine"),
        *("wsd", "trapezoid", "flat_cosine", "wsd_s", "infinite", "one_cycle", "one_cycle_linear"),
        *(
            "one_cycle_momentum",
            "slanted_triangular",
            "tri_stage",
            "cosine_restarts",
            "cyclic",
            "linear_cosine",
        ),
        *("noisy_linear_cosine", "noisy", "rewarm", "sweep"),
        *("clip", "maximum", "repeat", "reverse", "staircase"),
    )
}


def parse(text: str) -> Schedule:
    """Read the schedule that a text describes.

    Args:
        text: as `repr` prints it, or with bare durations: "warmup(2%) >> constant() >> cosine(20%, to=0.1)".

    Raises:
        TextError: with a caret under the place, the reason, and the nearest valid name.

    Examples:
        >>> parse("warmup(5%) >> cosine(95%)").over(1000)
        warmup(50) >> cosine(950)
    """
    builder = _Builder(text)
    plan = builder.whole(_tree(text))
    _warn_about_former_names(builder)
    return plan


def parse_plan(text: str) -> Schedule | Set:
    """Read the plan of a hyperparameter: a schedule, or `Set(...)` around one.

    Raises:
        TextError: as `parse` does.

    Examples:
        >>> parse_plan("Set(linear(10%, start=0.85, to=0.95))")
        Set(plan=linear("10%", to=0.95, start=0.85))
    """
    builder, node = _Builder(text), _tree(text)
    is_set = isinstance(node, CallNode) and node.name == "Set"
    plan = builder.whole(builder.inside_set(cast(CallNode, node)) if is_set else node)
    _warn_about_former_names(builder)
    return Set(plan) if is_set else plan


def parse_saved(text: str) -> Schedule:
    """Read a text that was saved, perhaps by an older Glidepath: without a warning, since it cannot be changed.

    Raises:
        TextError: as `parse` does.
    """
    return _Builder(text).whole(_tree(text))


def _tree(text: str) -> Node:
    """Read the syntax tree of a text, unless the text is the name of a file."""
    if isinstance(text, str) and text.strip().lower().endswith(FILE_ENDINGS):
        raise TextError(
            "this is a file, not a plan", text=text, hint="a plan is a text, as in cosine(100)", code="GP107"
        )
    return tree(text)


def _warn_about_former_names(builder: "_Builder") -> None:
    if builder.former:
        changes = ", ".join(f"{rename.old} is now {rename.new}" for rename in builder.former)
        message = f"{changes}: write {builder.with_present_names()}"
        warn_caller(message, "GP720")


class Rename(NamedTuple):
    """A name that an older Glidepath used, where it stands in the text, and its present name."""

    place: int
    old: str
    new: str


FILE_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml")
MAX_PIECES = 50_000
MAX_NUMBER = sys.float_info.max


class _Builder:
    """Turns nodes into schedules; keeps the text so that an error can point into it.

    Some recipes use their plan twice, and a few of them within each other make a plan that is small in memory and
    endless when it is written out, so the pieces are counted as they are built.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.sizes: dict[int, tuple[object, int, int]] = {}  # by id: the piece, kept alive, its size and its depth
        self.former: list[Rename] = []  # names that an older Glidepath used

    def whole(self, node: Node) -> Schedule:
        """Build the schedule of a whole text."""
        plan = self.plan(node)
        if len(repr(plan)) > MAX_LENGTH:
            raise self.error(node, f"written out in full, this plan is longer than {MAX_LENGTH} characters")
        return plan

    def inside_set(self, node: CallNode) -> Node:
        """Return the plan inside `Set(...)`."""
        inside = [*node.arguments, *(value for name, value in node.keywords if name == "plan")]
        if len(inside) != 1 or len(node.arguments) + len(node.keywords) != 1:
            raise self.error(node, "Set takes one schedule", "as in Set(linear(100, start=0.85, to=0.95))")
        return inside[0]

    def with_present_names(self) -> str:
        """Return the text with the names that recipes and arguments have now."""
        text = self.text
        for rename in sorted(self.former, reverse=True):
            text = text[: rename.place] + rename.new + text[rename.place + len(rename.old) :]
        return text

    def plan(self, node: Node) -> Schedule:
        """Build a schedule."""
        value = self.value(node)
        if not isinstance(value, Schedule):
            raise self.error(node, f"a schedule belongs here, not {value!r}", "a recipe is a call, as in cosine(100)")
        return value

    def value(self, node: Node) -> Any:
        """Build a schedule, a number, a text or a list."""
        match node:
            case Number(value=value) | String(value=value):
                return value
            case List(items=items):
                return tuple(self.value(item) for item in items)
            case Negative(inner=inner):
                return self.negative(node, self.value(inner))
            case CallNode():
                return self.call(node)
            case Slice(inner=inner, start=start, stop=stop):
                bounds = [None if bound is None else self.value(bound) for bound in (start, stop)]
                return self.build(node, cut, self.plan(inner), bounds[0] or 0, bounds[1])
            case Chain(parts=parts):
                return self.build(node, sequence, *(self.plan(part) for part in parts))
            case Infix():
                return self.infix(node)
            case Name(name=name) if name in NAMES:
                raise self.error(node, f"{name} is a recipe and needs its arguments", f"as in {name}(...)")
            case Name(name=name):
                raise self.error(node, f"unknown name {name!r}", _hint(name))
        raise self.error(node, "this has no place in a schedule")

    def negative(self, node: Node, value: Any) -> Any:
        """Negate a number."""
        if not is_number(value):
            raise self.error(node, "only a number can be negative here")
        return -value

    def infix(self, node: Infix) -> Any:
        """Join two schedules, a number and a schedule, or two numbers."""
        left, right = self.value(node.left), self.value(node.right)
        operands = [isinstance(value, Schedule) or is_number(value) for value in (left, right)]
        if node.symbol in "+*" and all(operands) and not (is_number(left) and is_number(right)):
            return self.build(node, operator.mul if node.symbol == "*" else operator.add, left, right)
        if node.symbol == "/" and is_number(left) and isinstance(right, Schedule):
            return self.build(node, operator.truediv, left, right)
        if node.symbol in "+-*/" and is_number(left) and is_number(right):
            return self.number(node, left, right)
        hint = "plans are joined by >>, * and +, and may divide a number"
        raise self.error(node, f"{node.symbol} does not join {left!r} and {right!r}", hint)

    def number(self, node: Infix, left: float, right: float) -> float:
        """Compute with plain numbers, so that 3e-4 * 2 or 1/3 can be written."""
        if node.symbol == "/" and right == 0:
            raise self.error(node, "this divides by zero")
        try:
            number = ARITHMETIC[node.symbol](left, right)
        except OverflowError:
            number = math.inf
        if abs(number) > MAX_NUMBER:
            raise self.error(node, "this number is too large")
        return number

    def call(self, node: CallNode) -> Schedule:
        """Build a schedule by the recipe that a call names."""
        name = FORMER_RECIPES.get(node.name, node.name)
        recipe = NAMES.get(name)
        if recipe is None:
            raise self.error(node, f"unknown name {node.name!r}", _hint(node.name))
        if name != node.name:
            self.former.append(Rename(node.place, node.name, name))
        return self.build(
            node, recipe, *(self.value(argument) for argument in node.arguments), **self.keywords(node, name)
        )

    def keywords(self, node: CallNode, recipe: str) -> dict[str, Any]:
        """Build the named arguments of a call, those with names of an older Glidepath under their present ones."""
        keywords: dict[str, Any] = {}
        written: dict[str, str] = {}  # by the present name
        for (name, value), place in zip(node.keywords, node.keyword_places, strict=True):
            new = FORMER_ARGUMENTS.get(recipe, {}).get(name, name)
            if new in keywords:
                former = written[new] if name == new else name
                raise self.error(value, f"{former} is another name of {new}, and both are given")
            written[new] = name
            if new != name:
                self.former.append(Rename(place, name, new))
            keywords[new] = self.value(value)
        return keywords

    def build(self, node: Node, recipe: Callable[..., Any], *arguments: Any, **keywords: Any) -> Schedule:
        """Return the result of a call; what it refuses is reported at its place in the text."""
        try:
            plan = cast(Schedule, recipe(*arguments, **keywords))
        except TextError as error:
            place = _place_inside(node, error)
            raise TextError(str(error.problem), text=self.text, offset=place, hint=error.hint) from error
        except ArgumentError as error:
            place = _place_of_argument(node, error)
            raise TextError(error.worded(), text=self.text, offset=place, code=error.code) from error
        except GlidepathError as error:
            raise self.error(node, error.worded()) from error
        pieces, depth = self.measure(plan)
        if pieces > MAX_PIECES or depth > MAX_DEPTH:
            raise self.error(node, f"written out in full, this plan has {pieces} pieces, {depth} deep: simplify it")
        return plan

    def measure(self, thing: object) -> tuple[int, int]:
        """Count the pieces of a plan when everything is written out, and how deep they are nested."""
        if not isinstance(thing, (Schedule, tuple)):
            return 1 + (len(thing) // 10 if isinstance(thing, str) else 0), 0
        if id(thing) not in self.sizes:
            inside = vars(thing).values() if isinstance(thing, Schedule) else thing
            sizes = [self.measure(part) for part in inside]
            pieces = 1 + sum(size for size, _ in sizes)
            self.sizes[id(thing)] = thing, pieces, 1 + max((depth for _, depth in sizes), default=0)
        _, pieces, depth = self.sizes[id(thing)]
        return pieces, depth

    def error(self, node: Node, reason: str, hint: str = "") -> TextError:
        """Return an error that points at a node."""
        return TextError(reason, text=self.text, offset=node.place, hint=hint)


def _place_inside(node: Node, error: TextError) -> int:
    """Return the place of a mistake within a quoted text, such as a formula."""
    for argument in node.arguments if isinstance(node, CallNode) else ():
        if isinstance(argument, String) and argument.value == error.text:
            return argument.place + len("'") + error.offset
    return node.place


def _place_of_argument(node: Node, error: ArgumentError) -> int:
    """Return the place of the argument that a recipe does not take, or of the call if one is missing."""
    if isinstance(node, CallNode) and isinstance(error.argument, int):
        return node.arguments[error.argument].place
    if isinstance(node, CallNode):
        for (name, _), place in zip(node.keywords, node.keyword_places, strict=True):
            if name == error.argument:
                return place
    return node.place


def _hint(name: str) -> str:
    if name == "Set":
        return "Set(...) stands around the whole plan of a hyperparameter"
    if name in PLATEAUS:
        return "it depends on a metric: only in a study; in code, glidepath.torch.Plateau"
    if name in FOREIGN_RECIPES:
        return f"write {FOREIGN_RECIPES[name]}"
    return did_you_mean(name, NAMES, "`glidepath recipes` lists the names")
