import math

import pytest

from glidepath.ticks import linear_range, linear_ticks, log_range, log_ticks, power_text, step_text, value_text


@pytest.mark.parametrize("step", [0, 1, 999, 1000, 1500, 1_234_567, 10_000_000, 25 * 10**11])
def test_a_step_reads_back_as_the_step_it_was(step):
    text = step_text(step)
    sizes = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    assert float(text.rstrip("kMBT")) * sizes.get(text[-1], 1) == step


@pytest.mark.parametrize("value", [1e-12, 3e-4, 0.00123456, 0.0099, 0.01, 0.5, 1.0, 9999.0, 1e4, -2.5e-7])
def test_a_value_reads_back_to_its_digits(value):
    assert float(value_text(value, 6)) == pytest.approx(value, rel=1e-5)


def test_small_rates_are_written_with_a_short_exponent():
    assert [value_text(v) for v in (1e-3, 3e-4, 1e-10)] == ["1e-3", "3e-4", "1e-10"]
    assert power_text(1e-3) == "1e-3"


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 3e-4), (-0.2, 0.9), (0.85, 0.95), (-3, -1), (0, 7)])
@pytest.mark.parametrize("most", [3, 4, 6, 10])
def test_linear_ticks_are_round_within_the_axis_and_not_too_many(low, high, most):
    ticks = linear_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    assert all(float(f"{tick:.2g}") == tick for tick in ticks)


def test_log_ticks_are_powers_of_ten_and_keep_the_largest():
    assert log_ticks(1e-5, 1.0, 20) == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    few = log_ticks(1e-12, 1.0, 4)
    assert len(few) <= 4
    assert few[-1] == 1.0


def test_a_linear_axis_begins_at_zero_unless_the_values_stay_far_away():
    assert linear_range(0.1, 1.0) == (0.0, 1.0)
    assert linear_range(0.85, 0.95) == (0.85, 0.95)
    assert linear_range(-1.0, -1.0) == (-1.0, 0.0)
    assert linear_range(0.0, 0.0) == (0.0, 1.0)


def test_the_last_updates_of_a_decay_to_zero_do_not_flatten_a_log_axis():
    cosine = [math.sin(math.pi / 2 * (1 - k / 10_000)) ** 2 for k in range(10_000)]
    assert min(cosine) < 1e-7
    assert log_range(cosine) == pytest.approx((1e-5, 1.0))


def test_a_log_axis_of_one_value_still_has_a_height():
    low, high = log_range([0.3])
    assert low <= 0.3 <= high
    assert high / low >= 2
