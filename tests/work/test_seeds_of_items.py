"""Random numbers of an item depend on the call's seed and its index, and on nothing else."""

# ruff: noqa: NPY002 - the generator that is seeded is the legacy one
from __future__ import annotations

import random
import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from corewise._work import seeds

SEEDS = st.integers(-(2**200), 2**200)
INDEXES = st.integers(0, 2**63)

# By `random.random`, `random.gauss`, `numpy.random.rand`, `numpy.random.randn`, in this order.
EXPECTED_0_0 = (0.7259490580401223, -1.6897664113619444, 0.9400937581168942, 2.7330924445404285)
EXPECTED_FAR = (0.024366955394427126, -1.196143018861938, 0.08895888819643294, -0.26775166184919497)


def _draws(seed: int, index: int) -> tuple[float, float, float, float]:
    with seeds.kept():
        seeds.seed_item(seed, index)
        return random.random(), random.gauss(), float(np.random.rand()), float(np.random.randn())


def test_the_derivation_is_that_of_the_documentation() -> None:
    """The numbers may change with a release that says so, and never by accident."""
    assert _draws(0, 0) == pytest.approx(EXPECTED_0_0, abs=0)
    assert _draws(-1, 10**30) == pytest.approx(EXPECTED_FAR, abs=0)


@given(SEEDS, INDEXES)
def test_the_same_item_draws_the_same_numbers(seed: int, index: int) -> None:
    """Whatever was drawn before, a normal number kept for the next time included."""
    first = _draws(seed, index)
    random.gauss()
    np.random.randn()
    assert _draws(seed, index) == first


@given(SEEDS, st.lists(INDEXES, min_size=2, max_size=20, unique=True))
def test_items_and_generators_have_nothing_in_common(seed: int, indexes: list[int]) -> None:
    """Neither neighbours, nor the same index under the next seed, nor the two generators of one item."""
    numbers = [number for index in indexes for number in _draws(seed, index)]
    numbers += _draws(seed + 1, indexes[0])
    assert len(set(numbers)) == len(numbers)


def test_numbers_over_many_items_are_uniform() -> None:
    """The first number of each of 4,000 neighbours: 16 bins by a chi-squared test that fails once in a million."""
    counts = np.zeros(16)
    for index in range(4000):
        counts[int(_draws(7, index)[0] * 16)] += 1
    assert ((counts - 250) ** 2 / 250).sum() < 56.5


def test_the_callers_generators_go_on_where_they_were() -> None:
    """Items that are run in the caller draw from seeded generators; the caller does not notice."""
    random.seed(1)
    np.random.seed(1)
    expected = (random.random(), random.gauss(), np.random.randn(), np.random.randn())
    random.seed(1)
    np.random.seed(1)
    first = random.random()
    with seeds.kept():
        seeds.seed_item(5, 5)
        random.random()
    second = random.gauss()
    third = np.random.randn()
    with seeds.kept():
        seeds.seed_item(5, 5)
        np.random.randn()
    assert (first, second, third, np.random.randn()) == expected


def test_the_callers_generators_are_put_back_after_a_failure() -> None:
    """Whatever the items raise."""
    random.seed(1)
    expected = random.random()
    random.seed(1)
    with pytest.raises(LookupError), seeds.kept():
        _seed_and_fail()
    assert random.random() == expected


def _seed_and_fail() -> None:
    seeds.seed_item(5, 5)
    raise LookupError


@pytest.mark.skipif(not hasattr(np.random, "set_bit_generator"), reason="NumPy 1.24 and later")
def test_a_generator_of_another_kind_is_seeded_too() -> None:
    """A program may have replaced NumPy's; a normal number that it keeps does not reach the next item."""
    usual = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(3))
    try:
        first = _draws(1, 2)
        np.random.randn()
        assert _draws(1, 2) == first
        assert len({*first, *_draws(1, 3)}) == 8
    finally:
        np.random.set_bit_generator(usual)


def test_items_may_replace_the_generator_for_good() -> None:
    """There is nothing to put back then."""
    usual = np.random.get_bit_generator()
    try:
        with seeds.kept():
            np.random.set_bit_generator(np.random.PCG64(3))
    finally:
        np.random.set_bit_generator(usual)


def _printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_numpy_is_not_loaded_for_it() -> None:
    """Nor is OpenSSL, which comes with hashlib."""
    program = "import sys; from corewise._work import seeds; seeds.seed_item(1, 2); print(*sys.modules)"
    assert {"numpy", "_hashlib"}.isdisjoint(_printed(program).split())


def test_numpy_is_seeded_from_the_item_after_the_one_that_loads_it() -> None:
    """As the documentation says."""
    program = """
from corewise._work import seeds
def item(index):
    seeds.seed_item(1, index)
    import numpy
    return float(numpy.random.rand())
print(item(0), item(1), item(0))
"""
    runs = [_printed(program).split() for _ in range(2)]
    assert runs[0][0] != runs[1][0]
    assert runs[0][1:] == runs[1][1:]


def test_what_the_caller_loads_later_is_not_left_seeded() -> None:
    """Its own numbers would repeat from run to run."""
    program = """
from corewise._work import seeds
with seeds.kept():
    seeds.seed_item(1, 0)
    import numpy.random
    seeds.seed_item(1, 1)
import random
print(random.random(), numpy.random.rand())
"""
    first, second = (_printed(program).split() for _ in range(2))
    assert set(first).isdisjoint(second)
