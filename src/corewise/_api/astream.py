"""`corewise.astream`: results one by one, as they are asked for, in a running event loop."""

from __future__ import annotations

from corewise._types.light import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self, Unpack

    from corewise._api.loop_call import LoopCall
    from corewise._api.thread_call import ThreadCall
    from corewise._types.choice import Choice, Failed, Stats
    from corewise._types.events import Progress
    from corewise._types.options import StreamOptionArgs
    from corewise._work.chunk import Done


def astream(
    fn: Callable[..., Any],
    *iterables: Iterable[Any] | AsyncIterable[Any],
    approach: str = "auto",
    workers: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[StreamOptionArgs],
) -> AsyncStream:
    """Run a function over inputs of any length and give the results one by one, to ``async for``.

    It is to `corewise.stream` what `corewise.amap` is to `corewise.map`: everything else in the event loop goes on
    meanwhile. Memory stays bounded, even if the input is endless or the consumer slow. Nothing starts before the first
    result is asked for.

    Args:
        fn: the function, plain or a coroutine function.
        *iterables: the inputs, plain or async ones. A stream among them ends with this one.
        approach: as for `amap`.
        workers: as for `amap`.
        progress: as for `amap`.
        **options: those of `map`, and `buffer`; see `corewise.Options`.

    Returns:
        An async iterator, to be read by one task at a time. Read it to the end, or leave ``async with`` around it, or
        `aclose` it: then all that it has begun is ended and the input is let go.

    Raises:
        OptionError: when an argument is out of range, or the approach does not fit the function or an option.
        TypeError: when an option is unknown or `fn` is not callable.
        RuntimeError: when no event loop is running.

    Example:
        >>> import asyncio, corewise, itertools
        >>> async def main():
        ...     async with corewise.astream(pow, itertools.count(), itertools.repeat(2), approach="threads") as squares:
        ...         async for square in squares:
        ...             if square > 50:
        ...                 return square
        >>> asyncio.run(main())
        64
    """
    return AsyncStream(fn, iterables, {"approach": approach, "workers": workers, "progress": progress}, options)


class AsyncStream:
    """The results of an `astream`: an async iterator and an async context manager.

    It reads like an async generator: what the function raises comes out of ``async for``, after the results of all
    items before the one that failed, and ends it; so does the cancellation of the task that reads it.

    Args:
        fn: the function.
        iterables: the inputs.
        named: the arguments `approach`, `workers` and `progress`.
        given: all other keyword arguments.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        iterables: tuple[Any, ...],
        named: Mapping[str, Any],
        given: Mapping[str, object],
    ) -> None:
        from asyncio import get_running_loop

        from corewise._api.loop_call import open_call
        from corewise._api.stream import window_of

        self._closed = True  # until there is something to close
        self._loop = get_running_loop()
        self._call: LoopCall | ThreadCall = open_call("astream", fn, iterables, named, given, window_of)
        self._parts: deque[Done] = deque()
        self._values: list[Any] = []  # of the part that is being taken, in reverse
        self._size = (0, 0)  # of that part: items, bytes
        self._busy = False
        self._closed = False
        self._ended: asyncio.Event | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """Return the next result."""
        if self._values:
            return self._values.pop()
        if self._busy:
            raise RuntimeError("this stream is being read already, by another task")
        self._refuse_other_loops()
        self._busy = True
        try:
            if not self._closed and await self._has_next_part():
                return self._values.pop()
            await self._end()
        except GeneratorExit:  # the loop was closed, so there is nothing to wait with
            self._closed = True
            self._call.close(wait=False)
            raise
        except BaseException as error:
            await self._end(wait=isinstance(error, Exception))
            raise
        finally:
            self._busy = False
        raise StopAsyncIteration

    @property
    def choice(self) -> Choice | None:
        """Which approach runs the items, and why; None until that is known."""
        return self._call.choice

    @property
    def stats(self) -> Stats:
        """What it has cost so far; counts items when their results are there, taken or not."""
        return self._call.stats()

    @property
    def failures(self) -> list[Failed]:
        """The items that failed so far, the first thousand of them, in input order; `stats` counts all.

        Empty unless ``on_error="return"`` was given.
        """
        return self._call.failures

    async def aclose(self) -> None:
        """End it: cancel coroutines and wait until they have cleaned up, kill processes; threads end with their items.

        Raises:
            RuntimeError: when another task is just reading it.
        """
        if self._busy:
            raise RuntimeError("this stream is being read by another task; cancel that one")
        await self._end()

    async def let_go(self) -> None:
        """End it, as nobody will go on reading, or wait until it has ended: for what has read it, when that ends."""
        await self._end()
        if self._ended is not None:
            await self._ended.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def __del__(self) -> None:
        if not self._closed:
            self._closed = True
            self._call.close(wait=False)

    def _refuse_other_loops(self) -> None:
        from asyncio import get_running_loop

        if get_running_loop() is not self._loop:
            raise RuntimeError("this stream belongs to another event loop, in which its calls are run")

    async def _has_next_part(self) -> bool:
        """Go on to the next part; False when there is none."""
        self._call.taken(*self._size)
        self._size = (0, 0)
        while not self._parts:
            parts = await self._call.advance()
            if parts is None:
                return False
            self._parts.extend(part for part in parts if part.values)
            del parts
        part = self._parts.popleft()
        self._size = len(part.values), part.size_bytes
        part.values.reverse()
        self._values = part.values
        del part  # frames of a call that failed may link back to this one, and must not meet their exception here
        return True

    async def _end(self, *, wait: bool = False) -> None:
        if self._closed:
            return
        self._closed = True
        self._values = []
        self._parts.clear()
        from asyncio import Event

        self._ended = Event()
        try:
            await self._call.aclose(wait=wait)
        finally:
            self._ended.set()
