"""Small optimizers and loops that the scheduler's tests share."""

import torch


def parameter(size=2):
    return torch.nn.Parameter(torch.ones(size))


def sgd(*rates, **options):
    """An SGD with one group for each rate."""
    return torch.optim.SGD([{"params": [parameter()], "lr": rate} for rate in rates or (0.1,)], lr=0.1, **options)


def rates(optimizer, key="lr"):
    return [group[key] for group in optimizer.param_groups]


def update(optimizer):
    """One update; returns the rates that it used."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optimizer.step()
    return rates(optimizer)


def used(optimizer, updates, scheduler=None):
    """The first group's rate in each of some updates, stepping `scheduler` after each if there is one."""
    used_rates = []
    for _ in range(updates):
        used_rates.append(float(update(optimizer)[0]))
        if scheduler is not None:
            scheduler.step()
    return used_rates
