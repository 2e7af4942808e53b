"""A plan as a Python function of the step, in any dialect."""

import math
from typing import NamedTuple

from glidepath.core.schedule import Schedule
from glidepath.errors import NoFormulaError

from .branch import Branch
from .branches import write_branches
from .dialect import Dialect
from .expression import Expression
from .layout import write_body
from .local_step import LocalStep
from .prelude import Prelude

TABLE = "Its values are no formula here, so they are a table, one for each update."
LONGEST_TABLE = 20_000  # values; longer code is of no use


class Function(NamedTuple):
    """The lines of the body, and what stands before the function."""

    lines: list[str]
    before: list[str]
    is_table: bool

    def definition(self, signature: str) -> str:
        """Write the function as a definition."""
        return "\n".join([f"def {signature}:", *self.lines])

    def note(self, otherwise: str = "") -> str:
        """Return the note on it for above the code."""
        return TABLE if self.is_table else otherwise

    def uses(self, name: str) -> bool:
        """Return whether a module is called."""
        return any(f"{name}." in text for text in (*self.lines, *self.before))


def write_function(plan: Schedule, step: str, dialect: Dialect, factor: Expression) -> Function:
    """Write `factor` times the plan as a function of `step`.

    Raises:
        NoFormulaError: if only a table would do, and the plan has no end or too long a one.
    """
    prelude, is_table = Prelude(dialect), False
    try:
        branches = write_branches(plan, LocalStep(Expression(step)), prelude)
    except NoFormulaError as error:
        prelude, is_table = Prelude(dialect), True
        branches = _write_table(plan, step, prelude, error)
    scaled = [branch._replace(expression=factor * branch.expression) for branch in branches]
    return Function(write_body(scaled, step, dialect), list(prelude.blocks.values()), is_table)


def _write_table(plan: Schedule, step: str, prelude: Prelude, error: NoFormulaError) -> list[Branch]:
    """Write the plan's values, one for each update, and the one it holds past its end."""
    steps = plan.duration
    if steps is None or steps > LONGEST_TABLE:
        raise NoFormulaError(
            f"{error.worded()}, and a table takes a plan of at most {LONGEST_TABLE} updates: "
            "cut it, as in plan[:10_000]"
        ) from error
    values = plan.block(0, steps + 1)
    infinite = next((k for k, value in enumerate(values) if not math.isfinite(value)), None)
    if infinite is not None:
        raise NoFormulaError(f"{error.worded()}; update {infinite} would use {values[infinite]}") from error
    return [Branch(None, prelude.look_up(values, Expression(step)))]
