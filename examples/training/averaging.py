"""An exponential moving average of the weights (EMA), which is what is evaluated."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


def averaging(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True).eval()

    def batch(step):
        rows = torch.randint(1400, (32,), generator=torch.Generator().manual_seed(1_000_000 * seed + step))
        return x[rows], y[rows]

    def update(step):
        pixels, labels = batch(step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(pixels), labels)
        loss.backward()
        optimizer.step()
        averaged.update_parameters(model)
        return loss

    def evaluate(model):
        return {
            "validation": functional.cross_entropy(averaged(x[1400:]), y[1400:]),
            "without averaging": functional.cross_entropy(model(x[1400:]), y[1400:]),
        }

    return Task(model, optimizer, evaluate=evaluate, update=update, carried={"averaged": averaged})
