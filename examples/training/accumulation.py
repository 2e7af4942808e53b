"""Gradient accumulation: one update from several micro-batches."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16

MICRO_BATCHES = 4


def accumulation(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def batch(number):
        rows = torch.randint(1400, (8,), generator=torch.Generator().manual_seed(1_000_000 * seed + number))
        return x[rows], y[rows]

    def update(step):
        optimizer.zero_grad()
        total = torch.zeros(())
        for number in range(step * MICRO_BATCHES, (step + 1) * MICRO_BATCHES):
            pixels, labels = batch(number)
            loss = functional.cross_entropy(model(pixels), labels) / MICRO_BATCHES
            loss.backward()
            total += loss.detach()
        optimizer.step()
        return total

    def evaluate(model):
        return functional.cross_entropy(model(x[1400:]), y[1400:])

    return Task(model, optimizer, evaluate=evaluate, update=update)
