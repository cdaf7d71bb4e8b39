"""Items and how long they took, one by one or in groups: figures in, figures out."""

from __future__ import annotations

import random
import statistics

import pytest

from corewise._measure.count import Count


def test_the_first_item_stands_apart() -> None:
    """It may have imported and filled caches, so it is neither in the deviation nor the longest."""
    count = Count()
    count.add(1, 0.0, 5.0, [])
    count.add(3, 10.0, 16.0, [10.0, 11.0, 13.0, 16.0])
    assert (count.items, count.first_s, count.longest_s) == (4, 5.0, 3.0)
    assert count.deviation_s == pytest.approx(statistics.stdev([1.0, 2.0, 3.0]))


def test_a_first_chunk_of_many_is_taken_apart_where_the_first_was_timed() -> None:
    """Its stamps: when the first began, and when the second was asked for."""
    count = Count()
    count.add(11, 0.0, 3.0, [0.0, 2.0])
    assert (count.items, count.first_s) == (11, 2.0)
    assert count.longest_s == pytest.approx(0.1)


def test_one_item_is_the_first_and_the_longest() -> None:
    """And nothing differs from it."""
    count = Count()
    count.add(1, 1.0, 3.0, [])
    assert (count.first_s, count.longest_s, count.deviation_s) == (2.0, 2.0, 0.0)


def test_items_that_failed_early_leave_no_stamps_behind() -> None:
    """Of a chunk of which only two items ran, the second ends with the chunk."""
    count = Count()
    count.add(1, 0.0, 1.0, [])
    count.add(2, 0.0, 5.0, [0.0, 4.0])
    assert count.items == 3
    assert count.longest_s == 4.0


def test_groups_tell_the_deviation_of_their_items() -> None:
    """The means of groups of independent items spread less, by the root of their size; that is taken back."""
    rng = random.Random(1)
    count = Count()
    for size in (1, *[50] * 400):
        count.add(size, 0.0, sum(rng.uniform(0.0, 1.0) for _ in range(size)), [])
    assert count.deviation_s == pytest.approx((1 / 12) ** 0.5, rel=0.15)


def test_a_copy_goes_its_own_way() -> None:
    """What is added to it is not added to the other."""
    count = Count()
    count.add(1, 0.0, 1.0, [])
    other = count.copy()
    other.add(1, 1.0, 2.0, [])
    assert (count.items, other.items) == (1, 2)
