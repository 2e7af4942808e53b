"""Train a line in the loops of nanoGPT and of build-nanogpt, printed as they print; their forms were read."""

import math
from pathlib import Path

import torch

from ..truth import POINTS, write_truth

HERE = Path(__file__).parent
TOTAL, WARMUP, PEAK, FLOOR = 40, 6, 0.1, 0.01


def rate_at(step: int) -> float:
    """Return the rate of an update: a warmup that reaches its peak with its last update, then a cosine."""
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    share = (step - WARMUP) / (TOTAL - WARMUP)
    return FLOOR + 0.5 * (1 + math.cos(math.pi * share)) * (PEAK - FLOOR)


def main() -> None:
    """Make both cases anew, of one training."""
    torch.manual_seed(1)
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=PEAK)
    rates, losses, nano, build = [], [], "number of parameters: 0.00M\n", ""
    for step in range(TOTAL):
        optimizer.param_groups[0]["lr"] = rate_at(step)
        if step % 10 == 0:
            whole = float(((layer(POINTS) - 1) ** 2).mean()) + 0.1
            nano += f"step {step}: train loss {whole:.4f}, val loss {whole + 0.01:.4f}\n"
            build += f"validation loss: {whole + 0.01:.4f}\n"
        loss = ((layer(POINTS[4 * (step % 10) :][:4]) - 1) ** 2).mean() + 0.1
        optimizer.zero_grad()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 2 == 0:
            nano += f"iter {step}: loss {losses[-1]:.4f}, time 12.34ms, mfu 1.23%\n"
        build += f"step {step:5d} | loss: {losses[-1]:.6f} | lr {rates[-1]:.4e} | norm: 1.2345 | dt: 12.34ms"
        build += " | tok/sec: 1234.56\n"
    evaluated = "step lines are evaluations of both parts before update s, iter lines the loss of update s; no rate"
    used = "step s, from 0, has the loss and the rate of update s, in five digits"
    for name, text, note in (("nanogpt", nano, evaluated), ("build_nanogpt", build, used)):
        (HERE / name).mkdir(exist_ok=True)
        (HERE / name / "log.txt").write_text(text, encoding="utf-8")
        write_truth(HERE / name, name, rates, losses, f"the form was read, not run: {note}", version="read")


if __name__ == "__main__":
    main()
