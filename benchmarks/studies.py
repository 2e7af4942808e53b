"""The two studies that the compare engine is measured on, as study files describe them."""

from math import ceil
from typing import Any

COOLDOWNS = ("linear", "one_minus_sqrt", "cosine")


def forty_five() -> dict[str, str]:
    """Six classics and nine cooldowns at each of three horizons: 21,000 updates, 9,176 of them different."""
    texts = {}
    for n in (800, 400, 200):
        texts |= {f"{name} {n}": text for name, text in _classics(n).items()}
        for share in (10, 20, 40):
            c = n * share // 100
            for shape in COOLDOWNS:
                texts[f"{shape} {share}% {n}"] = f"warmup(40) >> constant({n - 40 - c}) >> {shape}({c})"
    return texts


def _classics(n: int) -> dict[str, str]:
    return {
        "constant": f"warmup(40) >> constant({n - 40})",
        "geometric": f"warmup(40) >> geometric({n - 40}, to=0.01)",
        "cosine": f"warmup(40) >> cosine({n - 40})",
        "decay": f"warmup(40) >> linear({n - 40})",
        "step": f"(warmup(40) * step(every={ceil(n / 3)}, factor=0.1))[:{n}]",
        "multistep": f"(warmup(40) * multistep([{n // 2}, {3 * n // 4}], factor=0.1))[:{n}]",
    }


def eight_cooldowns() -> dict[str, str]:
    """Eight shapes of a 10% cooldown from one trunk: 6,400 updates, 1,353 of them different."""
    shapes = [f"{shape}(80)" for shape in COOLDOWNS]
    shapes += [f"polynomial(80, power={power})" for power in (0.5, 1.5, 2, 3, 4)]
    return {shape: f"warmup(40) >> constant(680) >> {shape}" for shape in shapes}


def study(schedules: dict[str, str], task: str = "stdlib_gpt") -> dict[str, Any]:
    """A study of one seed."""
    return {"task": task, "seeds": [0], "schedules": schedules}
