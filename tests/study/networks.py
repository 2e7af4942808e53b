"""Small real networks with everything that makes resuming hard; the tests copy this file to where they run.

The GPT draws dropout masks from PyTorch's global random numbers. The CNN has batch normalisation (buffers), dropout, a
buffer that its state leaves out, and images that are augmented by draws from Python's and NumPy's global numbers.
"""

import functools
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from glidepath.tasks import Task

TEXT = b"the quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. " * 40


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(128, 24)
        self.block = nn.TransformerEncoderLayer(24, 2, 48, dropout=0.1, batch_first=True)
        self.head = nn.Linear(24, 128)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.head(self.block(self.embedding(x), src_mask=mask, is_causal=True))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.last = nn.Linear(8 * 36, 10)
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x):
        if self.training:
            self.seen += 1
        hidden = functional.dropout(functional.relu(self.norm(self.first(x))), 0.2, self.training)
        return self.last(hidden.flatten(1)) * (1 + 0.001 * self.seen)


def optimizer_of(kind, model):
    if kind == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=3e-3)
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def gpt(seed, kind):
    torch.manual_seed(seed)
    model, text = GPT(), torch.frombuffer(bytearray(TEXT), dtype=torch.uint8).long()

    def windows(generator):
        places = torch.randint(len(text) - 17, (4,), generator=generator)
        return text[places[:, None] + torch.arange(17)]

    def loss(model, window):
        return functional.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())

    batch = lambda step: windows(torch.Generator().manual_seed(10_000 * seed + step))
    evaluate = lambda model: {"loss": loss(model, windows(None)).item()}  # draws global numbers, as careless tasks do
    return Task(model, optimizer_of(kind, model), batch, loss, evaluate)


@functools.cache
def images():
    pixels, labels = load_digits(return_X_y=True)
    return torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(labels)


def cnn(seed, kind):
    torch.manual_seed(seed)
    model, (x, y) = CNN(), images()

    def batch(step):
        chosen = np.random.default_rng((seed, step)).integers(1500, size=8)
        return x[chosen], y[chosen]

    def loss(model, batch):
        pixels, labels = batch
        if model.training:
            pixels = pixels.roll(random.choice([-1, 0, 1]), 3) + 0.1 * torch.from_numpy(np.random.rand(8, 8)).float()
        return functional.cross_entropy(model(pixels), labels)

    return Task(model, optimizer_of(kind, model), batch, loss, lambda model: loss(model, (x[1500:], y[1500:])).item())


gpt_adamw = functools.partial(gpt, kind="adamw")
gpt_sgd = functools.partial(gpt, kind="sgd")
cnn_adamw = functools.partial(cnn, kind="adamw")
cnn_sgd = functools.partial(cnn, kind="sgd")
