"""A finding: the result of one rule, with the code under which `glidepath.codes` explains it."""

from dataclasses import dataclass
from typing import final

from glidepath.codes import CODES

CODE_OF_RULE = {row.name: code for code, row in CODES.items() if code.startswith("GP8")}


@final
@dataclass(frozen=True)
class Finding:
    """A mistake in a plan, or in the way a run followed it.

    Args:
        rule: that reports it, one of `CODE_OF_RULE`.
        step: the first update that it concerns.
        message: what is wrong, with the value, and what to do.

    Examples:
        >>> finding = Finding("warmup", 600, "the warmup takes 600 of 1000 updates: shorten it")
        >>> print(finding)
        step 600: the warmup takes 600 of 1000 updates: shorten it [GP807 warmup]
        >>> finding.code
        'GP807'
    """

    rule: str
    step: int
    message: str

    @property
    def code(self) -> str:
        """Return the code of the rule, a key of `glidepath.codes.CODES`."""
        return CODE_OF_RULE[self.rule]

    def __str__(self) -> str:
        return f"step {self.step}: {self.message} [{self.code} {self.rule}]"
