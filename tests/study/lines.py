"""Tasks that train in milliseconds, good ones and bad ones; the tests copy this file to where they run."""

import torch
from torch.nn import functional

from glidepath.tasks import Task


def line(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.2), torch.nn.Linear(4, 1))
    groups = [{"params": model[0].parameters(), "lr": 0.05}, {"params": model[2].parameters()}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.5)

    def batch(step):
        x = torch.randn(8, 3, generator=torch.Generator().manual_seed(1000 * seed + step))
        return x, x.sum(1, keepdim=True)

    def loss(model, batch):
        return functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(model):
        return {
            "validation_loss": loss(model, batch(10_000)).item() + 0 * torch.rand(1).item(),
            "training": model.training,
        }

    return Task(model, optimizer, batch, loss, evaluate)


def breaks(seed):
    task = line(seed)

    def batch(step):
        if step == 3:
            raise ValueError("the third shard is missing")
        return task.batch(step)

    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)


def stops(seed):
    task = line(seed)

    def batch(step):
        if seed == 1 and step == 2:
            raise KeyboardInterrupt
        return task.batch(step)

    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)


def explodes(seed):
    task = line(seed)
    return Task(task.model, task.optimizer, task.batch, lambda m, b: task.loss(m, b) ** 3, task.evaluate)


def vector(seed):
    task = line(seed)
    return Task(task.model, task.optimizer, task.batch, lambda m, b: m(b[0]), task.evaluate)


def nothing(seed):
    line(seed)


def spied(seed):
    task = line(seed)

    def batch(step):
        with open("groups.txt", "a") as notes:
            print([group["lr"] for group in task.optimizer.param_groups], file=notes)
        return task.batch(step)

    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)


def counts(seed):
    task = line(seed)
    calls = iter(range(10**6))

    def batch(step):  # where it is depends on how often it was asked, which is no part of its state
        return task.batch(next(calls))

    return Task(task.model, task.optimizer, batch, task.loss, task.evaluate)
