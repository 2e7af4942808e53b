"""Steps a real scheduler of another library, and compares every value that its updates use with what was read."""

import numpy as np
import torch

import glidepath as gp
from glidepath.errors import TextError

STEPS = 10_000


def optimizer(*rates, kind=torch.optim.SGD, **options):
    """One group for each rate."""
    momentum = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates or (0.1, 0.7)]
    return kind(groups, lr=0.1, **momentum, **options)


def stepped(scheduler, steps=STEPS, key="lr"):
    """A row for each update: what every group holds of a hyperparameter when it is made."""
    seen, groups = [], scheduler.optimizer.param_groups
    scheduler.optimizer.step()
    for k in range(steps):
        if k:
            scheduler.step()
        seen.append([_value(group, key) for group in groups])
    return np.array(seen)


def _value(group, key):
    return float(group["betas"][0]) if key == "betas[0]" else float(group[key])


def served(conversion, steps=STEPS, start=0):
    """The same rows by the schedules that were read."""
    columns = [
        base * np.array(plan.block(start, start + steps))
        for base, plan in zip(conversion.bases, conversion.schedules, strict=True)
    ]
    return np.stack(columns, axis=1)


def assert_same(mine, theirs, rel=1e-12):
    """Equal to 1e-12, relative, and near zero of the largest value."""
    np.testing.assert_allclose(mine, theirs, rtol=rel, atol=rel * np.abs(theirs).max())


def assert_read_back(*schedules):
    """Every schedule that has a text is read back from it; says whether all have one."""
    texts = 0
    for schedule in schedules:
        try:
            text = schedule.text
        except TextError:
            continue
        texts += 1
        assert gp.parse(text) == schedule
    return texts == len(schedules)
