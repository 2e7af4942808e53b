"""A custom scheduler: a subclass with its own `get_lr`, here LR / (1 + 0.05 * epoch)."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from torch import randn
from torch.nn import Linear
from torch.optim import Adam

from glidepath.torch import lr_scheduler

lr_list = []
LR = 0.01
model = Linear(4, 2)
optimizer = Adam(model.parameters(), lr=LR)


class InverseTimeLR(lr_scheduler.LRScheduler):
    def __init__(self, optimizer, rate, last_epoch=-1):
        self.rate = rate
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [base / (1 + self.rate * self.last_epoch) for base in self.base_lrs]


scheduler = InverseTimeLR(optimizer, rate=0.05)
for epoch in range(100):
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    scheduler.step()
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("custom.png")
