"""Mistakes that can be seen before a run: each with the step, the number and the cure.

One pass over the values notes what is strange (`seen.py`); the rules (`rules.py`) then judge the plan, its pieces and
what was noted.
"""

from dataclasses import dataclass
from typing import final

from glidepath.core.horizon import Horizon
from glidepath.core.schedule import Schedule

from .rules import RULES, jump, parentheses
from .rules import Finding as Finding
from .scan import Run


@final
@dataclass(frozen=True)
class Review:
    """What was found in a run of `steps` updates, in the order of the steps; true if anything was."""

    findings: tuple[Finding, ...]
    steps: int

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"nothing found in {self.steps:,} updates"
        return "\n".join(str(finding) for finding in self.findings)


def review(plan: Schedule, horizon: Horizon | int | str | None = None) -> Review:
    """Mistakes in a plan that can be seen before the run.

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
        step 600: the warmup takes 600 of 1000 updates, more than half of the run: shorten it [warmup]
    """
    run = Run.of(plan, horizon)
    found = {rule: rule(run) for rule in RULES}
    if found[parentheses]:
        found[jump] = None  # the same place, seen twice
    listed = sorted((finding for finding in found.values() if finding), key=lambda finding: finding.step)
    return Review(tuple(listed), run.steps)
