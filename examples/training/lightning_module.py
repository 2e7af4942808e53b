"""A LightningModule as it is: its own steps, optimizer and hooks; the Trainer is left out, and so is its scheduler."""

import torch
from lightning.pytorch import LightningModule
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from glidepath.tasks.lightning import from_module

x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16


class Digits(LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, batch_idx):
        loss = functional.cross_entropy(self.network(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        scores = self.network(batch[0])
        self.log("val_accuracy", (scores.argmax(1) == batch[1]).double().mean())
        self.log("val_loss", functional.cross_entropy(scores, batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)]


def lightning_module(seed):
    train = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=32, shuffle=True, drop_last=True)
    validation = DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=200)
    return from_module(Digits(), train, validation, seed=seed, gradient_clip_val=1.0)
