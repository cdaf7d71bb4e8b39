"""Messages to bytes and back, whatever pieces the bytes come in. No socket is needed for that."""

from __future__ import annotations

import sys
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from lines import Beside, encoded, on_the_wire

from corewise._transport import frames
from corewise._transport.frames import HEADER, SCRATCH_BYTES, FrameReader

PLAIN = st.one_of(st.integers(), st.text(max_size=20), st.binary(max_size=200), st.none())
MESSAGES = st.lists(
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner), max_leaves=6), max_size=8
)


def read(data: bytes, pieces: Any) -> list[Any]:
    """Feed the bytes in pieces of these sizes (then one by one), as a socket might give them."""
    reader, came, at = FrameReader(), [], 0
    while at < len(data):
        space = reader.space()
        assert len(space) > 0, "a read into nothing would look like the end of the line"
        count = min(next(pieces, 1), len(space), len(data) - at)
        space[:count] = data[at : at + count]
        at += count
        came += [opened(frame) for frame in reader.received(count)]
    return came


def opened(frame: Any) -> Any:
    """Return the message of a frame that came as a whole through the stream."""
    return frame.message(None, None)


@given(MESSAGES, st.lists(st.integers(1, 100)))
def test_messages_come_whole_and_in_order_whatever_the_pieces(messages: list[Any], pieces: list[int]) -> None:
    """Byte by byte at the end."""
    assert read(on_the_wire(*messages), iter(pieces)) == messages


@given(
    st.lists(st.lists(st.binary(max_size=300).map(Beside) | PLAIN, max_size=5), max_size=5),
    st.lists(st.integers(1, 100)),
)
def test_buffers_that_travel_beside_come_back_into_place(messages: list[Any], pieces: list[int]) -> None:
    """Any number of them in a message, empty ones among them."""
    assert read(on_the_wire(*messages), iter(pieces)) == messages


@pytest.mark.parametrize("piece", [1, 7, 15, 16, 17, SCRATCH_BYTES - 1, SCRATCH_BYTES, 10**9])
def test_messages_around_the_size_of_the_scratch_come_whole(piece: int) -> None:
    """Where a frame ends with what was read, one byte before, and one behind."""
    (head,) = encoded(b"")
    for more in (-17, -16, -1, 0, 1, 16, HEADER.size) if piece > 1 else (0,):
        size = SCRATCH_BYTES - len(head) + more
        messages = [b"before", bytes(size), Beside(bytearray(b"x" * size)), b"behind"]
        assert read(on_the_wire(*messages), _always(piece)) == messages


def _always(size: int) -> Any:
    while True:
        yield size


def test_a_message_is_told_as_soon_as_its_last_byte_is_there() -> None:
    """And not one byte earlier."""
    data = on_the_wire("first")
    reader = FrameReader()
    for number, byte in enumerate(data):
        reader.space()[0] = byte
        came = [opened(frame) for frame in reader.received(1)]
        assert came == (["first"] if number == len(data) - 1 else [])


def test_large_buffers_are_not_copied_on_the_way_out() -> None:
    """What is written is the memory of the object itself."""
    data = bytearray(b"a" * 100_000)
    *_, last = encoded(Beside(data))
    data[0] = ord("b")
    assert bytes(last[:2]) == b"ba"


def test_what_came_beside_may_be_written_to() -> None:
    """An array that could not be changed would be another kind of result than the plain loop gives."""
    sent = [Beside(bytearray(b"read and write")), Beside(b"read only")]
    (came,) = read(on_the_wire(sent), _always(1000))
    came[0].data[0] = ord("R")
    assert bytes(came[0].data).startswith(b"Read")
    with pytest.raises(TypeError):
        came[1].data[0] = ord("R")


def test_messages_do_not_share_memory() -> None:
    """The scratch is used again, and what was read from it stays."""
    reader = FrameReader()
    came: list[Any] = []
    for letter in b"abc":
        data = on_the_wire(Beside(bytearray([letter]) * 100))
        reader.space()[: len(data)] = data
        came += map(opened, reader.received(len(data)))
    assert [bytes(one.data) for one in came] == [bytes([letter]) * 100 for letter in b"abc"]


def test_a_reader_keeps_no_message_alive() -> None:
    """Results may be large; the reader lives as long as its worker."""
    reader = FrameReader()
    data = on_the_wire(Beside(bytearray(1000)))
    reader.space()[: len(data)] = data
    (came,) = map(opened, reader.received(len(data)))
    buffer = came.data
    references = sys.getrefcount(buffer)
    del came
    # One of the object that held it, none of the reader.
    assert sys.getrefcount(buffer) == references - 1
    assert buffer[0] == 0


SIZES = st.integers(0, 1 << 63)
PLACES = st.tuples(st.integers(-(1 << 40), 1 << 40).filter(bool), SIZES, SIZES)


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(-(1 << 62), 1 << 62), SIZES), max_size=5),
    st.lists(PLACES, max_size=5),
    st.none() | PLACES,
    st.lists(st.integers(1, 100)),
)
def test_what_is_said_of_blocks_arrives_whatever_their_sizes(
    notices: Any, places: Any, body_place: Any, pieces: list[int]
) -> None:
    """Also of blocks beyond 4 GiB, and of numbers beyond what any program reaches."""
    body = b"" if body_place else b"pickle"
    data = b"".join(map(bytes, frames.encode(body, places, (), notices, body_place)))
    reader, came, at, sizes = FrameReader(), [], 0, iter(pieces)
    while at < len(data):
        count = min(next(sizes, 1), len(data) - at)
        reader.space()[:count] = data[at : at + count]
        at += count
        came += reader.received(count)
    (frame,) = came
    assert ([*frame.notices], [*frame.places], frame.body_place) == (notices, places, body_place)
    assert bytes(frame.body) == body
    assert frame.has_message
    assert frame.block == (
        body_place[0] if body_place else max([number for number, _, _ in places if number > 0], default=0)
    )
