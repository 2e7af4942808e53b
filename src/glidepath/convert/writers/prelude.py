"""What stands before the function itself: tables, and functions that it calls.

They are written where one expression does not do: a cycle that has pieces of its own, cycles that grow, a table of
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
from .curves import curve
from .dialect import Dialect
from .expression import Expression, tidy, to_expression
from .layout import body, row


@final
@dataclass
class Prelude:
    """The tables and functions that were needed so far, each written once."""

    dialect: Dialect
    blocks: dict[str, str] = field(default_factory=dict)  # their text by name

    def _named(self, name: str, text: str) -> str:
        """The name under which a text stands; `text` has `{name}` where its own name belongs."""
        number = 1
        while True:
            own = name if number == 1 else f"{name}_{number}"
            if self.blocks.setdefault(own, text.replace("{name}", own)) == text.replace("{name}", own):
                return own
            number += 1

    def table(self, name: str, values: Iterable[float]) -> str:
        """A list of numbers."""
        return self._named(name, row("{name} = [", map(repr, values), "]"))

    def looked_up(self, values: Sequence[float], k: Expression) -> Expression:
        """Number `k` of a list, the last one held."""
        name, last = self.table("VALUES", values), len(values) - 1
        if self.dialect.uses_if:
            return Expression(f"{name}[min({k.text}, {last})]")
        return self._taken(name, self.dialect.call("clip", k, 0, last))

    def _taken(self, name: str, index: Expression) -> Expression:
        whole = f'{self.dialect.module}.cast({index.text}, "int32")' if self.dialect.module == "ops" else index.text
        return self.dialect.call("take", Expression(self._array(name)), Expression(whole))

    def _array(self, name: str) -> str:
        kind = ', "float32"' if self.dialect.module == "ops" else ""
        return f"{self.dialect.module}.array({name}{kind})"

    def function(self, name: str, branches: Sequence[Branch], k: Expression, says: str) -> Expression:
        """A function of `step`, called with `k`."""
        text = "\n".join(["def {name}(step):", f'    """{says}"""', *body(branches, "step", self.dialect)])
        return Expression(f"{self._named(name, text)}({k.text})")

    def restarted(self, plan: Repeated, leaf: Curve, starts: Sequence[int], k: Expression) -> Expression:
        """A leaf that begins again, longer each time: what `plan` repeats."""
        first = Expression("step") + 1 if isinstance(leaf, Warmup) else Expression("step")
        value = curve(leaf, first, Expression("length"), self.dialect)
        if plan.shrink != 1.0:
            value = to_expression(plan.shrink) ** Expression("cycle") * value
        text = self._looping(plan, starts, value) if self.dialect.uses_if else self._searching(starts, value)
        return Expression(f"{self._named('restarts', text)}({k.text})")

    def _looping(self, plan: Repeated, starts: Sequence[int], value: Expression) -> str:
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

    def _searching(self, starts: Sequence[int], value: Expression) -> str:
        begins = self.table("STARTS", starts[:-1])
        lengths = self.table("LENGTHS", [float(b - a) for a, b in pairwise(starts)])
        step = self.dialect.call("searchsorted", Expression(self._array(begins)), Expression("step"))
        return "\n".join(
            [
                "def {name}(step):",
                f'    cycle = {step.text[:-1]}, side="right") - 1',
                f"    length = {self._taken(lengths, Expression('cycle')).text}",
                f"    step = step - {self._taken(begins, Expression('cycle')).text}",
                f"    return {value.text}",
            ]
        )

    def integer_arithmetic(self, plan: Noise | Chebyshev, k: Expression) -> Expression:
        """Noise and the Chebyshev permutation, which take the bits of the step apart."""
        if isinstance(plan, Noise):
            self._named("mix", MIX)
            return Expression(f"{self._named('noise', NOISE.format(name='{name}', seed=plan.seed))}({k.text})")
        text = CHEBYSHEV.format(
            name="{name}",
            last=plan.steps - 1,
            steps=plan.steps,
            low=plan.curvature_ratio,
            rest=tidy(1.0 - plan.curvature_ratio),
        )
        return Expression(f"{self._named('chebyshev', text)}({k.text})")


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
