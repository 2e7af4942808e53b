"""`glidepath plot`: plans as a figure."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath import plot as figures
from glidepath.core.errors import GlidepathError
from glidepath.core.schedule import Draft, Schedule
from glidepath.text import parse
from glidepath.ticks import step_text

from .horizon import ONE_RUN, Run, own_length, resolved


def plot(
    *plans: str,
    run: Run = ONE_RUN,
    output: Annotated[Path, Parameter(alias="-o")] = Path("schedule.png"),
    log: bool = False,
    side_by_side: bool = False,
    width: str = "page",
    title: str = "",
    value_label: str = "value",
) -> None:
    """One or more plans as a figure: PNG, SVG or PDF.

    Parameters
    ----------
    plans
        Schedules, as text; name=plan gives one a name in the legend.
    output
        The file to write; its ending chooses the format.
    log
        A logarithmic value axis.
    side_by_side
        An axis for each plan, instead of all in one.
    width
        page (two columns of a paper), column (one), or inches.
    title
        A line above the figure.
    value_label
        The name of the value axis, as in "learning rate".
    """
    figures.known_format(output)
    named = _named(plans)
    if not run.steps:
        run = run.with_steps(_common_length(list(named.values())))
    over = {name: resolved(plan, run) for name, plan in named.items()}
    steps = next(iter(over.values()))[1]
    figure = figures.plot(
        {name: plan for name, (plan, _) in over.items()},
        steps,
        log=log,
        side_by_side=side_by_side,
        title=title,
        width=_width(width),
        value_label=value_label,
    )
    print(f"wrote {figures.save(figure, output)}: {step_text(steps)} steps")


def _named(texts: tuple[str, ...]) -> dict[str, Schedule]:
    """The plans by name; a plan without one is called by its text, or by nothing if it stands alone."""
    if not texts:
        raise GlidepathError('there is no plan to draw: give one, as in glidepath plot "cosine(1000)"')
    pairs = [_name_and_plan(text) for text in texts]
    names = [name or ("" if len(pairs) == 1 else text) for name, text in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise GlidepathError(f"two plans are called {twice!r}: give them names, as in first={pairs[0][1]!r}")
    return {name: parse(text) for name, (_, text) in zip(names, pairs, strict=True)}


def _name_and_plan(text: str) -> tuple[str, str]:
    """Apart, if there is a name: an equals sign within a plan always follows a parenthesis."""
    name, sign, rest = text.partition("=")
    return (name.strip(), rest.strip()) if sign and "(" not in name else ("", text)


def _common_length(plans: list[Schedule]) -> int:
    """The longest length of plans that have one; if none has, the first one's complaint."""
    known = [plan.duration for plan in plans if not isinstance(plan, Draft) and plan.duration]
    return max(known) if known else own_length(plans[0])


def _width(text: str) -> figures.Width:
    if text in ("page", "column"):
        return text  # type: ignore[return-value]
    try:
        return float(text)
    except ValueError:
        raise GlidepathError(f"a width is page, column or a number of inches, not {text!r}") from None
