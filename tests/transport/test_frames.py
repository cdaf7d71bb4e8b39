"""Messages to bytes and back, whatever pieces the bytes come in. No socket is needed for that."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._transport.frames import SCRATCH_BYTES, FrameReader, encode

PLAIN = st.one_of(st.integers(), st.text(max_size=20), st.binary(max_size=200), st.none())
MESSAGES = st.lists(
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner), max_leaves=6), max_size=8
)


class Beside:
    """An object whose bytes travel beside the pickle, as an array's do."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Beside, (pickle.PickleBuffer(self.data),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Beside) and bytes(self.data) == bytes(other.data)

    def __hash__(self) -> int:
        return hash(bytes(self.data))


def on_the_wire(messages: list[Any]) -> bytes:
    """Return what is written for some messages."""
    return b"".join(bytes(piece) for message in messages for piece in encode(message))


def read(data: bytes, pieces: Any) -> list[Any]:
    """Feed the bytes in pieces of these sizes (then one by one), as a socket might give them."""
    reader, came, at = FrameReader(), [], 0
    while at < len(data):
        space = reader.space()
        assert len(space) > 0, "a read into nothing would look like the end of the line"
        count = min(next(pieces, 1), len(space), len(data) - at)
        space[:count] = data[at : at + count]
        at += count
        came += reader.received(count)
    return came


@given(MESSAGES, st.lists(st.integers(1, 100)))
def test_messages_come_whole_and_in_order_whatever_the_pieces(messages: list[Any], pieces: list[int]) -> None:
    """Byte by byte at the end."""
    assert read(on_the_wire(messages), iter(pieces)) == messages


@given(
    st.lists(st.lists(st.binary(max_size=300).map(Beside) | PLAIN, max_size=5), max_size=5),
    st.lists(st.integers(1, 100)),
)
def test_buffers_that_travel_beside_come_back_into_place(messages: list[Any], pieces: list[int]) -> None:
    """Any number of them in a message, empty ones among them."""
    assert read(on_the_wire(messages), iter(pieces)) == messages


@pytest.mark.parametrize("piece", [1, 7, 15, 16, 17, SCRATCH_BYTES - 1, SCRATCH_BYTES, 10**9])
def test_messages_around_the_size_of_the_scratch_come_whole(piece: int) -> None:
    """Where a frame ends with what was read, one byte before, and one behind."""
    (head,) = encode(b"")
    for more in (-17, -16, -1, 0, 1, 16) if piece > 1 else (0,):
        size = SCRATCH_BYTES - len(head) + more
        messages = [b"before", bytes(size), Beside(bytearray(b"x" * size)), b"behind"]
        assert read(on_the_wire(messages), _always(piece)) == messages


def _always(size: int) -> Any:
    while True:
        yield size


def test_a_message_is_told_as_soon_as_its_last_byte_is_there() -> None:
    """And not one byte earlier."""
    data = on_the_wire(["first"])
    reader = FrameReader()
    for number, byte in enumerate(data):
        reader.space()[0] = byte
        assert reader.received(1) == (["first"] if number == len(data) - 1 else [])


def test_large_buffers_are_not_copied_on_the_way_out() -> None:
    """What is written is the memory of the object itself."""
    data = bytearray(b"a" * 100_000)
    *_, last = encode(Beside(data))
    data[0] = ord("b")
    assert bytes(last[:2]) == b"ba"


def test_what_came_beside_may_be_written_to() -> None:
    """An array that could not be changed would be another kind of result than the plain loop gives."""
    sent = [Beside(bytearray(b"read and write")), Beside(b"read only")]
    (came,) = read(on_the_wire([sent]), _always(1000))
    came[0].data[0] = ord("R")
    assert bytes(came[0].data).startswith(b"Read")
    with pytest.raises(TypeError):
        came[1].data[0] = ord("R")


def test_messages_do_not_share_memory() -> None:
    """The scratch is used again, and what was read from it stays."""
    reader = FrameReader()
    came: list[Any] = []
    for letter in b"abc":
        data = on_the_wire([Beside(bytearray([letter]) * 100)])
        reader.space()[: len(data)] = data
        came += reader.received(len(data))
    assert [bytes(one.data) for one in came] == [bytes([letter]) * 100 for letter in b"abc"]


def test_a_reader_keeps_no_message_alive() -> None:
    """Results may be large; the reader lives as long as its worker."""
    reader = FrameReader()
    data = on_the_wire([Beside(bytearray(1000))])
    reader.space()[: len(data)] = data
    (came,) = reader.received(len(data))
    buffer = came.data
    references = sys.getrefcount(buffer)
    del came
    # One of the object that held it, none of the reader.
    assert sys.getrefcount(buffer) == references - 1
    assert buffer[0] == 0
