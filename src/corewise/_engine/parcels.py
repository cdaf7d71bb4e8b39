"""Chunks to bytes and outcomes back, such that one bad item or result never spoils its neighbours."""

from __future__ import annotations

from itertools import chain

from corewise._transport import codec, failures
from corewise._transport.pickling import plain_dumps
from corewise._transport.plain import all_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from corewise._transport.codec import Packed
    from corewise._work.chunk import Chunk


class ItemRefused(Exception):  # an inner signal, never seen by users
    """An item of a chunk cannot travel."""

    def __init__(self, index: int, error: BaseException) -> None:
        super().__init__(index)
        self.index = index
        self.error = error


def may_be_inherited(chunk: Chunk, seen: dict[int, int]) -> bool:
    """Return whether a forked worker may use the items that it has inherited.

    Not where an object comes up again: an item that was changed in place by its worker is still as it was in the
    others, so what the second call gets would depend on who runs it. Then it is sent, fresh, each time.

    Args:
        chunk: the items.
        seen: identities of the objects of earlier chunks, with the index of the item that each was in; added to.
    """
    flat = list(chain.from_iterable(chunk.items)) if chunk.star else chunk.items
    if all_plain(flat):
        return True
    fresh = True
    for index, item in enumerate(chunk.items, chunk.start):
        for part in item if chunk.star else (item,):
            fresh = seen.setdefault(id(part), index) == index and fresh
    return fresh


def pack_items(
    chunk: Chunk, *, main_by_value: bool, first: int | None = None, apart: bool = False
) -> bytes | list[Packed]:
    """Return the items packed: all in one where nothing can go wrong with any, else each by itself.

    Args:
        chunk: the items.
        main_by_value: as for `codec.dumps`.
        first: what to call the first item, where that is not its index.
        apart: whether each must be packed by itself.

    Raises:
        ItemRefused: at the first item that cannot travel.
    """
    if not apart and all_plain(chain.from_iterable(chunk.items) if chunk.star else chunk.items):
        return plain_dumps(chunk.items if type(chunk.items) is list else chunk.items[:])
    shift = 0 if first is None else first - chunk.start
    packed: list[Packed] = []
    for index, item in enumerate(chunk.items, chunk.start):
        try:
            packed.append(codec.pack(item, f"item {index + shift}", main_by_value=main_by_value))
        except KeyboardInterrupt:
            raise  # the user's Ctrl-C, as in `unpack_each`
        except BaseException as error:  # noqa: BLE001 - the item's own pickling may raise anything
            raise ItemRefused(index, error) from None
    return packed


def unpack_each(
    first: int, records: Sequence[tuple[bool, Packed]], *, interruptible: bool = True
) -> tuple[list[Any], list[int]]:
    """Return outcomes that travelled one by one, and the indexes of those that failed.

    A result that raises while it is unpickled fails its own item only.

    Args:
        first: index of the first item.
        records: the outcomes.
        interruptible: whether a KeyboardInterrupt is the user's Ctrl-C, rather than raised by a result.

    Raises:
        KeyboardInterrupt: when `interruptible`, and Ctrl-C comes meanwhile.
    """
    values: list[Any] = []
    failed: list[int] = []
    for index, (bad, data) in enumerate(records, first):
        try:
            values.append(failures.unpack(data) if bad else codec.loads(data))
        except BaseException as error:
            if interruptible and isinstance(error, KeyboardInterrupt):
                raise  # the user's Ctrl-C, which came just now; one that the function raised is `bad`
            values.append(error)
            failed.append(index)
        else:
            if bad:
                failed.append(index)
    return values, failed
