"""Mistakes that can be seen before a run: each with the step, the number and the cure.

One pass over the values notes what is unusual (`scan.py`); the rules (`rules.py`) then judge the plan, its pieces and
the notes.
"""

from dataclasses import dataclass
from typing import final

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule

from .finding import Finding as Finding
from .rules import RULES
from .scan import scan_plan


@final
@dataclass(frozen=True)
class Review:
    """The findings in a run of `steps` updates, in the order of their steps; true if there is any."""

    findings: tuple[Finding, ...]
    steps: int

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"nothing found in {self.steps:,} updates"
        return "\n".join(str(finding) for finding in self.findings)


def review(plan: Schedule, horizon: Horizon | int | str | None = None) -> Review:
    """Return the mistakes in a plan that can be seen before the run.

    Every update is looked at in runs of up to four million; in longer ones, blocks spread over the run.

    Args:
        plan: a schedule or a draft.
        horizon: the run; a schedule with an end needs none.

    Raises:
        HorizonError: if there is no horizon and the plan needs one, or the draft does not fit it.

    Examples:
        >>> from glidepath import constant, cosine, warmup
        >>> print(review(warmup("5%") >> cosine("95%"), 10_000))
        nothing found in 10,000 updates
        >>> print(review(warmup(600) >> cosine(400)))
        step 600: the warmup takes 600 of 1000 updates, more than half of the run: shorten it [GP807 warmup]
    """
    run = scan_plan(plan, horizon)
    problems = {rule: check(run) for rule, check in RULES.items()}
    if problems["parentheses"]:
        problems["jump"] = None  # the same place, reported by the more precise rule
    findings = [Finding(rule, problem.step, problem.message) for rule, problem in problems.items() if problem]
    return Review(tuple(sorted(findings, key=lambda finding: finding.step)), run.steps)
