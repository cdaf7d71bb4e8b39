"""Chunks to bytes and outcomes back: a bad one never spoils its neighbours, and Ctrl-C is nobody's outcome."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._engine import parcels
from corewise._transport import codec, failures
from corewise._work.chunk import Chunk
from corewise.errors import CannotTravel, RemoteTraceback

PLAIN = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.booleans(), st.none())
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def read(packed: bytes | list[bytes]) -> list[Any]:
    """Read items as a worker does."""
    return codec.loads(packed) if isinstance(packed, bytes) else [codec.loads(one) for one in packed]


@given(st.lists(ANY, min_size=1, max_size=20))
def test_items_arrive_as_they_were(items: list[Any]) -> None:
    """Whatever they are."""
    assert read(parcels.pack_items(Chunk(0, items, star=False), main_by_value=False)) == items


@given(st.lists(PLAIN, min_size=1, max_size=20))
def test_plain_items_travel_in_one(items: list[Any]) -> None:
    """One pickle for all: nothing can go wrong with any of them."""
    packed = parcels.pack_items(Chunk(0, items, star=False), main_by_value=False)
    assert isinstance(packed, bytes)
    pairs = [(item, item) for item in items]
    assert isinstance(parcels.pack_items(Chunk(0, pairs, star=True), main_by_value=False), bytes)


def test_one_item_that_is_not_plain_has_each_travel_by_itself() -> None:
    """It may raise while it is unpickled."""
    packed = parcels.pack_items(Chunk(0, [1, [2], 3], star=False), main_by_value=False)
    assert isinstance(packed, list)
    assert len(packed) == 3


@pytest.mark.parametrize("position", [0, 1, 4])
def test_the_first_item_that_cannot_travel_is_named(position: int) -> None:
    """By its index in the whole input."""
    items: list[Any] = [1, 2, 3, 4, 5]
    items[position] = threading.Lock()
    with pytest.raises(parcels.ItemRefused) as caught:
        parcels.pack_items(Chunk(100, items, star=False), main_by_value=False)
    assert caught.value.index == 100 + position
    assert isinstance(caught.value.error, CannotTravel)
    assert f"item {100 + position} cannot be sent" in str(caught.value.error)


@given(st.lists(st.tuples(st.booleans(), ANY), min_size=1, max_size=20), st.integers(0, 1000))
def test_outcomes_arrive_each_at_its_place(outcomes: list[tuple[bool, Any]], first: int) -> None:
    """Results as results, failures as failures with the worker's traceback for their cause."""
    records = [(bad, failures.pack(ValueError(value)) if bad else codec.dumps(value)) for bad, value in outcomes]
    values, failed = parcels.unpack_each(first, records)
    assert failed == [index for index, (bad, _) in enumerate(outcomes, first) if bad]
    for value, (bad, expected) in zip(values, outcomes, strict=True):
        if bad:
            assert value.args == (expected,)
            assert isinstance(value.__cause__, RemoteTraceback)
        else:
            assert value == expected


def exit_here() -> None:
    """Raise what is no Exception."""
    raise SystemExit(3)


class RaisesWhenRead:
    """Raises where its pickle is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return exit_here, ()


def test_a_result_that_raises_while_it_is_read_fails_its_own_item() -> None:
    """Whatever it raises; its neighbours arrive."""
    values, failed = parcels.unpack_each(5, [(False, pickle.dumps(value)) for value in (1, RaisesWhenRead(), 3)])
    assert failed == [6]
    assert [values[0], values[2]] == [1, 3]
    assert isinstance(values[1], SystemExit)


def interrupt_here() -> None:
    """Send Ctrl-C to the process that reads the pickle, as the user might at this moment."""
    os.kill(os.getpid(), signal.SIGINT)


class InterruptedWhenRead:
    """Ctrl-C comes while its pickle is read."""

    def __reduce__(self) -> tuple[object, ...]:
        return interrupt_here, ()


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_ctrl_c_while_a_result_is_read_is_no_failure_of_the_item() -> None:
    """It ends the call, also where failures are returned."""
    records = [(False, pickle.dumps(value)) for value in (1, InterruptedWhenRead(), 3)]
    with pytest.raises(KeyboardInterrupt):
        parcels.unpack_each(0, records)
