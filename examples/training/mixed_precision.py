"""Mixed precision: float16 with a GradScaler on CUDA, bfloat16 (which needs no scaler) on the CPU."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

CUDA = torch.cuda.is_available()
DEVICE, LOW = ("cuda", torch.float16) if CUDA else ("cpu", torch.bfloat16)

x, y = (torch.tensor(part, device=DEVICE) for part in load_digits(return_X_y=True))
x = x.float() / 16


def mixed_precision(seed):
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scaler = torch.amp.GradScaler(DEVICE, enabled=CUDA)

    def batch(step):
        rows = torch.randint(1400, (32,), generator=torch.Generator().manual_seed(1_000_000 * seed + step))
        return x[rows], y[rows]

    def update(step):
        pixels, labels = batch(step)
        optimizer.zero_grad()
        with torch.autocast(DEVICE, LOW):
            loss = functional.cross_entropy(model(pixels), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    def evaluate(model):
        with torch.autocast(DEVICE, LOW):
            return functional.cross_entropy(model(x[1400:]), y[1400:])

    return Task(model, optimizer, evaluate=evaluate, update=update, carried={"scaler": scaler})
