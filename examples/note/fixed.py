"""A fixed rate: the same in every epoch."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from torch import randn
from torch.nn import Linear
from torch.optim import Adam

import glidepath as gp
from glidepath.torch import Scheduler

lr_list = []
LR = 0.01
model = Linear(4, 2)
optimizer = Adam(model.parameters(), lr=LR)
Scheduler(optimizer, gp.constant())
for epoch in range(100):
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("fixed.png")
