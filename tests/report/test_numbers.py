"""Numbers are written so that a reader takes them in at a glance, and rounding never gives 1000 of a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corewise._types import numbers


@pytest.mark.parametrize(
    ("value_s", "expected"),
    [
        (None, "–"),
        (0.0, "0 s"),
        (120e-9, "120 ns"),
        (12e-6, "12 µs"),
        (3.44e-3, "3.4 ms"),
        (9.96e-3, "10 ms"),
        (0.3404, "340 ms"),
        (0.9996, "1.00 s"),
        (1.016, "1.02 s"),
        (9.996, "10.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (123.4, "2 min 3 s"),
        (3599.7, "1 h 0 min"),
        (7260.0, "2 h 1 min"),
        (-0.002, "-2.0 ms"),
    ],
)
def test_seconds_take_the_unit_that_fits(value_s: float | None, expected: str) -> None:
    """Two or three digits and a unit, from nanoseconds to hours."""
    assert numbers.seconds(value_s) == expected


@given(value_s=st.floats(min_value=1e-9, max_value=1e6))
def test_seconds_keep_the_value(value_s: float) -> None:
    """Read back, the text is within 5 % of the value, and no part of it has four digits before the point."""
    scale = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
    words = numbers.seconds(value_s).replace(",", "").split()
    read_s = sum(float(number) * scale[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert read_s == pytest.approx(value_s, rel=0.051)
    if words[1] != "h":
        assert float(words[0]) < 1000


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (numbers.bytes_, None, "–"),
        (numbers.bytes_, 512, "512 B"),
        (numbers.bytes_, 3_400, "3.4 kB"),
        (numbers.bytes_, 999_900, "1.0 MB"),
        (numbers.bytes_, 31_400_000, "31 MB"),
        (numbers.bytes_, 8_200_000_000, "8.2 GB"),
        (numbers.bytes_, 2_000_000_000_000, "2.0 TB"),
        (numbers.times, None, "–"),
        (numbers.times, 1.967, "1.97×"),
        (numbers.times, 9.996, "10.0×"),
        (numbers.times, 1234.0, "1,234×"),
        (numbers.times, 0.0123, "0.012×"),
        (numbers.times, 0.0001, "under 0.001×"),
        (numbers.share, None, "–"),
        (numbers.share, 0.984, "98 %"),
        (numbers.share, 0.004, "0.4 %"),
        (numbers.share, 0.0, "0 %"),
        (numbers.cores, 1.04, "1.0"),
        (numbers.cores, 0.02, "0.02"),
        (numbers.rate, 1234.5, "1,234/s"),
        (numbers.rate, 37.23, "37.2/s"),
        (numbers.rate, 0.05, "3.0/min"),
        (numbers.clock, 8.4, "8 s"),
        (numbers.clock, -1.0, "0 s"),
        (numbers.clock, 75.0, "1 min 15 s"),
        (numbers.limit, 0.5, "0.5 s"),
        (numbers.limit, 30.0, "30 s"),
        (numbers.limit, 90.0, "1 min 30 s"),
    ],
)
def test_other_figures_have_one_form_each(write: object, value: float | None, expected: str) -> None:
    """Memory, ratios, shares, cores, rates, clocks and limits."""
    assert write(value) == expected  # type: ignore[operator]


def test_a_range_names_its_unit_once() -> None:
    """Where both ends share it; where they do not, both name theirs; where they are equal, one is enough."""
    assert numbers.span(1.01, 1.06) == "1.01–1.06 s"
    assert numbers.span(0.9, 1.1) == "900 ms – 1.10 s"
    assert numbers.span(1.011, 1.012) == "1.01 s"
    assert numbers.span(70.0, 80.0) == "1 min 10 s – 1 min 20 s"
    assert numbers.span(None, 1.0) == "–"


def test_rounds_are_written_in_the_unit_of_their_median() -> None:
    """So that they can be read against it, digit by digit."""
    assert numbers.around(1.02, 0.98, 1.05) == "0.98–1.05"
    assert numbers.around(0.0021, 0.0019, 0.012) == "1.9–12.0"
    assert numbers.around(70.0, 65.0, 80.0) == "1 min 5 s – 1 min 20 s"
    assert numbers.around(None, None, None) == ""
