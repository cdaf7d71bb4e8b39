"""The innermost loop: a chunk of items, one after the other, as fast as a plain loop.

Sync and threads run every chunk here, and worker processes very short items; the outcomes of longer ones they write
down one by one (`_engine.worker`), so that none is lost with the process.
"""

from __future__ import annotations

from itertools import starmap
from time import perf_counter

from corewise._work.chunk import Chunk, Done
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def run_chunk(
    call: Callable[..., Any],
    chunk: Chunk,
    *,
    keep_going: bool,
    interruptible: bool,
    pending: Iterator[Any] | None = None,
    more: Callable[[int], Iterator[Any] | None] | None = None,
    values: list[Any] | None = None,
) -> Done:
    """Run the items of a chunk in order.

    Args:
        call: the function.
        chunk: what to run it over.
        keep_going: whether to go on behind an item that fails; otherwise the rest of the chunk is dropped, as in a
            plain loop.
        pending: an iterator over the chunk's items that notes how far they are taken; by default a plain one.
        more: told how many were run, gives an iterator over the next few items, None behind the last of them; by
            default `pending` has all.
        interruptible: whether a KeyboardInterrupt is the user's Ctrl-C (in the caller's own thread) rather than an
            item's failure.
        values: an empty list for the results; by default a new one.

    Returns:
        The results, with the exception itself in the place of each item that failed.

    Raises:
        KeyboardInterrupt: when `interruptible`.
    """
    values = [] if values is None else values
    failed: list[int] = []
    error: BaseException | None = None
    begin = perf_counter()
    pending = iter(chunk.items) if pending is None else pending
    try:
        while True:
            try:
                # `extend` keeps what it has got so far when the iterator raises, so the loop runs at the speed of C and
                # the number of values still tells which item failed.
                values.extend(starmap(call, pending) if chunk.star else map(call, pending))
                while more is not None and (later := more(len(values))) is not None:
                    pending = later
                    values.extend(starmap(call, pending) if chunk.star else map(call, pending))
            except BaseException as raised:  # whatever the function raises is the item's outcome
                if interruptible and isinstance(raised, KeyboardInterrupt):
                    raise
                error = without_our_frame(raised)
            else:
                if len(values) >= len(chunk.items):  # more, if the function has added to the list it runs over
                    return Done(chunk.start, values, failed, perf_counter() - begin)
                error = StopIteration()  # raised by the function, and taken by `extend` for the end of the items
            failed.append(chunk.start + len(values))
            values.append(error)
            if not keep_going:
                return Done(chunk.start, values, failed, perf_counter() - begin, dropped=len(chunk.items) - len(values))
    finally:
        # The frame of a call that failed links back to this one for as long as its exception lives.
        del values, error


def run_noted(call: Callable[..., Any], chunk: Chunk, note: memoryview, number: int, *, keep_going: bool) -> Done:
    """Run the items of a chunk in order, and write down before each which one it is.

    A plain loop, as Python calls a function of Python from its own code faster than `map` does: with the note it is as
    fast as the loops of C above are over a generator that notes (benchmarks/peers.py, row "tiny_map").

    Args:
        call: the function.
        chunk: what to run it over.
        note: where the number of the item is written.
        number: that of the first item.
        keep_going: as for `run_chunk`.
    """
    values: list[Any] = []
    failed: list[int] = []
    error: BaseException | None = None
    item: Any = None
    star = chunk.star
    begin = perf_counter()
    pending = enumerate(chunk.items, number)
    try:
        while True:
            try:
                for note[0], item in pending:
                    values.append(call(*item) if star else call(item))
            except BaseException as raised:  # noqa: BLE001 - as above
                error = without_our_frame(raised)
            else:
                return Done(chunk.start, values, failed, perf_counter() - begin)
            failed.append(chunk.start + len(values))
            values.append(error)
            if not keep_going:
                return Done(chunk.start, values, failed, perf_counter() - begin, dropped=len(chunk.items) - len(values))
    finally:
        del values, error, item  # as above


def run_seeded(call: Callable[..., Any], chunk: Chunk, seed: int, *, keep_going: bool, interruptible: bool) -> Done:
    """Run the items of a chunk in order, each with random numbers of its own, and leave the generators as they were.

    Args:
        call: the function.
        chunk: what to run it over.
        seed: from which, with the item's index, its random numbers come.
        keep_going: as for `run_chunk`.
        interruptible: as for `run_chunk`.
    """
    from corewise._work import seeds

    def seeded() -> Iterator[Any]:
        for index, item in enumerate(chunk.items, chunk.start):
            seeds.seed_item(seed, index)
            yield item

    with seeds.kept():
        return run_chunk(call, chunk, keep_going=keep_going, interruptible=interruptible, pending=seeded())
