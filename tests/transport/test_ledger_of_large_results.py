"""Large results that a worker writes down with others, to send them together."""

from __future__ import annotations

import os
from contextlib import closing
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ledger_steps import Same, at_every_step

from corewise._transport import ledger as ledgers
from corewise._transport.ledger import LARGE_BYTES, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a second mapping is made from the same descriptor")

FINE = False  # of an item that has not failed


def pieces_in(packed: Any) -> tuple[bytes, list[bytes]]:
    """Return what `pack` gave, or a ledger, as bytes."""
    body, beside = packed
    return bytes(memoryview(body)), [bytes(memoryview(one)) for one in beside]


@pytest.fixture
def large() -> Iterator[Ledger]:
    """Make a ledger that has room for large results."""
    with closing(Ledger(None, 1, LARGE_BYTES)) as made:
        made.begin(0)
        yield made


PIECES = st.lists(st.binary(max_size=300), max_size=4)


@given(st.lists(st.one_of(st.binary(max_size=200), st.tuples(st.binary(min_size=1, max_size=300), PIECES)), max_size=9))
def test_results_in_pieces_are_read_as_they_were(results: list[Any]) -> None:
    """Among others, through another mapping; and as often as they are asked for."""
    with closing(Ledger(None, 1, LARGE_BYTES)) as ledger, closing(Ledger(Same(ledger), 1, LARGE_BYTES)) as other:
        ledger.begin(0)
        for result in results:
            packed = (result[0], [PickleBuffer(one) for one in result[1]]) if isinstance(result, tuple) else result
            assert ledger.record(FINE, packed) is not None
        for _again in range(2):
            read = [data if isinstance(data, bytes) else pieces_in(data) for _, data in other.read().records]
            assert read == results


def test_what_is_sent_of_a_result_in_pieces_is_what_it_was(large: Ledger) -> None:
    """Whatever the function does next to the array that it has returned; and others do not see that it is one place."""
    array = bytearray(b"first" * 100)
    first: Any = large.record(FINE, (b"body", [PickleBuffer(array)]))
    array[:] = b"other" * 100
    second: Any = large.record(FINE, (PickleBuffer(b"body"), [PickleBuffer(array)]))
    assert pieces_in(first) == (b"body", [b"first" * 100])
    assert pieces_in(second) == (b"body", [b"other" * 100])


def test_pieces_that_do_not_fit_are_refused_and_spoil_nothing(large: Ledger) -> None:
    """To the last byte."""
    overhead = ledgers._RECORD.size + 2 * ledgers._PIECE.size
    most = LARGE_BYTES - ledgers._HEAD_BYTES - overhead - len(b"body")
    assert large.record(FINE, (b"body", [PickleBuffer(bytes(most + 1))])) is None
    assert large.read().records == []
    assert large.record(FINE, (b"body", [PickleBuffer(bytes(most))])) is not None
    assert large.record(FINE, b"") is None
    assert [pieces_in(data) for _, data in large.read().records] == [(b"body", [bytes(most)])]


def test_pieces_are_refused_where_hardly_any_would_fit_and_those_of_failures(large: Ledger) -> None:
    """They are sent at once instead."""
    with closing(Ledger(None, 2)) as small:
        assert small.record(FINE, (b"body", [PickleBuffer(b"buffer")])) is None
        assert small.read().records == []
    assert large.record(True, (b"body", [PickleBuffer(b"buffer")])) is None  # noqa: FBT003 - as everywhere else
    assert large.read().records == []


def test_death_at_any_instruction_of_a_record_in_pieces_leaves_all_of_it_or_nothing(large: Ledger) -> None:
    """As of any other."""
    large.record(FINE, b"kept")

    def work() -> None:
        large.record(FINE, (b"body", [PickleBuffer(b"one" * 50), PickleBuffer(b"two")]))

    def read(ledger: Ledger) -> list[Any]:
        return [data if isinstance(data, bytes) else pieces_in(data) for _, data in ledger.read().records]

    expected = (b"body", [b"one" * 50, b"two"])
    assert at_every_step(large, work, read) == [[b"kept"], [b"kept", expected]]
