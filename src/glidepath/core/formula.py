"""Custom decays: a formula in `step` as text, or a Python function.

The formula is parsed and computed by this file alone, never evaluated as code, and follows IEEE 754: 0/0 is NaN,
1/0 is infinite, and neither is an error until a review or a scheduler meets it.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

from glidepath.errors import ScheduleError, TextError

from .curves import Leaf
from .namespace import SCALAR
from .printing import Call
from .schedule import Schedule
from .syntax import CallNode, Infix, Name, Negative, Node, Number, tree

CONSTANTS = {"pi": math.pi, "e": math.e}


def _ieee(
    function: Callable[..., float], at_pole: float = math.nan, overflow: float = math.inf
) -> Callable[..., float]:
    """Return `function` with NaN where Python raises, `at_pole` at zero, `overflow` where a result is too large."""

    def safe(*values: float) -> float:
        try:
            return float(function(*values))
        except OverflowError:
            return overflow
        except ValueError:
            return at_pole if values == (0.0,) else math.nan

    return safe


def _power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        return math.inf
    if a < 0 and math.isfinite(b) and not float(b).is_integer():
        return math.nan
    overflow = -math.inf if a < 0 and b % 2 == 1 else math.inf
    return _ieee(math.pow, overflow=overflow)(a, b)


def _round_with(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _floor_divide(a: float, b: float) -> float:
    return a // b if b != 0 else SCALAR.divide(a, b)


def _modulo(a: float, b: float) -> float:
    return a % b if b != 0 and math.isfinite(a) else math.nan


def _min(a: float, b: float) -> float:
    return math.nan if math.isnan(a) or math.isnan(b) else min(a, b)


def _max(a: float, b: float) -> float:
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": SCALAR.divide,
    "//": _floor_divide,
    "%": _modulo,
    "**": _power,
}

# name: (number of arguments, scalar function, name in the array frameworks)
FUNCTIONS: dict[str, tuple[int, Callable[..., float], str]] = {
    "sin": (1, _ieee(math.sin), "sin"),
    "cos": (1, _ieee(math.cos), "cos"),
    "tan": (1, _ieee(math.tan), "tan"),
    "tanh": (1, math.tanh, "tanh"),
    "exp": (1, _ieee(math.exp), "exp"),
    "log": (1, _ieee(math.log, -math.inf), "log"),
    "log2": (1, _ieee(math.log2, -math.inf), "log2"),
    "log10": (1, _ieee(math.log10, -math.inf), "log10"),
    "sqrt": (1, _ieee(math.sqrt), "sqrt"),
    "abs": (1, abs, "abs"),
    "floor": (1, _round_with(math.floor), "floor"),
    "ceil": (1, _round_with(math.ceil), "ceil"),
    "min": (2, _min, "minimum"),
    "max": (2, _max, "maximum"),
}

Compiled = Callable[[Any, Any], Any]  # (framework module or None for scalars, step) -> value


@final
@dataclass(frozen=True, repr=False)
class Formula(Leaf):
    """An expression in `step`, with the constants, operators and functions listed in this file."""

    name: ClassVar[str] = "formula"
    expression: str

    def __post_init__(self) -> None:
        self.__dict__["_compiled"] = _compile(tree(self.expression), self.expression)
        self._set(expression=" ".join(self.expression.split()))

    @property
    def duration(self) -> None:
        return None

    def _at(self, xp: Any, k: Any) -> Any:
        if xp is SCALAR:
            return self.__dict__["_compiled"](None, float(k))
        value = self._on_array(xp.module, xp.full(k, 0.0) + k)
        return value if hasattr(value, "dtype") else xp.full(k, value)

    def _on_array(self, module: Any, step: Any) -> Any:
        if module.__name__ != "numpy":
            return self.__dict__["_compiled"](module, step)
        with module.errstate(all="ignore"):
            return self.__dict__["_compiled"](module, step)

    def __getstate__(self) -> dict[str, Any]:
        return {"expression": self.expression}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()


@final
@dataclass(frozen=True, repr=False)
class Function(Schedule):
    """A Python function from step to value. It has no text, and equals only itself."""

    function: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ScheduleError(f"formula takes a text or a function of the step, not {self.function!r}")

    @property
    def duration(self) -> None:
        return None

    def _at(self, xp: Any, k: Any) -> Any:
        return xp.each(self._value, k)

    def _value(self, k: int) -> float:
        try:
            return float(self.function(k))
        except Exception as error:
            raise ScheduleError(f"{self!r} raised {type(error).__name__} at step {k}: {error}") from error

    def _call(self) -> Call:
        return Call("formula", (self.function,))


def _compile(node: Node, text: str) -> Compiled:
    """Return a function that computes `node`; everything it can do was named when it was built."""
    match node:
        case Number(value=value):
            constant = float(value)
            return lambda xp, step: constant
        case Name(name="step"):
            return lambda xp, step: step
        case Name(name=name) if name in CONSTANTS:
            number = CONSTANTS[name]
            return lambda xp, step: number
        case Negative(inner=inner):
            operand = _compile(inner, text)
            return lambda xp, step: -operand(xp, step)
        case Infix(symbol=symbol) if symbol in OPERATORS:
            return _infix(symbol, _compile(node.left, text), _compile(node.right, text))
        case CallNode(name=name) if name in FUNCTIONS:
            return _function(node, text)
    raise TextError(_unknown(node), text=text, offset=node.place, hint=_list_allowed())


def _infix(symbol: str, left: Compiled, right: Compiled) -> Compiled:
    scalar, array = OPERATORS[symbol], _ARRAY_OPERATORS[symbol]
    return lambda xp, step: (scalar if xp is None else array)(left(xp, step), right(xp, step))


def _function(node: CallNode, text: str) -> Compiled:
    arity, scalar, array = FUNCTIONS[node.name]
    if len(node.arguments) != arity or node.keywords:
        raise TextError(f"{node.name} takes {arity} argument{'s' * (arity > 1)}", text=text, offset=node.place)
    operands = [_compile(argument, text) for argument in node.arguments]

    def compute(xp: Any, step: Any) -> Any:
        values = [operand(xp, step) for operand in operands]
        if xp is None or not any(hasattr(value, "dtype") for value in values):
            return scalar(*values)
        return getattr(xp, array)(*(value if hasattr(value, "dtype") else step * 0 + value for value in values))

    return compute


def _on_arrays(symbol: str) -> Callable[[Any, Any], Any]:
    scalar, array = OPERATORS[symbol], _PYTHON_OPERATORS[symbol]
    return lambda a, b: (array if hasattr(a, "dtype") or hasattr(b, "dtype") else scalar)(a, b)


_PYTHON_OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_ARRAY_OPERATORS = {symbol: _on_arrays(symbol) for symbol in OPERATORS}


def _unknown(node: Node) -> str:
    name = getattr(node, "name", None)
    return f"unknown name {name!r} in a formula" if name else "this has no place in a formula"


def _list_allowed() -> str:
    return f"a formula knows step, {', '.join(CONSTANTS)}, {', '.join(OPERATORS)} and {', '.join(FUNCTIONS)}"
