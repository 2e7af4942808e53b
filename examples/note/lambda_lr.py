"""LambdaLR: the rate is LR * sin(epoch) / epoch. At epoch 0 that is 0 / 0, so Glidepath warns and continues."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from torch import randn
from torch.nn import Linear
from torch.optim import Adam

from glidepath.torch import lr_scheduler

lr_list = []
LR = 0.01
model = Linear(4, 2)
optimizer = Adam(model.parameters(), lr=LR)


def lambda1(epoch):
    return np.sin(epoch) / epoch


scheduler = lr_scheduler.LambdaLR(optimizer, lr_lambda=lambda1)
for epoch in range(100):
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    scheduler.step()
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("lambda_lr.png")
