"""By hand: every five epochs the loop itself multiplies the rate by 0.9."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from torch import randn
from torch.nn import Linear
from torch.optim import Adam

lr_list = []
LR = 0.01
model = Linear(4, 2)
optimizer = Adam(model.parameters(), lr=LR)
for epoch in range(100):
    if epoch % 5 == 0:
        for group in optimizer.param_groups:
            group["lr"] *= 0.9
    optimizer.zero_grad()
    model(randn(8, 4)).pow(2).mean().backward()
    optimizer.step()
    lr_list.append(optimizer.state_dict()["param_groups"][0]["lr"])

plt.plot(range(100), lr_list, color="r")
plt.xlabel("epoch")
plt.ylabel("learning rate")
plt.savefig("by_hand.png")
