"""When two results count as equal: what travelled to another process and back always does."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from corewise._api.trials import same

PLAIN = st.one_of(st.integers(), st.floats(), st.text(), st.binary(), st.none(), st.booleans(), st.complex_numbers())
ARRAYS = arrays.arrays(
    dtype=st.sampled_from(["?", "i4", "f8", "c16", "M8[s]", "S3", "U2"]),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
ANY = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.sets(st.integers()),
    ),
    max_leaves=8,
)


@given(ANY)
def test_a_copy_is_the_same(value: Any) -> None:
    """By whatever way it was made, with arrays and NaN at any depth."""
    assert same(value, value)
    assert same(value, copy.deepcopy(value))
    assert same(value, pickle.loads(pickle.dumps(value, 5)))


@given(ANY, ANY)
def test_it_does_not_matter_which_comes_first(one: Any, other: Any) -> None:
    """The plain loop's, or the approach's."""
    assert same(one, other) == same(other, one)


@given(
    arrays.arrays("i2", arrays.array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 1000)),
    st.sampled_from(["i4", "f8", "c16", "M8[s]", "S5", "U5", "O"]),
    st.data(),
)
def test_one_element_makes_the_difference(array: Any, kind: str, data: st.DataObject) -> None:
    """Wherever it stands, in an array in a list in a dictionary."""
    changed = array.copy()
    changed.reshape(-1)[data.draw(st.integers(0, array.size - 1))] += 1
    assert not same({"key": [array.astype(kind)]}, {"key": [changed.astype(kind)]})


@given(ARRAYS)
def test_the_order_of_memory_does_not_matter(array: Any) -> None:
    """An array that came through a pickle lies in one piece; the one it was made from need not."""
    assert same([array.T], [np.ascontiguousarray(array.T).reshape(array.T.shape)])
    if array.ndim:
        assert same((array[::2], 1), (np.ascontiguousarray(array[::2]), 1))


@dataclass
class HoldsArray:
    """A result whose own comparison raises."""

    array: Any


class SaysNothing:
    """A result that equals nothing but itself."""

    def __init__(self, value: object) -> None:
        self.value = value


@pytest.mark.parametrize("make", [HoldsArray, SaysNothing])
def test_objects_that_do_not_say_are_compared_by_their_bytes(make: Any) -> None:
    """Equal ones are equal, others are not."""
    assert same(make(np.arange(3)), make(np.arange(3)))
    assert not same(make(np.arange(3)), make(np.arange(4)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((number for number in "a"), (number for number in "a")),
        ([1, 2], [1, 2, 3]),
        ([1, 2], (1, 2)),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": 1}),
        (np.array([]), np.array([1.0])),
        ([np.array([])], [np.array([1.0])]),
        (np.ones(3), np.ones((1, 3))),
        (np.ones(1), 1.0),
        (float("nan"), 0.0),
        (np.array([np.nan]), np.array([0.0])),
        ("1", 1),
    ],
    ids=repr,
)
def test_what_differs_differs(one: Any, other: Any) -> None:
    """What can neither be compared nor pickled counts as different."""
    assert not same(one, other)


class Hostile:
    """A result that raises whatever one does with it."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]  # as for anything with an equality of its own

    def __reduce__(self) -> Any:
        raise RuntimeError("no")


def test_a_hostile_result_counts_as_different() -> None:
    """It must not end the comparison."""
    assert not same(Hostile(), Hostile())
    assert not same([Hostile()], [Hostile()])
