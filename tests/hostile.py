"""Hostile texts: mutations of the catalogue, noise, and shapes that are made to break a reader. Seeded."""

import random
import re
import string

from .catalogue import EVERYTHING

ALPHABET = string.printable + "é\u00d7\u2212½٣中\x00\x1f\u2028\u202e🙂\"'"
TOKENS = [
    *("(", ")", "[", "]", ",", "=", ":", ">>", "*", "**", "+", "-", "/", "//", "%", " ", "\n"),
    *("1", "0", "-0.0", "1e999", "1e-999", "1e308", "9**9**9", "0x10", "1_000", "10k", "5%", "100%", "3ep", "2Btok"),
    *("999999999999999999999999999999999999999", "9007199254740993", "1.5", ".5", "5.", "1e15", "1e5"),
    *("nan", "inf", "None", "True", "lambda: 0", "__import__('os')", "self", "step", "pi", "{}", "f''", "\\", "#"),
    *("times=1000000000", "growth=1.0000001", "growth=1e300", "shrink=1e300", "every=0", "factor=-1", "low=nan"),
    *("minimum=nan", "eta_min=0", ">", "Set("),
    *("cosine(9)", "constant()", "noise()", "repeat(linear(9))", "formula('step')", "table([1])", '"5%"', "'x'"),
]
NASTY = [
    "",
    " ",
    "(" * 5000,
    "(" * 5000 + "1" + ")" * 5000,
    "[" * 5000,
    "-" * 5000 + "1",
    "linear(" * 2000,
    "clip(" * 25 + "linear(9)" + ", minimum=0.1)" * 25,
    "clip(" * 1000 + "linear(9)" + ", minimum=0.1)" * 1000,
    "rewarm(" * 25 + "linear(9)" + ", at=1, steps=1)" * 25,
    "noisy(" * 25 + "linear(9)" + ")" * 25,
    "repeat(" * 25 + "linear(9)" + ", times=9)" * 25,
    "repeat(" * 25 + "linear(9)" + ", times=1000000000)" * 25,
    "reverse(" * 25 + "repeat(linear(9), times=1000000000)" + ")" * 25,
    "staircase(" * 25 + "linear('5%')" + ", every=2)" * 25,
    "maximum(" * 12 + "linear('5%')" + ", linear('10%'))" * 12,
    "linear(9)" + "[:5]" * 90,
    "linear(9)" + "[:5]" * 5000,
    "2*" * 5000 + "linear(9)",
    "1+" * 5000 + "linear(9)",
    "linear(9)" + "*linear(9)" * 90,
    "linear(9)" + "*linear(9)" * 5000,
    "linear(9)" + ">>linear(9)" * 8000,
    "linear('1%')" + ">>linear('1%')" * 5000,
    "linear(9)" + ">>constant()" * 3000,
    "linear(9) ** " * 3000 + "2",
    "table([" + "1," * 40_000 + "])",
    "table([" + "1," * 60_000 + "])",
    "rewarm(" * 9 + "table([" + "1.23456789," * 8000 + "])" + ", at=1, steps=1)" * 9,
    "rewarm(" * 9 + "formula('" + "+".join(["step"] * 90) + "')[:9]" + ", at=1, steps=1)" * 9,
    "multistep([" + "1," * 9000 + "], factor=[" + "0.3," * 9000 + "])",
    "multistep([" + "1," * 9000 + "], factor=[" + "1e300," * 9000 + "])",
    "wsd_s([" + "9," * 20_000 + "], warmup=1, cooldown=1)",
    "piecewise_linear([" + "".join(f"({k}, 1)," for k in range(9000)) + "])",
    "formula('" + "step+" * 5000 + "1')",
    "formula('" + "(" * 5000 + "')",
    "formula('9**9**9**9**9')",
    "formula('" + "9**" * 90 + "9')",
    "formula('" + "sin(" * 28 + "step" + ")" * 28 + "')",
    "formula('" + "9" * 40 + "')",
    "formula('" + "9" * 50 + "')",
    "9" * 90_000,
    "linear(" + "9" * 5000 + ")",
    "linear(9" + "_0" * 5000 + ")",
    "linear('" + "9" * 5000 + "')",
    "linear(1e999)",
    "linear(1e308)",
    "9**9**9",
    "(9*9999999999999999999999999999999999)*" * 25 + "linear(9)",
    "1e308*1e308*linear(9)",
    "(1e308*10)*linear(9)",
    "repeat(linear(1), times=1000000000, growth=1.0000001)",
    "repeat(linear(1), times=1000000000, growth=1.01)",
    "repeat(linear(1), growth=1.01)",
    "repeat(linear(1), growth=1e300)",
    "repeat(linear(9007199254740992), times=9007199254740992)",
    "+".join(["repeat(linear(1), times=3000, growth=1.01)"] * 90),
    "constant(9007199254740992)" + ">>constant(9007199254740992)" * 9,
    "linear(9)[9007199254740992:]",
    "linear(9)[:-1]",
    "linear(9)[5:2]",
    "linear(9)['5%':'1%']",
    "clip('5%', minimum=1)",
    "clip(5, minimum=1)",
    "cosine(9, to='5%')",
    "cosine('5%', to=linear(9))",
    "cosine(linear('5%'))",
    "reverse('5%')",
    "noise(seed=-1)",
    "noise(seed=99999999999999999999)",
    "geometric(9, to=1e-308, start=1e308)",
    "chebyshev(9007199254740992)",
    "cosine(9, 8, 7)",
    "cosine()",
    "cosine",
    "cosine(x=9)",
    "cosine(n=9, n=8)",
    "cosine(9,)",
    "cosine(,9)",
    "cosine(9",
    "cosine(9))",
    "'cosine(9)'",
    "piecewise_linear(5)",
    "piecewise_linear([5])",
    "piecewise_linear([[1, 2, 3], [4, 5, 6]])",
    "piecewise_constant(5, values=5)",
    "wsd_s(5, warmup=1, cooldown=1)",
    "multistep('30')",
    "multistep([[30]])",
    "table(linear(9))",
    "table([])",
    "table([table([1])])",
    "a" * 90_000,
    "cosin" * 9000 + "(9)",
    "x" * 100_001,
    "\x00",
    "cosine(9)\x00",
    "cosine(\uff19)",
    "cosine(9)  # comment",
    "cosine(9); cosine(8)",
    "__import__('os').system('true')",
    "(lambda: 0)()",
    "'",
    '"' * 9,
    "5%",
    "5 % 3",
    "5%3",
    "5%)",
    "1.5.5",
    "1e",
    "0x9",
    ">>",
    ">> linear(9)",
    "linear(9) >>",
    "linear(9) linear(9)",
    "linear(9) >> 5",
    "5 >> linear(9)",
    "linear(9) - linear(9)",
    "linear(9) / 2",
    "1 / 0 * linear(9)",
    "-linear(9)",
    "-'5%'",
    "[linear(9)]",
    "(linear(9), linear(9))",
]


