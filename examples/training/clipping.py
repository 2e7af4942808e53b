"""Gradient clipping: between the backward pass and the update."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


def clipping(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)

    def batch(step):
        rows = torch.randint(1400, (32,), generator=torch.Generator().manual_seed(1_000_000 * seed + step))
        return x[rows], y[rows]

    def update(step):
        pixels, labels = batch(step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(pixels), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        return loss

    def evaluate(model):
        return functional.cross_entropy(model(x[1400:]), y[1400:])

    return Task(model, optimizer, evaluate=evaluate, update=update)
