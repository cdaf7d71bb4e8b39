"""`corewise.amap`: `map`, to be awaited in a running event loop."""

from __future__ import annotations

from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from typing import Any, Unpack

    from corewise._api.results import Results
    from corewise._types.events import Progress
    from corewise._types.options import OptionArgs


async def amap(
    fn: Callable[..., Any],
    *iterables: Iterable[Any] | AsyncIterable[Any],
    approach: str = "auto",
    workers: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[OptionArgs],
) -> Results:
    """Run a function over many inputs and return all results, while everything else in the event loop goes on.

    The outcome is that of `corewise.map`: the same results in the same order, and the first failure raised with a note
    that names its item. Coroutine functions run in the caller's own loop, so they may use its clients and connections;
    plain functions run by threads or processes, never in the loop. Cancelling the task that awaits (also by
    ``asyncio.timeout``) ends the work: coroutines are cancelled and waited for, processes are killed, a thread ends
    with the item it is at.

    Args:
        fn: the function, plain or a coroutine function. Each call of a coroutine function sees a copy of the caller's
            context variables.
        *iterables: the inputs, plain or async ones; with several, `fn` gets one argument from each and the shortest
            ends the input. Plain ones are read in the loop; one that waits should be an async generator.
        approach: as for `map`. With ``"auto"`` a coroutine function runs in the loop, and the first items of a plain
            function run in a helper thread and tell what to do with the rest. With ``"sync"`` one call is made after
            the other: in the loop for a coroutine function, in a helper thread for a plain one.
        workers: as for `map`.
        progress: as for `map`; with a helper thread, told in that.
        **options: those of `map`; see `corewise.Options`.

    Returns:
        The results: a list with `choice`, `stats` and `failures`.

    Raises:
        OptionError: when an argument is out of range, or the approach does not fit the function or an option.
        TypeError: when an option is unknown or `fn` is not callable.
        CannotTravel: when the function, an item or a result cannot be sent to another process.
        WorkerDied: when a worker process ended under an item; the note names the item.
        TimeoutError: when an item took longer than `timeout`.
        TooManyFailures: when more items failed than `max_failures` allows.
        CancelledError: when the task that awaits is cancelled.
        Exception: whatever `fn` raised for the first item that failed.

    Example:
        >>> import asyncio, corewise
        >>> async def double_later(number):
        ...     await asyncio.sleep(0.001)
        ...     return 2 * number
        >>> async def main():
        ...     return await corewise.amap(double_later, range(3))
        >>> asyncio.run(main())
        [0, 2, 4]
    """
    from corewise._api.loop_call import gather, open_call

    if "buffer" in options:
        raise OptionError("buffer bounds how far a stream is ahead of its consumer; amap returns all results at once")
    named = {"approach": approach, "workers": workers, "progress": progress}
    return await gather(open_call("amap", fn, iterables, named, options))
