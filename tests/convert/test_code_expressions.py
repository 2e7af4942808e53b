"""The arithmetic that code is written in: what is written is what was computed, with no parenthesis too many."""

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.convert.writers.expression import Expression, tidy, to_expression

K = Expression("k")
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


def joined(parts: tuple[Any, Any, Any]) -> st.SearchStrategy[tuple[Expression, float]]:
    operation, (a, x), (b, y) = parts
    try:
        value = operation(x, y)
    except (ZeroDivisionError, OverflowError):
        return st.nothing()
    if isinstance(value, complex) or abs(value) > 1e6:
        return st.nothing()
    return st.just((operation(a, b), value))


# pairs of an expression and its value at k = 0.7
trees: st.SearchStrategy[tuple[Expression, float]] = st.recursive(
    st.sampled_from(
        [
            (K, 0.7),
            (to_expression(0.5), 0.5),
            (to_expression(2), 2),
            (to_expression(0.0), 0.0),
            (to_expression(1.0), 1.0),
        ]
    ),
    lambda inner: st.tuples(st.sampled_from(OPERATORS), inner, inner).flatmap(joined),
    max_leaves=12,
)


@given(trees)
def test_what_is_written_is_what_was_computed(tree: tuple[Expression, float]) -> None:
    expression, value = tree
    assert eval(expression.text, {"k": 0.7}) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (1 - (1 - K), "1 - (1 - k)"),
        (1 - (K + 1), "1 - (k + 1)"),
        (K - 1 + 2, "k - 1 + 2"),
        (1 / (K / 2), "1 / (k / 2)"),
        (2 * K / 3, "2 * k / 3"),
        (2 * (K + 1), "2 * (k + 1)"),
        ((K / 2) ** 0.5, "(k / 2) ** 0.5"),
        (0.5**K, "0.5 ** k"),
        (0.5 ** (K / 2), "0.5 ** (k / 2)"),
        (0.1 * (0.5 * K), "0.05 * k"),
        (0.0 + 1.0 * K, "k"),
        (0.0 * K, "0.0"),
        (K**1.0 / 1, "k"),
        (to_expression(-0.5) * K, "(-0.5) * k"),
        (to_expression(0.1) + 0.2, "0.3"),
    ],
)
def test_parentheses_stand_only_where_they_are_needed(expression: Expression, text: str) -> None:
    assert expression.text == text


def test_a_computed_number_loses_the_digits_that_are_only_rounding() -> None:
    assert (tidy(0.1 * 3e-4), tidy(0.7 - 0.1), tidy(1 / 3), tidy(7)) == (3e-05, 0.6, 0.333333333333333, 7)
