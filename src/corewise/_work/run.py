"""The innermost loop for workers that share the caller's memory: sync and threads.

Worker processes have a loop of their own (`_engine.worker`), because there every item also has to be written down and sent.
"""

from __future__ import annotations

from itertools import starmap
from time import perf_counter

from corewise._work.chunk import Chunk, Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def run_chunk(call: Callable[..., Any], chunk: Chunk, *, keep_going: bool, interruptible: bool) -> Done:
    """Run the items of a chunk in order.

    Args:
        call: the function.
        chunk: what to run it over.
        keep_going: whether to go on behind an item that fails; otherwise the rest of the chunk is dropped, as in a plain loop.
        interruptible: whether a KeyboardInterrupt is the user's Ctrl-C (in the caller's own thread) rather than an item's failure.

    Returns:
        The results, with the exception itself in the place of each item that failed.

    Raises:
        KeyboardInterrupt: when `interruptible`.
    """
    values: list[Any] = []
    failed: list[int] = []
    error: BaseException
    begin = perf_counter()
    pending = iter(chunk.items)
    while True:
        try:
            # `extend` keeps what it has got so far when the iterator raises, so the loop runs at the speed of C and the
            # number of values still tells which item failed.
            values.extend(starmap(call, pending) if chunk.star else map(call, pending))
        except BaseException as raised:  # noqa: BLE001 - whatever the function raises is the item's outcome
            if interruptible and isinstance(raised, KeyboardInterrupt):
                raise
            error = raised
        else:
            if len(values) == len(chunk.items):
                return Done(chunk.start, values, failed, perf_counter() - begin)
            error = StopIteration()  # raised by the function, and taken by `extend` for the end of the items
        failed.append(chunk.start + len(values))
        values.append(error)
        if not keep_going:
            return Done(chunk.start, values, failed, perf_counter() - begin, dropped=True)
