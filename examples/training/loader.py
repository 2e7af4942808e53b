"""A custom loader with a state: its position is saved and restored with the weights."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


class Shuffled:
    """Batches of rows, every epoch in a new order."""

    def __init__(self, rows, size, seed):
        self.rows, self.size = rows, size
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.place = torch.empty(0, dtype=torch.long), 0

    def next(self):
        if self.place + self.size > len(self.order):
            self.order, self.place = torch.randperm(self.rows, generator=self.generator), 0
        self.place += self.size
        return self.order[self.place - self.size : self.place]

    def state_dict(self):
        return {"generator": self.generator.get_state(), "order": self.order, "place": self.place}

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"])
        self.order, self.place = state["order"], state["place"]


def loader(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rows = Shuffled(1400, 256, seed)

    def update(step):
        chosen = rows.next()
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
        return loss

    def evaluate(model):
        return functional.cross_entropy(model(x[1400:]), y[1400:])

    return Task(model, optimizer, evaluate=evaluate, update=update, carried={"rows": rows})
