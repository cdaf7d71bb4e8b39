"""Items to bytes and back, before the queue is touched and after.

A message is a pickle; or it begins with a byte that no pickle begins with, and is a batch, or an object whose large
buffers lie behind its pickle. Those are read into memory that earlier messages have left (`recycled`).
"""

from __future__ import annotations

import marshal
from itertools import chain
from struct import Struct

from corewise._transport import codec, recycled
from corewise._transport.plain import PLAIN

try:
    from _pickle import dumps as _dumps
    from _pickle import loads as _loads  # the public module takes 3 ms more
except ImportError:  # an interpreter without the C module
    from pickle import dumps as _dumps
    from pickle import loads as _loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from corewise._transport.queues.log import Side

    # An item as bytes, or as pieces that are written one after the other.
    Message: TypeAlias = "bytes | Pieces"

BATCH, APART, PICKLES_FROM = 1, 2, 3  # what a message begins with
BATCH_HEAD = Struct("=BQQ")  # BATCH, number of the first item, bytes of the body
_APART_HEAD = Struct("=BIQ")  # APART, how many buffers, bytes of the pickle; the sizes of the buffers follow
# From here on a message is read into memory that is used again (guess: below it, finding such memory takes longer).
LARGE_BYTES = 1 << 16
_RECYCLED_FROM_BYTES = 1 << 20  # guess: below it, fresh memory comes from the heap, whose pages are warm
BATCH_ITEMS = 1024  # guess: every process that takes one item of a batch unpickles all of it
_WITH_TUPLES = PLAIN | {tuple}


class Pieces:
    """A message in more than one piece, or a large one."""

    __slots__ = ("_size", "parts")

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        return self._size


class Ready:
    """An item of a batch."""

    __slots__ = ("_item",)

    def __init__(self, item: Any) -> None:
        self._item = item

    def item(self) -> Any:
        """Return the item."""
        return self._item


class Received:
    """What was read of a large message."""

    __slots__ = ("_body", "_buffers")

    def __init__(self, body: Any, buffers: list[Any] | None) -> None:
        self._body = body
        self._buffers = buffers

    def item(self) -> Any:
        """Return the item."""
        return _loads(self._body, buffers=self._buffers)


def encode(item: Any) -> Message:
    """Return an item as a message. Pieces refer to the item's own memory, so it must not change until they are written.

    Raises:
        CannotTravel: when it can be pickled in no way; it names the part that cannot.
    """
    beside: list[Any] = []
    try:
        data = _dumps(item, 5, buffer_callback=beside.append)
        if not beside and len(data) < LARGE_BYTES:
            return data
        return _pieces(data, [one.raw() for one in beside])
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - objects raise what they like while being pickled; or a buffer not in one piece
        return codec.dumps(item, "the item")


def _pieces(data: bytes, buffers: list[memoryview]) -> Pieces:
    head = _APART_HEAD.pack(APART, len(buffers), len(data))
    sizes = Struct(f"={len(buffers)}Q").pack(*map(len, buffers))
    return Pieces([head + sizes, memoryview(data), *buffers])


def encode_batch(items: Sequence[Any]) -> bytes | None:
    """Return plain items as the body of a batch; None when they have to travel one by one.

    Plain means here: nothing that can change is in them, so it does not matter that they are pickled together.
    """
    try:
        kinds = set(map(type, items))
        if not kinds <= PLAIN:
            if not kinds <= _WITH_TUPLES:
                return None
            tuples = items if len(kinds) == 1 else [item for item in items if type(item) is tuple]
            if not set(map(type, chain.from_iterable(tuples))) <= PLAIN:
                return None
    except TypeError:  # a class whose own class compares as it likes
        return None
    try:
        return marshal.dumps(items if type(items) is list else list(items))
    except ValueError:  # a text of more than 2 GiB
        return None


def decode(message: Any) -> Any:
    """Return the item of a message that was taken.

    Raises:
        Exception: whatever the item raises as it is unpickled.
    """
    return _loads(message) if type(message) is bytes else message.item()


def decode_many(taken: list[Any]) -> list[Any]:
    """Return the items of messages that were taken, and of parts of batches.

    Raises:
        Exception: what the first broken item raises; its attribute `items` has the others.
    """
    items: list[Any] = []
    broken: Exception | None = None
    for part in taken:
        if type(part) is list:
            items += part
            continue
        try:
            items.append(decode(part))
        except Exception as error:  # noqa: BLE001 - raised below, with those that are whole
            broken = broken or error
    if broken is not None:
        broken.items = items  # type: ignore[attr-defined]
        raise broken
    return items


def decode_batch(data: Any) -> list[Any]:
    """Return the items of a batch."""
    items: list[Any] = marshal.loads(data)  # noqa: S302 - both ends are the same user's
    return items


def read_large(side: Side, begin: int) -> Received:
    """Read a message of the kind `APART` out of the ring.

    Raises:
        MemoryError: when there is no memory to read it to.
    """
    _, count, body_bytes = _APART_HEAD.unpack(side.read(begin, _APART_HEAD.size))
    begin += _APART_HEAD.size
    sizes = Struct(f"={count}Q").unpack(side.read(begin, 8 * count))
    begin += 8 * count
    parts = []
    for part_bytes in (body_bytes, *sizes):
        memory = _memory(part_bytes)
        begin = side.read_into(begin, memory)
        parts.append(memory)
    return Received(parts[0], parts[1:])


def _memory(size: int) -> memoryview:
    if size < _RECYCLED_FROM_BYTES:
        return memoryview(bytearray(size))
    return recycled.memory(size)
