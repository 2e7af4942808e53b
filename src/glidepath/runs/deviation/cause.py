"""The cause of a deviation, as data."""

from dataclasses import dataclass
from typing import Literal, final

CauseName = Literal[
    "still", "peak", "fast", "slow", "again", "ahead", "behind", "warmup", "length", "shape", "floor", "unknown"
]


@final
@dataclass(frozen=True)
class Cause:
    """What explains every row of a run that did not follow its plan.

    Args:
        name: of the kind.
        text: what happened, and a question that leads to the cure.
        number: the factor, length, warmup, floor, shift or step that explains the rows.
    """

    name: CauseName
    text: str
    number: float = 0.0

    def __str__(self) -> str:
        return self.text


UNKNOWN = Cause("unknown", "the cause is unknown")


def say_steps(count: int) -> str:
    """Return a count of steps in words.

    >>> say_steps(1), say_steps(12)
    ('one step', '12 steps')
    """
    return "one step" if count == 1 else f"{count} steps"


def tell_apart(first: float, second: float, fewest: int = 4) -> tuple[str, str]:
    """Return two numbers with as many digits as show that they differ.

    >>> tell_apart(0.003, 0.001), tell_apart(0.00300004, 0.003)
    (('0.003', '0.001'), ('0.00300004', '0.003'))
    """
    for digits in range(fewest, 18):
        texts = (f"{first:.{digits}g}", f"{second:.{digits}g}")
        if texts[0] != texts[1]:
            return texts
    return repr(first), repr(second)
