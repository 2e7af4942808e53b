"""The code before the function itself: tables, and functions that it calls.

They are written where one expression does not do: a cycle that has branches of its own, cycles that grow, a table of
values, and the integer arithmetic of noise and of the Chebyshev permutation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import final

from glidepath.core.curves import Chebyshev, Curve, Warmup
from glidepath.core.endless import Noise
from glidepath.core.transforms import Repeated

from .branch import Branch
from .curves import write_curve
from .dialect import Dialect
from .expression import Expression, tidy, to_expression
from .layout import write_body, write_row


@final
@dataclass
class Prelude:
    """The tables and functions that were needed so far, each written once."""

    dialect: Dialect
    blocks: dict[str, str] = field(default_factory=dict)  # their text by name

    def _add(self, name: str, text: str) -> str:
        """Add a text, and return its name; `text` has `{name}` where its own name belongs."""
        number = 1
        while True:
            own = name if number == 1 else f"{name}_{number}"
            if self.blocks.setdefault(own, text.replace("{name}", own)) == text.replace("{name}", own):
                return own
            number += 1

    def add_table(self, name: str, values: Iterable[float]) -> str:
        """Add a list of numbers, and return its name."""
        return self._add(name, write_row("{name} = [", map(repr, values), "]"))

    def look_up(self, values: Sequence[float], k: Expression) -> Expression:
        """Write number `k` of a list, the last one held."""
        name, last = self.add_table("VALUES", values), len(values) - 1
        if self.dialect.uses_if:
            return Expression(f"{name}[min({k.text}, {last})]")
        return self._take(name, self.dialect.call("clip", k, 0, last))

    def _take(self, name: str, index: Expression) -> Expression:
        whole = f'{self.dialect.module}.cast({index.text}, "int32")' if self.dialect.module == "ops" else index.text
        return self.dialect.call("take", Expression(self._array(name)), Expression(whole))

    def _array(self, name: str) -> str:
        kind = ', "float32"' if self.dialect.module == "ops" else ""
        return f"{self.dialect.module}.array({name}{kind})"

    def add_function(self, name: str, branches: Sequence[Branch], k: Expression, docstring: str) -> Expression:
        """Add a function of `step`, and write its call with `k`."""
        text = "\n".join(["def {name}(step):", f'    """{docstring}"""', *write_body(branches, "step", self.dialect)])
        return Expression(f"{self._add(name, text)}({k.text})")

    def add_restarts(self, plan: Repeated, leaf: Curve, starts: Sequence[int], k: Expression) -> Expression:
        """Add a leaf that begins again, longer each time, as `plan` repeats it."""
        first = Expression("step") + 1 if isinstance(leaf, Warmup) else Expression("step")
        value = write_curve(leaf, first, Expression("length"), self.dialect)
        if plan.shrink != 1.0:
            value = to_expression(plan.shrink) ** Expression("cycle") * value
        text = self._loop_text(plan, starts, value) if self.dialect.uses_if else self._search_text(starts, value)
        return Expression(f"{self._add('restarts', text)}({k.text})")

    def _loop_text(self, plan: Repeated, starts: Sequence[int], value: Expression) -> str:
        return "\n".join(
            [
                "def {name}(step):",
                f"    cycle, length = 0, {starts[1]}",
                "    while step >= length:",
                "        step, cycle = step - length, cycle + 1",
                f"        length = round({starts[1]} * {plan.growth!r} ** cycle)",
                f"    return {value.text}",
            ]
        )

    def _search_text(self, starts: Sequence[int], value: Expression) -> str:
        begins = self.add_table("STARTS", starts[:-1])
        lengths = self.add_table("LENGTHS", [float(b - a) for a, b in pairwise(starts)])
        side = Expression('side="right"')
        step = self.dialect.call("searchsorted", Expression(self._array(begins)), Expression("step"), side)
        return "\n".join(
            [
                "def {name}(step):",
                f"    cycle = {step.text} - 1",
                f"    length = {self._take(lengths, Expression('cycle')).text}",
                f"    step = step - {self._take(begins, Expression('cycle')).text}",
                f"    return {value.text}",
            ]
        )

    def add_integer_function(self, plan: Noise | Chebyshev, k: Expression) -> Expression:
        """Add noise or the Chebyshev permutation, which take the bits of the step apart."""
        if isinstance(plan, Noise):
            self._add("mix", MIX)
            return Expression(f"{self._add('noise', NOISE.format(name='{name}', seed=plan.seed))}({k.text})")
        text = CHEBYSHEV.format(
            name="{name}",
            last=plan.steps - 1,
            steps=plan.steps,
            low=plan.curvature_ratio,
            rest=tidy(1.0 - plan.curvature_ratio),
        )
        return Expression(f"{self._add('chebyshev', text)}({k.text})")


MIX = '''\
def {name}(state):
    """One step of SplitMix64."""
    word = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & word
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & word
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & word
    return z ^ (z >> 31)'''

NOISE = '''\
def {name}(step):
    """A standard normal number, drawn from the seed and the step alone."""
    word, golden = 2**64 - 1, 0x9E3779B97F4A7C15
    state = mix(mix({seed}) + step & word)
    u, v = (((mix(state + i * golden & word) >> 12) + 0.5) / 2**52 for i in (1, 2))
    return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)'''

CHEBYSHEV = '''\
def {name}(step):
    """Fractal Chebyshev steps: node `place` of {steps}."""
    step, place, mirror = min(step, {last}), 0, {last}
    while mirror:
        place, step, mirror = place ^ (step & 1) * mirror, step >> 1, mirror >> 1
    return 1 / ({low} + {rest} * math.sin(math.pi * (place + 0.5) / (2 * {steps})) ** 2)'''
