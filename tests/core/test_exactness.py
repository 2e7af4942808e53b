"""The figure of the design: 2e-15 relative against 40 digits, for ratios down to 1e-4 of the peak."""

import random

import pytest

from glidepath import cosine, parse
from tests.catalogue import MILLION, MILLION_WITH_OPTIONS, RECIPES, VARIANTS

from .oracle import furthest, oracle

FIGURE = 2e-15
ENDS = [*range(30), *range(999_970, 1_000_002)]
SAMPLE = sorted({*ENDS, *random.Random(0).sample(range(1_000_000), 200)})

# floor division has steps, and the last bit of its argument decides on which side a value falls
EXACT = [text for text in VARIANTS if "//" not in text]


# an exponent multiplies the relative error of what it is applied to
BEYOND = {"cosine(1000000, power=2.5, k=3.0)": 3e-15}


@pytest.mark.parametrize("text", [*MILLION.values(), *MILLION_WITH_OPTIONS])
def test_a_recipe_over_a_million_steps_is_its_textbook_formula(text):
    assert furthest(text, SAMPLE)[0] <= BEYOND.get(text, FIGURE)


@pytest.mark.parametrize("text", [*(text for text, _ in RECIPES.values()), *EXACT])
def test_short_plans_and_the_papers_own_numbers_are_their_textbook_formulas(text):
    assert furthest(text, range(250))[0] <= FIGURE


@pytest.mark.parametrize("text", [*(text for text, _ in RECIPES.values()), *VARIANTS])
def test_the_duration_is_that_of_the_textbook(text):
    assert parse(text).duration == oracle(text).length


def test_the_last_update_of_a_long_cosine_keeps_its_digits():
    """1 + cos(pi p) has lost all of them there: 2.5e-12 of 1.0, with an error of 1e-16."""
    reference = oracle("cosine(1000000)")(999_999)
    assert abs(cosine(1_000_000)(999_999) - reference) / reference < 1e-15
