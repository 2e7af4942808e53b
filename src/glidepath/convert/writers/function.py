"""A plan as a Python function of the step, in any dialect."""

from typing import NamedTuple

from glidepath.core.schedule import Schedule
from glidepath.errors import ConvertError

from .clock import Clock
from .dialect import CannotWriteError, Dialect
from .expression import Expression
from .layout import body
from .piece import Piece, Pieces
from .pieces import pieces
from .prelude import Prelude

TABLE = "Its values are no formula here, so they are a table, one for each update."
LONGEST_TABLE = 20_000  # values; a longer one is no code that anybody keeps


class Function(NamedTuple):
    """The lines of the body, and what stands before the function."""

    lines: list[str]
    before: list[str]
    is_table: bool

    def defined(self, signature: str) -> str:
        """The function as a definition."""
        return "\n".join([f"def {signature}:", *self.lines])

    def note(self, otherwise: str = "") -> str:
        """What is told of it above the code."""
        return TABLE if self.is_table else otherwise

    def uses(self, name: str) -> bool:
        """Whether a module is called."""
        return any(f"{name}." in text for text in (*self.lines, *self.before))


def function(plan: Schedule, step: str, dialect: Dialect, factor: Expression) -> Function:
    """`factor` times the plan, as a function of `step`.

    Raises:
        ConvertError: if only a table would do, and the plan has no end or too long a one.
    """
    prelude, is_table = Prelude(dialect), False
    try:
        found = pieces(plan, Clock(Expression(step)), prelude)
    except CannotWriteError as error:
        prelude, is_table = Prelude(dialect), True
        found = _tabulated(plan, step, prelude, error)
    scaled = [piece._replace(expression=factor * piece.expression) for piece in found]
    return Function(body(scaled, step, dialect), list(prelude.blocks.values()), is_table)


def _tabulated(plan: Schedule, step: str, prelude: Prelude, error: CannotWriteError) -> Pieces:
    """The plan's values, one for each update, and what it holds past its end."""
    steps = plan.duration
    if steps is None or steps > LONGEST_TABLE:
        raise ConvertError(
            f"{error}, and a table takes a plan of at most {LONGEST_TABLE} updates: cut it, as in plan[:10_000]"
        )
    return [Piece(None, prelude.looked_up(plan.block(0, steps + 1), Expression(step)))]
