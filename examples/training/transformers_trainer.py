"""A Hugging Face Trainer as it is: a tiny GPT-2 on Python's own source, with accumulation and clipping."""

import argparse
import tempfile
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from glidepath.tasks.transformers import from_trainer

text = torch.tensor(list(Path(argparse.__file__).read_bytes()))
rows = [{"input_ids": row, "labels": row} for row in text.split(32)[:-1]]


def trainer(seed):
    shape = GPT2Config(vocab_size=256, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    settings = TrainingArguments(
        seed=seed,
        learning_rate=1e-2,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        max_grad_norm=0.5,
        dataloader_pin_memory=False,
        output_dir=tempfile.gettempdir(),
        report_to="none",
    )
    return Trainer(GPT2LMHeadModel(shape), settings, train_dataset=rows[:-64], eval_dataset=rows[-64:])


def transformers_trainer(seed):
    return from_trainer(trainer(seed), seed=seed)
