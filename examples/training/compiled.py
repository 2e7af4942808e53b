"""`torch.compile`: the model compiled once; the optimizer as it is."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


def compiled(seed, backend="inductor"):
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    model = torch.compile(network, backend=backend, dynamic=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def batch(step):
        rows = torch.randint(1400, (32,), generator=torch.Generator().manual_seed(1_000_000 * seed + step))
        return x[rows], y[rows]

    def loss(model, batch):
        return functional.cross_entropy(model(batch[0]), batch[1])

    return Task(model, optimizer, batch, loss, evaluate=lambda model: loss(model, (x[1400:], y[1400:])))
