"""Exponential decay: learning_rate * decay_rate ** (global_step / decay_steps), smooth and as a staircase."""

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
smooth = gp.exponential(every=20, factor=0.5)
staircase = gp.step(every=20, factor=0.5)
Scheduler(optimizer, smooth)
for epoch in range(100):
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), [LR * staircase(epoch) for epoch in range(100)], color="b")

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("exponential_decay.png")
