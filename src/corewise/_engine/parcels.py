"""Chunks to bytes and outcomes back, such that one bad item or result never spoils its neighbours."""

from __future__ import annotations

from itertools import chain

from corewise._transport import codec, failures
from corewise._transport.plain import all_plain
from corewise.errors import CannotTravel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from corewise._transport.codec import Packed
    from corewise._work.chunk import Chunk


class ItemRefused(Exception):  # an inner signal, never seen by users
    """An item of a chunk cannot travel."""

    def __init__(self, index: int, error: CannotTravel) -> None:
        super().__init__(index)
        self.index = index
        self.error = error


def pack_items(chunk: Chunk, *, main_by_value: bool) -> bytes | list[Packed]:
    """Return the items packed: all in one where nothing can go wrong with any, else each by itself.

    Args:
        chunk: the items.
        main_by_value: as for `codec.dumps`.

    Raises:
        ItemRefused: at the first item that cannot travel.
    """
    if all_plain(chain.from_iterable(chunk.items) if chunk.star else chunk.items):
        return codec.dumps(chunk.items)
    packed: list[Packed] = []
    for index, item in enumerate(chunk.items, chunk.start):
        try:
            packed.append(codec.pack(item, f"item {index}", main_by_value=main_by_value))
        except CannotTravel as error:
            raise ItemRefused(index, error) from None
    return packed


def unpack_plain(data: bytes) -> tuple[list[Any], list[int]]:
    """Return results that travelled in one, and that none failed."""
    return codec.loads(data), []


def unpack_each(first: int, records: Sequence[tuple[bool, Packed]]) -> tuple[list[Any], list[int]]:
    """Return outcomes that travelled one by one, and the indexes of those that failed.

    A result that raises while it is unpickled fails its own item only.

    Raises:
        KeyboardInterrupt: when Ctrl-C comes meanwhile.
    """
    values: list[Any] = []
    failed: list[int] = []
    for index, (bad, data) in enumerate(records, first):
        try:
            values.append(failures.unpack(data) if bad else codec.loads(data))
        except KeyboardInterrupt:
            raise  # the user's Ctrl-C, which came just now; one that the function raised is `bad`
        except BaseException as error:  # noqa: BLE001 - the result's own unpickling may raise anything
            values.append(error)
            failed.append(index)
        else:
            if bad:
                failed.append(index)
    return values, failed
