"""Inputs that are async iterables: read by a task, a little ahead of whoever cuts chunks from them."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import CancelledError

from corewise._dispatch.source import READ_S, Source
from corewise._work.chunk import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future
    from typing import Any

    from corewise._dispatch.window import Window

_AHEAD = 256  # guess: items read ahead at most; those of an async generator are slow to come or cheap to wait for


class AsyncSource(Source):
    """Items from async iterables, or from several of which one at least is async, in step.

    Nothing is read before `begin`.

    Args:
        iterables: async ones and plain ones.
        window: bounds how far the run goes ahead, and this with it; None where all results are wanted.
    """

    def __init__(self, iterables: tuple[Any, ...], window: Window | None = None) -> None:
        super().__init__(((),) * len(iterables))
        self._window = window
        self._fed_by = [one for one in iterables if hasattr(one, "let_go") and not is_async(one)]
        self._streams = [one for one in iterables if hasattr(one, "let_go") and is_async(one)]
        self.sequences = None
        self.total = None
        self._readers: list[Any] = [aiter(one) if is_async(one) else iter(one) for one in iterables]
        self._rows: deque[Any] = deque()
        self._ended = False
        self._space = asyncio.Event()
        self._news: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._dropped = False

    def begin(self, news: Callable[[], None]) -> None:
        """Begin to read, in the running loop.

        Args:
            news: called when there is something new.
        """
        self._news = news
        self._task = asyncio.get_running_loop().create_task(self._read_all(news), name="corewise-input")

    def cut(self, size: int, ahead_s: float = READ_S, patience_s: float | None = None) -> Chunk | None:  # noqa: ARG002 - it never waits
        """Take what has been read, up to `size` items; None when nothing is there yet, or left."""
        items = [self._rows.popleft() for _ in range(min(size, len(self._rows)))]
        self._space.set()
        if not items:
            self.exhausted = self.exhausted or self._ended
            return None
        chunk = Chunk(self.taken, items, star=self.star)
        self.taken += len(items)
        return chunk

    def drop(self, *, wait: bool = True) -> None:
        """Let go of the iterables; what waits for the next item is cancelled. To be waited for by `ended`."""
        super().drop(wait=wait)
        self._rows.clear()
        self._readers = []
        if self._task is not None and not self._dropped and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._dropped = True

    async def ended(self) -> None:
        """Wait until what was dropped has cleaned up, however often the waiting task is cancelled meanwhile.

        Raises:
            CancelledError: if it was, but not before all is over.
        """
        if self._task is not None:
            await to_its_end(asyncio.ensure_future(self._end_all(self._task)))

    async def _end_all(self, reading: asyncio.Task[None]) -> None:
        await asyncio.wait([reading])
        await self._let_go()  # where it was cancelled before it had begun, or twice

    async def _let_go(self) -> None:
        while self._streams:
            await self._streams.pop().let_go()

    def _room(self) -> int:
        return _AHEAD if self._window is None else min(_AHEAD, self._window.room)

    async def _read_all(self, news: Callable[[], None]) -> None:
        readers = self._readers
        try:
            while True:
                while len(self._rows) >= self._room():
                    self._space.clear()
                    await self._space.wait()
                row = [await anext(one) if hasattr(one, "__anext__") else _next(one) for one in readers]
                self._rows.append(tuple(row) if self.star else row[0])
                news()
        except (StopAsyncIteration, _Ended):
            pass
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self.error = _without_our_frame(error)  # raised by the input itself
        except Exception as error:  # noqa: BLE001 - kept until its turn has come
            self.error = _without_our_frame(error)
        finally:
            self._ended = True
            news()
            del readers
            await self._let_go()


async def to_its_end(future: asyncio.Future[None]) -> None:
    """Wait for something that must not be broken off, however often the waiting task is cancelled meanwhile.

    Raises:
        CancelledError: if it was, but not before all is over.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    future.result()
    if cancelled is not None:
        try:
            raise cancelled
        finally:
            del cancelled


class FromLoop:
    """An async iterable for another thread, which waits for each item; in the loop that is current now.

    Args:
        one: the async iterable.
    """

    def __init__(self, one: Any) -> None:
        self._fed_by = one if hasattr(one, "let_go") else None
        self._items: AsyncIterator[Any] | None = aiter(one)
        self._loop = asyncio.get_running_loop()
        self._pending: Future[Any] | None = None
        self._reading: asyncio.Task[Any] | None = None
        self._over = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._over:
            raise StopIteration
        self._pending = asyncio.run_coroutine_threadsafe(self._next_or_end(), self._loop)
        if self._over:
            self._pending.cancel()
        try:
            found, item = self._pending.result()
        except CancelledError:
            if self._over:
                raise StopIteration from None
            raise InputCancelled("an input was cancelled") from None
        if not found:
            raise StopIteration
        return item

    def end(self) -> None:
        """Have the thread wait no longer."""
        self._over = True
        if self._pending is not None:
            self._pending.cancel()

    async def ended(self) -> None:
        """Let go of the iterable, and wait until a stream has ended; in the loop."""
        self.end()
        if self._reading is not None:
            await asyncio.wait([self._reading])
        self._items = self._reading = None
        fed_by, self._fed_by = self._fed_by, None
        if fed_by is not None:
            await fed_by.let_go()

    async def _next_or_end(self) -> tuple[bool, Any]:
        self._reading = asyncio.current_task()
        if self._items is None:
            return False, None
        try:
            return True, await anext(self._items)
        except StopAsyncIteration:
            return False, None


class InputCancelled(Exception):
    """An input was cancelled, which is not its end; an exception of its own, as it travels through plain code."""


class _Ended(Exception):
    """A plain iterable has ended."""


def is_async(one: object) -> bool:
    """Return whether it is to be read by ``async for``."""
    return hasattr(one, "__aiter__")


def _next(one: Iterator[Any]) -> Any:
    try:
        return next(one)
    except StopIteration:
        raise _Ended from None


def _without_our_frame(error: BaseException) -> BaseException:
    return error.with_traceback(None if error.__traceback__ is None else error.__traceback__.tb_next)
