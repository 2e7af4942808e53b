"""`glidepath review`: mistakes that can be seen before the run."""

from glidepath.review import review as reviewed
from glidepath.text import parse

from .horizon import ONE_RUN, Run, own_length


def review(plan: str, /, *, run: Run = ONE_RUN) -> int:
    """Mistakes that can be seen before the run, each with its step, its number and its cure.

    Parameters
    ----------
    plan
        A schedule, as text.
    """
    known = parse(plan)
    findings = reviewed(known, run.horizon() or own_length(known))
    print(findings)
    return 1 if findings else 0