def hostile_texts(many: int, seed: int = 0):
    """`many` texts: the nasty ones first, then mutations and noise."""
    rng = random.Random(seed)
    yield from NASTY[:many]
    for _ in range(many - len(NASTY)):
        yield rng.choice((mutated, mutated, renumbered, renumbered, shuffled, noise))(rng)


def mutated(rng: random.Random) -> str:
    """A text of the catalogue with a few characters or tokens dropped, doubled, replaced or put in."""
    text = rng.choice(EVERYTHING)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        a = rng.randrange(len(text) + 1)
        b = min(len(text), a + rng.choice((0, 0, 1, 1, 2, 5, 20)))
        new = rng.choice(("", text[a:b] * 2, rng.choice(ALPHABET), rng.choice(TOKENS), rng.choice(EVERYTHING)))
        text = text[:a] + new + text[b:]
    return text


NUMBERS = ["0", "1", "2", "3", "64", "1e5", "1e15", "9007199254740992", "0.0", "0.5", "1.0", "1.01", "2.5", "1e-300"]


def renumbered(rng: random.Random) -> str:
    """A text of the catalogue with other numbers, which is often a schedule."""
    chance = rng.choice((0.2, 0.5))
    return re.sub(
        r"[0-9][0-9.e]*",
        lambda number: rng.choice(NUMBERS) if rng.random() < chance else number.group(),
        rng.choice(EVERYTHING),
    )


def shuffled(rng: random.Random) -> str:
    """Tokens in any order."""
    return "".join(rng.choice(TOKENS) for _ in range(rng.randrange(1, 30)))


def noise(rng: random.Random) -> str:
    """Characters in any order."""
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(60)))
