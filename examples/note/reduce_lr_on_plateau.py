"""ReduceLROnPlateau with all nine parameters of the note: a loss that falls, then stays."""

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
scheduler = lr_scheduler.ReduceLROnPlateau(
    optimizer,
    mode="min",
    factor=0.1,
    patience=10,
    verbose=False,
    threshold=0.0001,
    threshold_mode="rel",
    cooldown=0,
    min_lr=0,
    eps=1e-08,
)
for epoch in range(100):
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    loss = max(1.0 - 0.02 * epoch, 0.4)
    scheduler.step(loss)
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("reduce_lr_on_plateau.png")
