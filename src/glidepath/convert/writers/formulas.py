"""A formula's text in another dialect: its tree, written again with that dialect's functions."""

from glidepath.core.formula import Formula
from glidepath.core.syntax import CallNode, Infix, Name, Negative, Node, Number, tree

from .dialect import Dialect
from .expression import ATOM, POWER, PRODUCT, SUM, Expression

BINDS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT}
ROUNDING = ("//", "%")  # a * (b % c) is not a * b % c: what holds them is put in parentheses, as a sum is
CONSTANTS = {"e": "2.718281828459045"}


def rewrite_formula(leaf: Formula, k: Expression, dialect: Dialect) -> Expression:
    """Rewrite a formula at step `k`, which a framework is to take as a float: its integers overflow."""
    step = k if dialect.uses_if else Expression(f"1.0 * {k.within(PRODUCT)}", SUM)
    return _rewrite(tree(leaf.expression), step, dialect)


def _rewrite(node: Node, step: Expression, dialect: Dialect) -> Expression:
    match node:
        case Number(value=value):
            return Expression(repr(value))
        case Name(name="step"):
            return step
        case Name(name="pi"):
            return dialect.pi
        case Name(name=name):
            return Expression(CONSTANTS[name])
        case Negative(inner=inner):
            return Expression(f"-{_rewrite(inner, step, dialect).within(POWER)}", SUM)
        case Infix(symbol=symbol, left=left, right=right):
            return _infix(symbol, _rewrite(left, step, dialect), _rewrite(right, step, dialect))
        case CallNode(name=name, arguments=arguments):
            return _function(name, [_rewrite(argument, step, dialect) for argument in arguments], dialect)
    raise TypeError(f"{node!r} is not a part of a formula")


def _infix(symbol: str, left: Expression, right: Expression) -> Expression:
    if symbol == "**":
        return Expression(f"{left.within(ATOM)} ** {right.within(POWER)}", POWER)
    binds = BINDS[symbol]
    text = f"{left.within(binds)} {symbol} {right.within(binds + 1)}"
    return Expression(text, SUM if symbol in ROUNDING else binds)


def _function(name: str, arguments: list[Expression], dialect: Dialect) -> Expression:
    if name == "min":
        return dialect.smaller(*arguments)
    if name == "max":
        return dialect.larger(*arguments)
    if name == "abs":
        return Expression(f"abs({arguments[0].text})")
    return dialect.call(name, *arguments)
