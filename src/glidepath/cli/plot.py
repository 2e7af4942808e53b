"""`glidepath plot`: plans as a figure."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from glidepath import plot as figures
from glidepath.core.schedule import Draft, Schedule
from glidepath.errors import GlidepathError
from glidepath.ticks import step_text

from .options.horizon import OWN_LENGTH, RunLength, own_length, resolve_plan
from .options.plans import parse_plans


def plot(
    *plans: str,
    run: RunLength = OWN_LENGTH,
    output: Annotated[Path, Parameter(alias="-o")] = Path("schedule.png"),
    log: bool = False,
    side_by_side: bool = False,
    width: str = "page",
    title: str = "",
    value_label: str = "value",
) -> None:
    """Draw one or more plans as a figure: PNG, SVG or PDF.

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
    figures.check_format(output)
    schedules = _parse_plans(plans)
    if not run.steps:
        run = run.with_steps(_common_length(list(schedules.values())))
    curves = {name: resolve_plan(plan, run) for name, plan in schedules.items()}
    steps = next(iter(curves.values()))[1]
    figure = figures.plot(
        {name: plan for name, (plan, _) in curves.items()},
        steps,
        log=log,
        side_by_side=side_by_side,
        title=title,
        width=_width(width),
        value_label=value_label,
    )
    print(f"wrote {figures.save(figure, output)}: {step_text(steps)} steps")


def _parse_plans(texts: tuple[str, ...]) -> dict[str, Schedule]:
    """Return the plans by name; a single plan without a name is called ""."""
    if not texts:
        raise GlidepathError('there is no plan to draw: give one, as in glidepath plot "cosine(1000)"')
    plans = parse_plans(texts)
    return {"": plans[texts[0]]} if list(plans) == [texts[0]] else plans


def _common_length(plans: list[Schedule]) -> int:
    """Return the longest length of the plans that have a length; raise the error of the first plan if none has."""
    lengths = [plan.duration for plan in plans if not isinstance(plan, Draft) and plan.duration]
    return max(lengths) if lengths else own_length(plans[0])


def _width(text: str) -> figures.Width:
    if text in ("page", "column"):
        return text  # type: ignore[return-value]
    try:
        return float(text)
    except ValueError:
        raise GlidepathError(f"a width is page, column or a number of inches, not {text!r}") from None
