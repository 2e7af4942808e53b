"""An optimizer that knows the rates that it used, and what the tests of all frameworks expect of them."""

import torch

import glidepath as gp

PLAN = gp.warmup(3) >> gp.constant(2) >> gp.cosine(7, to=0.1)
DRAFT = "warmup(25%) >> constant() >> cosine(50%, to=0.1)"


class Seen(torch.optim.SGD):
    """An SGD that writes down the rates of all its groups at each update, from within the update."""

    def __init__(self, params, lr=0.1, **options):
        super().__init__(params, lr=lr, **options)
        self.used = []

    def step(self, closure=None):
        self.used.append([float(group["lr"]) for group in self.param_groups])
        return super().step(closure)


def expected(plan, start, stop, bases=(0.1,)):
    """The rates of updates `start` to `stop - 1`, exactly."""
    return [[base * plan(k) for base in bases] for k in range(start, stop)]


def two_groups(model):
    """The weight with a rate of 0.1, the bias with 0.02."""
    return Seen([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.02}], lr=0.1)


TWO = (0.1, 0.02)
