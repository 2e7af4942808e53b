"""The loops that the examples stand for, as people write them: no task, no session, the rate driven by `Scheduler`.

Each is given the example's module, its model's seed and the driver's plan, and returns the losses.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import glidepath as gp
from glidepath.tasks.batches import mix_seeds
from glidepath.torch import Scheduler

Losses = list[float]
Loop = Callable[[ModuleType, int, Any, int], Losses]


def network(*, norm: bool = False) -> nn.Sequential:
    """The network of the examples."""
    middle = [nn.BatchNorm1d(32), nn.ReLU()] if norm else [nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(nn.Linear(64, 32), *middle, nn.Linear(32, 10))


def rows(seed: int, number: int, size: int = 32) -> Any:
    """Batch `number`."""
    return torch.randint(1400, (size,), generator=torch.Generator().manual_seed(1_000_000 * seed + number))


def plain(here: ModuleType, seed: int, plan: Any, updates: int, model: Any = None) -> Losses:
    model = model or network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler, losses = Scheduler(optimizer, plan), []
    for step in range(updates):
        chosen = rows(seed, step)
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def accumulation(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model = network(norm=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    Scheduler(optimizer, plan)
    losses = []
    for number in range(4 * updates):
        chosen = rows(seed, number, 8)
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen]) / 4
        loss.backward()
        losses.append(loss.detach())
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
    return [(((losses[i] + losses[i + 1]) + losses[i + 2]) + losses[i + 3]).item() for i in range(0, len(losses), 4)]


def clipping(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model, losses = network(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    scheduler = Scheduler(optimizer, plan)
    while scheduler.position < updates:
        chosen = rows(seed, scheduler.position)
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        optimizer.zero_grad()
        loss.backward()
        norm = torch.stack([parameter.grad.norm() for parameter in model.parameters()]).norm()
        for parameter in model.parameters():
            parameter.grad.mul_(torch.clamp(1.0 / (norm + 1e-6), max=1.0))
        optimizer.step()
        losses.append(loss.item())
    return losses


def mixed_precision(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model, losses = network(), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = Scheduler(optimizer, plan)
    while scheduler.position < updates:
        chosen = rows(seed, scheduler.position)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def averaging(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    """And the loss of the average at the end."""
    model, losses = network(norm=True), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = Scheduler(optimizer, plan)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    while scheduler.position < updates:
        chosen = rows(seed, scheduler.position)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        loss.backward()
        optimizer.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
    with torch.no_grad():
        return [*losses, functional.cross_entropy(averaged.eval()(here.x[1400:]), here.y[1400:]).item()]


def loader(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model, losses = network(), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler, generator = Scheduler(optimizer, plan), torch.Generator().manual_seed(seed)
    while scheduler.position < updates:
        for chosen in torch.randperm(1400, generator=generator)[: 1400 // 256 * 256].split(256):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if scheduler.position == updates:
                break
    return losses


def several_groups(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model, losses = network(), []
    first, last = model[0].parameters(), model[3].parameters()
    optimizer = torch.optim.AdamW([{"params": first, "lr": 1e-3}, {"params": last, "lr": 1e-2}])
    plans = [gp.parse(text) for text in plan["lr"].values()]
    for step in range(updates):
        optimizer.param_groups[0]["lr"] = 1e-3 * plans[0](step)
        optimizer.param_groups[1]["lr"] = 1e-2 * plans[1](step)
        chosen = rows(seed, step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def compiled(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    return plain(here, seed, plan, updates, torch.compile(network(), backend="aot_eager", dynamic=False))


def lightning_module(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    model, losses = here.Digits().network, []
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = Scheduler(optimizer, plan)
    order = torch.randperm(1400, generator=torch.Generator().manual_seed(mix_seeds(seed, 0)))
    for chosen in order.split(32)[:updates]:
        loss = functional.cross_entropy(model(here.x[chosen]), here.y[chosen])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def transformers_trainer(here: ModuleType, seed: int, plan: Any, updates: int) -> Losses:
    """A real Trainer."""
    trainer = here.trainer(seed)
    trainer.lr_scheduler = Scheduler(trainer.create_optimizer(), plan)
    trainer.args.max_steps, trainer.args.logging_steps = updates, 1
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


LOOPS: dict[str, Loop] = {
    loop.__name__: loop
    for loop in (
        *(plain, accumulation, clipping, mixed_precision, averaging, loader, several_groups, compiled),
        *(lightning_module, transformers_trainer),
    )
}
