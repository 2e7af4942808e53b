"""From text to a tree: the one grammar that schedules and formulas share.

Nothing here knows what a name means; nothing is evaluated. Length, depth and the size of numbers are bounded before
anything recurses, so hostile text costs a bounded time.

    expression  = prefix { infix prefix }              infix, loosest first:  >>   + -   * / // %   (right) **
    prefix      = "-" prefix | postfix
    postfix     = primary { "[" [expression] ":" [expression] "]" }
    list        = "[" ... "]" | "(" expression "," ... ")"
    primary     = number | duration | string | list | "(" expression ")" | name [ "(" arguments ")" ]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

from glidepath.errors import TextError

from .duration import suggest_duration

MAX_LENGTH = 100_000
MAX_NESTING = 30  # parentheses within parentheses
MAX_DEPTH = 100  # of the tree, which rows of operators and cuts deepen too

BINDING = {">>": 1, "+": 2, "-": 2, "*": 3, "/": 3, "//": 3, "%": 3, "**": 5}
PREFIX_BINDING = 4

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<duration>[0-9]+(?:\.[0-9]+)?(?:%(?!\s*[\w(.])|[kMBT]?(?:ep|tok)\b|[kMBT]\b))
      | (?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<string>"[^"\\\n]*"|'[^'\\\n]*')
      | (?P<symbol>>>|\*\*|//|[-+*/%()\[\],:=])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Node:
    """A part of the text, and the place where it begins."""

    place: int


@final
@dataclass(frozen=True)
class Number(Node):
    value: int | float


@final
@dataclass(frozen=True)
class String(Node):
    """A quoted text, or a bare duration."""

    value: str


@final
@dataclass(frozen=True)
class Name(Node):
    name: str


@final
@dataclass(frozen=True)
class List(Node):
    items: tuple[Node, ...]


@final
@dataclass(frozen=True)
class CallNode(Node):
    """A call; `keyword_places` are those of the names of its keywords."""

    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]
    keyword_places: tuple[int, ...] = ()


@final
@dataclass(frozen=True)
class Slice(Node):
    inner: Node
    start: Node | None
    stop: Node | None


@final
@dataclass(frozen=True)
class Negative(Node):
    inner: Node


@final
@dataclass(frozen=True)
class Chain(Node):
    """Parts joined by `>>`, however many; `place` is that of the first operator."""

    parts: tuple[Node, ...]


@final
@dataclass(frozen=True)
class Infix(Node):
    """`place` is that of the operator."""

    symbol: str
    left: Node
    right: Node


class Token(NamedTuple):
    kind: str
    text: str
    place: int


def tree(text: str) -> Node:
    """Read the syntax tree of an expression.

    Raises:
        TextError: with the place and the reason, for anything that is not one expression.
    """
    if not isinstance(text, str):
        raise TextError(f"a schedule text is a str, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise TextError(f"the text is {len(text)} characters long; at most {MAX_LENGTH} are read")
    whole = _Reader(text, tuple(_tokens(text))).whole()
    _refuse_depth(whole, text)
    return whole


def _refuse_depth(whole: Node, text: str) -> None:
    """Refuse a tree that is too deep to be walked by recursion."""
    waiting = [(whole, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise TextError(f"more than {MAX_DEPTH} operations depend on each other here", text=text, offset=node.place)
        waiting += [(inner, depth + 1) for part in vars(node).values() for inner in _nodes(part)]


def _nodes(part: object) -> Iterator[Node]:
    if isinstance(part, Node):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _nodes(item)


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise TextError(_unreadable(text, place), text=text, offset=place, hint=_hint(text, place))
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match.group(), place)
        place = match.end()
    yield Token("end", "", len(text))


def _unreadable(text: str, place: int) -> str:
    character = text[place]
    if character in "\"'":
        return "this quote is not closed"
    if character.isdigit() or character == ".":
        return "this is neither a number nor a duration (500, 0.1, 1e-3, 10k, 5%, 3ep, 2Btok)"
    return f"unexpected {character!r}"


def _hint(text: str, place: int) -> str:
    if text[place] in "<>":
        return "schedules are joined by >>"
    word = re.match(r"[0-9._]+[A-Za-z]+", text[place : place + 40])
    return suggest_duration(word.group()) if word else ""


class _Reader:
    """A cursor over the tokens; one method for each rule of the grammar."""

    def __init__(self, text: str, tokens: tuple[Token, ...]) -> None:
        self.text, self.tokens, self.at, self.depth = text, tokens, 0, 0

    def whole(self) -> Node:
        if self.next.kind == "end":
            raise self.error("the text is empty")
        node = self.expression(0)
        if self.next.kind != "end":
            raise self.error(f"unexpected {self.next.text!r} after the end of the expression")
        return node

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def skip(self, symbol: str) -> bool:
        matches = self.next.kind == "symbol" and self.next.text == symbol
        self.at += matches
        return matches

    def expect(self, symbol: str, after: str) -> None:
        if not self.skip(symbol):
            actual = repr(self.next.text) if self.next.text else "the end of the text"
            raise self.error(f"expected {symbol!r} {after}, found {actual}")

    def error(self, reason: str) -> TextError:
        return TextError(reason, text=self.text, offset=self.next.place, hint=self.hint())

    def hint(self) -> str:
        """Return how to write the duration that was begun before the next token; empty if there is none."""
        *_, number, unit = [Token("end", "", 0)] * 2 + list(self.tokens[max(0, self.at - 2) : self.at])
        if unit.kind == "number" and self.next.kind == "name":
            return suggest_duration(unit.text + self.next.text)
        is_share = unit.text == "%" and number.kind in ("number", "duration")
        return f"did you mean {number.text.removesuffix('%')}%?" if is_share else ""

    def expression(self, binds: int) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error(f"the text is nested more than {MAX_NESTING} deep")
        left = self.prefix()
        while self.next.kind == "symbol" and BINDING.get(self.next.text, 0) > binds:
            symbol = self.take()
            if symbol.text == ">>":
                left = self.chain(left, symbol)
                continue
            strength = BINDING[symbol.text]
            right = self.expression(strength - 1 if symbol.text == "**" else strength)
            left = Infix(symbol.place, symbol.text, left, right)
        self.depth -= 1
        return left

    def chain(self, first: Node, symbol: Token) -> Node:
        parts = [first, self.expression(BINDING[">>"])]
        while self.skip(">>"):
            parts.append(self.expression(BINDING[">>"]))
        return Chain(symbol.place, tuple(parts))

    def prefix(self) -> Node:
        place = self.next.place
        if self.skip("-"):
            return Negative(place, self.expression(PREFIX_BINDING))
        node = self.primary()
        while self.skip("["):
            node = self.slice(place, node)
        return node

    def slice(self, place: int, inner: Node) -> Node:
        start = None if self.next.text == ":" else self.expression(0)
        self.expect(":", "in a cut, as in plan[:100]")
        stop = None if self.next.text == "]" else self.expression(0)
        self.expect("]", "to close the cut")
        return Slice(place, inner, start, stop)

    def primary(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return Number(token.place, self.number(token))
        if token.kind == "duration":
            return String(token.place, token.text)
        if token.kind == "string":
            return String(token.place, token.text[1:-1])
        if token.kind == "name":
            return self.call(token) if self.skip("(") else Name(token.place, token.text)
        if token.text == "(":
            return self.parenthesis(token)
        if token.text == "[":
            return List(token.place, tuple(self.items("]")))
        self.at -= token.kind != "end"
        raise self.error("something is missing here" if token.kind == "end" else f"unexpected {token.text!r}")

    def parenthesis(self, token: Token) -> Node:
        """Read an expression, or with a comma a list: Python's (10, 0.5) is our [10, 0.5]."""
        inner = self.expression(0)
        if self.skip(","):
            return List(token.place, (inner, *self.items(")")))
        self.expect(")", "to close the parenthesis")
        return inner

    def number(self, token: Token) -> int | float:
        digits = token.text.replace("_", "")
        if len(digits) > 40:
            raise TextError("this number is too long", text=self.text, offset=token.place)
        return int(digits) if digits.isdecimal() else float(digits)

    def items(self, end: str) -> Iterator[Node]:
        while not self.skip(end):
            yield self.expression(0)
            if not self.skip(","):
                self.expect(end, "or a comma")
                return

    def call(self, name: Token) -> Node:
        arguments: list[Node] = []
        keywords: list[tuple[str, Node]] = []
        places: list[int] = []
        while not self.skip(")"):
            if self.next.kind == "name" and self.tokens[self.at + 1].text == "=":
                places.append(self.next.place)
                keywords.append(self.keyword({k for k, _ in keywords}))
            elif keywords:
                raise self.error("a positional argument comes before the named ones")
            else:
                arguments.append(self.expression(0))
            if not self.skip(","):
                self.expect(")", f"or a comma in {name.text}(...)")
                break
        return CallNode(name.place, name.text, tuple(arguments), tuple(keywords), tuple(places))

    def keyword(self, previous: set[str]) -> tuple[str, Node]:
        if self.next.text in previous:
            raise self.error(f"{self.next.text} is given twice")
        name = self.take().text
        self.take()
        return name, self.expression(0)
