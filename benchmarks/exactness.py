"""How far every recipe is from its textbook formula in 40 digits, over plans of a million steps.

    python -m benchmarks.exactness                  # 20,000 steps of each, both ends among them: two to five minutes
    python -m benchmarks.exactness --steps 1000000  # every step: two hours

Counted are values from 1e-4 to 1e4 times the peak of the recipe, relative to the value itself. The figure to hold is
2e-15; only an exponent of 2.5 on a cosine is beyond it, since it multiplies the error of what it is applied to.
`noise` and what adds it may cancel: there the error is relative to the largest term.
"""

import argparse
import random
import time

from tests.catalogue import MILLION, MILLION_WITH_OPTIONS
from tests.core.oracle import furthest


def steps_to_look_at(length: int, many: int) -> list[int]:
    """`many` steps of a plan: both ends, and others at random."""
    if many >= length:
        return list(range(length + 2))
    ends = [*range(100), *range(length - 100, length + 2)]
    return sorted({*ends, *random.Random(0).sample(range(length), many - len(ends))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000, help="steps of each recipe")
    parser.add_argument("texts", nargs="*", default=[*MILLION.values(), *MILLION_WITH_OPTIONS], help="only these")
    given = parser.parse_args()
    for text in given.texts:
        begin = time.perf_counter()
        error, step = furthest(text, steps_to_look_at(1_000_000, given.steps))
        mark = "" if error <= 2e-15 else "  <-- above 2e-15"
        print(f"{error:8.1e} at {step:>8} {time.perf_counter() - begin:6.1f} s  {text}{mark}", flush=True)


if __name__ == "__main__":
    main()
