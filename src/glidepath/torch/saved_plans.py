"""Which plan a run goes on with after a state was loaded.

It is the one in the code, and a difference from the saved one is said; unless the saved plan had replaced the one in
the code on the living run (`Scheduler.replace`, `Scheduler.cooldown`): then the run follows the saved one further.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from glidepath.core.schedule import Schedule, waits
from glidepath.errors import GlidepathError, StateError, TextError
from glidepath.parser import parse_saved
from glidepath.prefix import common_prefix
from glidepath.warn import warn_caller

COMPARED = 10_000  # updates of two endless plans
WHOLE_NUMBER = re.compile(r"(?<![\w.])[0-9][0-9_]*(?![\w.])")
AGAIN = "call replace() or cooldown() again, or give that plan in the code"

OnChange = Literal["warn", "error", "saved"]


@final
@dataclass(frozen=True)
class SavedPlan:
    """What a state says about the plan of a target.

    Args:
        label: of the target.
        text: of the plan that was followed; None if it has a Python function in it.
        replaces: whether that plan had replaced the one in the code on the living run.
        before: text of the plan in the code that it replaced; None if that has a Python function in it.
    """

    label: str
    text: str | None
    replaces: bool
    before: str | None


def read_saved_plan(state: Mapping[str, Any], label: str) -> SavedPlan:
    """Read what a state says about the plan of a target."""
    replaced = state.get("replaced", {})
    return SavedPlan(label, state["plans"][label], label in replaced, replaced.get(label))


def text_of(plan: Schedule) -> str | None:
    """Return the text of a plan; None for a Python function."""
    try:
        return plan.text
    except TextError:
        return None


def choose_plan(
    saved: SavedPlan, code: Schedule, position: int, on_change: OnChange, *, other_batch: bool
) -> tuple[Schedule, bool]:
    """Return the plan to go on with, and whether it replaces the one in the code.

    Args:
        saved: what the state says.
        code: the plan in the code.
        position: updates made.
        on_change: what to do where the plans differ.
        other_batch: whether the saved plan counts updates of another batch than the code's.

    Raises:
        StateError: if the plans differ and `on_change` does not allow it, or the saved one is needed and is damaged.
    """
    if not saved.replaces:
        return (_compare_forms if other_batch else _compare)(saved, code, position, on_change), False
    if saved.text is None:
        problem = f"the plan of {saved.label} was replaced by one with a Python function, which no state holds"
        return _keep_code(f"{problem}: {AGAIN}", code, on_change), False
    if other_batch:
        problem = f"the plan of {saved.label} was replaced by {saved.text}, which counts updates of another batch"
        return _keep_code(f"{problem}: {AGAIN}", code, on_change), False
    if _is_replaced(saved, code):
        return _parse(saved.text, saved.label), True
    return _compare(saved, code, position, on_change), False


def _keep_code(problem: str, code: Schedule, on_change: OnChange) -> Schedule:
    """Return the plan in the code, and warn.

    Raises:
        StateError: if the saved plan is asked for, or a difference is not allowed.
    """
    if on_change != "warn":
        raise StateError(f'{problem}; on_change="warn" takes the code\'s plan')
    warn_caller(f"{problem}; resuming with the code's plan", "GP703")
    return code


def _is_replaced(saved: SavedPlan, code: Schedule) -> bool:
    """Return whether the plan in the code is the one that was replaced; Python functions are taken for one."""
    text = text_of(code)
    if saved.before is None or saved.before == text:
        return saved.before == text
    plan = _parse(saved.before, saved.label)
    return text is not None and not waits(plan) and _have_same_values(plan, code)


def _parse(text: str, label: str) -> Schedule:
    try:
        return parse_saved(text)
    except GlidepathError as error:
        raise StateError(f"the saved plan of {label} cannot be read: {error.worded()}") from error


def _compare(saved: SavedPlan, code: Schedule, position: int, on_change: OnChange) -> Schedule:
    """Return the plan to resume with, the code's or the saved one. Texts are compared first, then values."""
    text = text_of(code)
    if saved.text is None or saved.text == text or (text is None and not saved.replaces):
        return code
    try:
        before: Schedule | None = parse_saved(saved.text)
    except GlidepathError as error:
        if on_change == "saved":
            raise StateError(f"the saved plan cannot be read: {error.worded()}") from error
        before = None
    if before is not None and text is not None and not waits(before) and _have_same_values(before, code):
        return code
    problem = f"{saved.label} was saved with another plan: {saved.text} then, {text or repr(code)} in the code"
    if on_change == "error":
        raise StateError(f'{problem}; on_change="warn" takes the code\'s plan, "saved" the saved one')
    if on_change == "saved" and before is not None:
        return before
    values = ""
    if before is not None and not waits(before):
        values = f" ({before(position):g} then, {code(position):g} now at update {position})"
    warn_caller(f"{problem}{values}; resuming with the code's plan", "GP703")
    return code


def _compare_forms(saved: SavedPlan, code: Schedule, position: int, on_change: OnChange) -> Schedule:
    """Return the plan in the code; the saved one has other lengths, so all but whole numbers is compared."""
    text = text_of(code)
    if saved.text is None or text is None or WHOLE_NUMBER.sub("", saved.text) == WHOLE_NUMBER.sub("", text):
        return code
    problem = f"{saved.label} was saved with another plan, and another batch: {saved.text} then, {text} in the code"
    return _keep_code(problem, code, on_change)


def _have_same_values(first: Schedule, second: Schedule) -> bool:
    steps = max(first.duration or COMPARED, second.duration or COMPARED) + 1
    return common_prefix(first, second, steps) >= steps
