"""`parse`: from the text of a schedule to the schedule, without running code.

The names that a text may use are those of `NAMES` below, nothing else; bare durations (2%, 3ep, 10k) stand where
Python needs quotes.
"""

from collections.abc import Callable
from typing import Any

from . import recipes
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
from .errors import GlidepathError, TextError

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
    """The schedule that a text describes.

    Args:
        text: as `repr` prints it, or with bare durations: "warmup(2%) >> constant() >> cosine(20%, to=0.1)".

    Raises:
        TextError: with a caret under the place, the reason, and the nearest valid name.

    Examples:
        >>> parse("warmup(5%) >> cosine(95%)").over(1000)
        warmup(50) >> cosine(950)
    """
    node = tree(text)
    builder = _Builder(text)
    plan = builder.plan(node)
    if len(repr(plan)) > MAX_LENGTH:
        raise builder.error(node, f"written out in full, this plan is longer than {MAX_LENGTH} characters")
    return plan


MAX_PIECES = 50_000


class _Builder:
    """Turns nodes into schedules; keeps the text so that an error can point into it.

    Some recipes use their plan twice, and a few of them within each other make a plan that is small in memory and
    endless when it is written out, so the pieces are counted as they are built.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.measured: dict[int, tuple[object, int, int]] = {}  # by id: the piece, kept alive, its size and its depth

    def plan(self, node: Node) -> Schedule:
        value = self.value(node)
        if not isinstance(value, Schedule):
            raise self.error(node, f"a schedule belongs here, not {value!r}", "a recipe is a call, as in cosine(100)")
        return value

    def value(self, node: Node) -> Any:
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
                return self.built(node, cut, self.plan(inner), bounds[0] or 0, bounds[1])
            case Chain(parts=parts):
                return self.built(node, sequence, *(self.plan(part) for part in parts))
            case Infix():
                return self.infix(node)
            case Name(name=name) if name in NAMES:
                raise self.error(node, f"{name} is a recipe and needs its arguments", f"as in {name}(...)")
            case Name(name=name):
                raise self.error(node, f"unknown name {name!r}", _nearest(name))
        raise self.error(node, "this has no place in a schedule")

    def negative(self, node: Node, value: Any) -> Any:
        if not is_number(value):
            raise self.error(node, "only a number can be negative here")
        return -value

    def infix(self, node: Infix) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if node.symbol in "+*" and (isinstance(left, Schedule) or isinstance(right, Schedule)):
            return self.built(node, lambda: left * right if node.symbol == "*" else left + right)
        if node.symbol in "+-*/" and is_number(left) and is_number(right):
            return self.number(node, left, right)
        raise self.error(node, f"{node.symbol} does not join {left!r} and {right!r}", "plans are joined by >>, * and +")

    def number(self, node: Infix, left: float, right: float) -> float:
        """Arithmetic on plain numbers, so that 3e-4 * 2 or 1/3 can be written."""
        if node.symbol == "/" and right == 0:
            raise self.error(node, "this divides by zero")
        operations = {"+": left + right, "-": left - right, "*": left * right}
        return operations[node.symbol] if node.symbol != "/" else left / right

    def call(self, node: CallNode) -> Schedule:
        build = NAMES.get(node.name)
        if build is None:
            raise self.error(node, f"unknown name {node.name!r}", _nearest(node.name))
        arguments = [self.value(argument) for argument in node.arguments]
        keywords = {name: self.value(value) for name, value in node.keywords}
        return self.built(node, build, *arguments, **keywords)

    def built(self, node: Node, build: Callable[..., Schedule], *arguments: Any, **keywords: Any) -> Schedule:
        """The result of a call; whatever it refuses is reported at the place of `node`."""
        try:
            plan = build(*arguments, **keywords)
        except TextError as error:
            place = _place_inside(node, error)
            raise TextError(str(error.problem), text=self.text, offset=place, hint=error.hint) from error
        except GlidepathError as error:
            raise self.error(node, error.worded()) from error
        except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
            raise self.error(node, _plain(error)) from error
        pieces, depth = self.measure(plan)
        if pieces > MAX_PIECES or depth > MAX_DEPTH:
            raise self.error(node, f"written out in full, this plan has {pieces} pieces, {depth} deep: simplify it")
        return plan

    def measure(self, thing: object) -> tuple[int, int]:
        """How many pieces a plan has when everything is written out, and how deep they are nested."""
        if not isinstance(thing, (Schedule, tuple)):
            return 1 + (len(thing) // 10 if isinstance(thing, str) else 0), 0
        if id(thing) not in self.measured:
            inside = vars(thing).values() if isinstance(thing, Schedule) else thing
            measured = [self.measure(part) for part in inside]
            pieces = 1 + sum(size for size, _ in measured)
            self.measured[id(thing)] = thing, pieces, 1 + max((depth for _, depth in measured), default=0)
        _, pieces, depth = self.measured[id(thing)]
        return pieces, depth

    def error(self, node: Node, reason: str, hint: str = "") -> TextError:
        return TextError(reason, text=self.text, offset=node.place, hint=hint)


def _place_inside(node: Node, error: TextError) -> int:
    """The place of a mistake within a quoted text, such as a formula."""
    for argument in node.arguments if isinstance(node, CallNode) else ():
        if isinstance(argument, String) and argument.value == error.text:
            return argument.place + len("'") + error.offset
    return node.place


def _nearest(name: str) -> str:
    return did_you_mean(name, NAMES, "`glidepath recipes` lists the names")


def _plain(error: Exception) -> str:
    """Python's own words about wrong arguments, without the private name of the class."""
    return str(error).removeprefix("draftable.<locals>.")
