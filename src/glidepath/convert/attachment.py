"""A schedule that was read, attached to an optimizer: `Conversion.attach`."""

import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

from glidepath.core.assignment import Set
from glidepath.core.schedule import Schedule
from glidepath.errors import Argument, ConvertError, Cure
from glidepath.torch import Scheduler
from glidepath.torch.update_counts import counts_updates

from .conversion import Conversion


def attach(conversion: Conversion, optimizer: Any, **options: Any) -> Scheduler:
    """Build the scheduler that goes on where the source stands: see `Conversion.attach`."""
    groups, plans = optimizer.param_groups, conversion.schedules
    steps, updates = conversion.position, conversion.updates
    if steps and updates is not None and not counts_updates(steps, updates):
        raise ConvertError(
            f"{conversion.source} was stepped {steps:,} times in {updates:,} updates, so its steps are not updates",
            cures=[
                Cure('write its lengths in epochs, as in cosine("30ep"), for a Scheduler', Argument("horizon")),
                Cure("begin it at update 0, dataclasses.replace(conversion, position=0, updates=None)"),
            ],
        )
    if len(plans) != len(groups) and conversion.bases != (1.0,):
        raise ConvertError(f"{conversion.source} has {len(plans)} parameter groups, and this optimizer {len(groups)}")
    others = {name: _per_group([Set(plan) for plan in row], groups) for name, row in conversion.others.items()}
    keywords: dict[str, Any] = {"position": steps, **options, **others}
    if conversion.bases == (1.0,):  # rates already, or shares of the optimizer's own
        plan = conversion.schedule if conversion.shares else Set(conversion.schedule)
        return Scheduler(optimizer, plan, **keywords)
    return Scheduler(optimizer, _per_group(plans, groups), **{"base": list(conversion.bases), **keywords})


def _per_group(plans: Sequence[Schedule | Set], groups: Sequence[Any]) -> Any:
    """Return one plan for all groups, or each group's own, chosen by identity."""
    if len(set(plans)) == 1:
        return plans[0]
    return {partial(operator.is_, group): plan for group, plan in zip(groups, plans, strict=True)}
