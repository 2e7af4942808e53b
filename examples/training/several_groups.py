"""Parameter groups with names: each may have a rate and a schedule of its own."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


def several_groups(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    backbone = {"name": "backbone", "params": model[0].parameters(), "lr": 1e-3}
    head = {"name": "head", "params": model[3].parameters(), "lr": 1e-2}
    optimizer = torch.optim.AdamW([backbone, head])

    def batch(step):
        rows = torch.randint(1400, (32,), generator=torch.Generator().manual_seed(1_000_000 * seed + step))
        return x[rows], y[rows]

    def loss(model, batch):
        return functional.cross_entropy(model(batch[0]), batch[1])

    return Task(model, optimizer, batch, loss, evaluate=lambda model: loss(model, (x[1400:], y[1400:])))
