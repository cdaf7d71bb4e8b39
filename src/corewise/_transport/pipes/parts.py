"""A message on its way into packets and out of them: where its parts lie, and how they become objects again."""

from __future__ import annotations

import marshal

from corewise._transport import recycled
from corewise._transport.lender import offsets
from corewise._transport.memory import private_copy, private_memory
from corewise._transport.pipes.connection import Message
from corewise._transport.pipes.lent import HEAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._transport.pipes.lent import Received

_RECYCLED_FROM_BYTES = 1 << 22  # as for results, see `parent_end`


class InBlock(Message):
    """A message that lies in a block."""

    __slots__ = ("_place",)

    def __init__(self, body: Any, buffers: list[Any], place: Received, *, raw: bool) -> None:
        super().__init__(body, buffers, raw=raw)
        self._place = place

    def done(self) -> None:
        """Give the block back."""
        self.body.release()
        self._place.done()


class Coming:
    """A message that comes in pieces."""

    __slots__ = ("missing", "parts", "raw")

    def __init__(self, sizes: list[int], *, raw: bool) -> None:
        self.raw = raw
        self.missing = sum(sizes)
        self.parts = [private_memory(sizes[0]), *map(_memory, sizes[1:])]

    def take(self, part: int, begin: int, piece: memoryview) -> Message | None:
        """Take a piece; return the message when it is whole."""
        self.parts[part][begin : begin + len(piece)] = piece
        self.missing -= len(piece)
        return None if self.missing else Message(self.parts[0], self.parts[1:], raw=self.raw)


def cut(packet: memoryview, sizes: list[int]) -> Message:
    """Return an object's message out of a packet that holds its parts."""
    body = packet[: sizes[0]]
    buffers, at = [], sizes[0]
    for size in sizes[1:]:
        buffers.append(bytearray(packet[at : at + size]))
        at += size
    return Message(body, buffers, raw=False)


def places_for(parts: list[memoryview]) -> tuple[list[int], int]:
    """Return from which byte of a block on each part lies, and how many bytes of it that takes."""
    begins, used = offsets(list(map(len, parts)))
    return [HEAD_BYTES + begin for begin in begins], HEAD_BYTES + used


def told_by(kind: int, what: Any) -> bytes:
    """Return the beginning of a packet that is neither a pickle nor bytes."""
    data = marshal.dumps(what)
    return b"".join((bytes((kind,)), len(data).to_bytes(2, "little"), data))


def _memory(size: int) -> memoryview:
    return recycled.memory(size) if size >= _RECYCLED_FROM_BYTES else memoryview(bytearray(size))


def copied_out(place: Received, places: list[tuple[int, int]], *, raw: bool) -> Message:
    """Return a message with its buffers in memory of this process; its body is read where it lies."""
    (begin, size), *others = places
    buffers: list[Any] = []
    try:
        for at, length in others:
            seen = place.view[at : at + length]
            if length < _RECYCLED_FROM_BYTES:
                buffers.append(private_copy(seen))
                continue
            room = recycled.memory(length)
            room[:] = seen
            buffers.append(room)
    except BaseException:
        place.done()
        raise
    return InBlock(place.view[begin : begin + size], buffers, place, raw=raw)
