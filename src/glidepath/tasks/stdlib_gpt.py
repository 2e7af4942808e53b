"""A language model of Python's own source: the task `stdlib_gpt`.

The text is the standard library of the Python that runs it, read byte by byte, so it is real text on every machine
and the same text in every run (another Python version has another text, and other losses). The model is a GPT of
0.12 million parameters: 2 layers, width 64, 4 heads, context 64.
"""

import functools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .task import Task

CONTEXT = 64
BATCH = 16
WIDTH = 64
HEADS = 4
LAYERS = 2
WINDOWS = 128  # validation windows, evenly spread


def stdlib_gpt(seed: int) -> Task:
    """Predict the next byte; AdamW at rate 0.003 with weight decay 0.1, batches of 16 windows of 64 bytes.

    Metric: `validation_loss`, mean cross-entropy in nats per byte over 128 fixed windows of files held out.

    Sources:
        Radford et al., 2019, GPT-2 (normalisation before each block, tied embedding),
        https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.
    """
    training, validation = _text()
    torch.manual_seed(seed)
    model = GPT()
    return Task(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1),
        batch=lambda step: _windows(training, _places(len(training), seed, step)),
        loss=_loss,
        evaluate=lambda model: {"validation_loss": _loss(model, _validation_windows(validation)).item()},
    )


class Block(nn.Module):
    """Attention over what came before, then a two-layer network; each is added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_network = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH)
        self.joined = nn.Linear(WIDTH, WIDTH)
        self.network = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.before_attention(x))
        y: Tensor = x + self.network(self.before_network(x))
        return y

    def attention(self, x: Tensor) -> Tensor:
        heads = self.queries_keys_values(x).unflatten(-1, (3, HEADS, -1)).transpose(1, 3)  # batch, head, 3, time, width
        q, k, v = heads.unbind(2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        joined: Tensor = self.joined(mixed.transpose(1, 2).flatten(2))
        return joined


class GPT(nn.Module):
    """Bytes (batch, time) to scores of the next byte (batch, time, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.places = nn.Embedding(256, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.last = nn.LayerNorm(WIDTH)
        for embedding in (self.bytes, self.places):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.bytes(x) + self.places.weight[: x.shape[1]]
        return functional.linear(self.last(self.blocks(hidden)), self.bytes.weight)


@functools.cache
def _text() -> tuple[Tensor, Tensor]:
    """Training and validation bytes: every tenth file of the sorted library is held out."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    training = (file for i, file in enumerate(files) if i % 10)
    return _bytes(training), _bytes(files[::10])


def _bytes(files: Iterable[Path]) -> Tensor:
    joined = b"\n".join(file.read_bytes() for file in files)
    return torch.frombuffer(bytearray(joined), dtype=torch.uint8)


def _places(size: int, seed: int, step: int) -> Tensor:
    """Where the windows of batch `step` begin, drawn from (seed, step)."""
    return torch.from_numpy(np.random.default_rng((seed, step)).integers(size - CONTEXT, size=BATCH))


def _windows(text: Tensor, places: Tensor) -> Tensor:
    """Windows of CONTEXT + 1 bytes: all but the last are read, all but the first are predicted."""
    return text[places[:, None] + torch.arange(CONTEXT + 1)].long()


def _validation_windows(text: Tensor) -> Tensor:
    return _windows(text, torch.linspace(0, len(text) - CONTEXT - 1, WINDOWS).long())


def _loss(model: nn.Module, windows: Tensor) -> Tensor:
    return functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
