"""Inputs that are async iterables: read by a task, a little ahead of whoever cuts chunks from them."""

from __future__ import annotations

import asyncio
from collections import deque

from corewise._dispatch.source import READ_S, Source
from corewise._work.chunk import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future
    from typing import Any

_AHEAD = 256  # guess: items read ahead; those of an async generator are slow to come or cheap to wait for


class AsyncSource(Source):
    """Items from async iterables, or from several of which one at least is async, in step.

    Nothing is read before `begin`.

    Args:
        iterables: async ones and plain ones.
    """

    def __init__(self, iterables: tuple[Any, ...]) -> None:
        super().__init__(((),) * len(iterables))
        self.sequences = None
        self.total = None
        self._readers: list[Any] = [aiter(one) if is_async(one) else iter(one) for one in iterables]
        self._rows: deque[Any] = deque()
        self._ended = False
        self._space = asyncio.Event()
        self._news: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, news: Callable[[], None]) -> None:
        """Begin to read, in the running loop.

        Args:
            news: called when there is something new.
        """
        self._news = news
        self._task = asyncio.get_running_loop().create_task(self._read_all(news), name="corewise-input")

    def cut(self, size: int, ahead_s: float = READ_S) -> Chunk | None:  # noqa: ARG002 - it has been read already
        """Take what has been read, up to `size` items; None when nothing is there yet, or left."""
        items = [self._rows.popleft() for _ in range(min(size, len(self._rows)))]
        if not items:
            self.exhausted = self.exhausted or self._ended
            return None
        chunk = Chunk(self.taken, items, star=self.star)
        self.taken += len(items)
        self._space.set()
        return chunk

    def drop(self) -> None:
        """Let go of the iterables; what waits for the next item is cancelled."""
        super().drop()
        self._rows.clear()
        self._readers = []
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._task = None

    async def _read_all(self, news: Callable[[], None]) -> None:
        readers = self._readers
        try:
            while True:
                while len(self._rows) >= _AHEAD:
                    self._space.clear()
                    await self._space.wait()
                row = [await anext(one) if hasattr(one, "__anext__") else _next(one) for one in readers]
                self._rows.append(tuple(row) if self.star else row[0])
                news()
        except (StopAsyncIteration, _Ended):
            pass
        except Exception as error:  # noqa: BLE001 - kept until its turn has come
            self.error = error.with_traceback(None if error.__traceback__ is None else error.__traceback__.tb_next)
        finally:
            self._ended = True
            news()
            del readers


class FromLoop:
    """An async iterable for another thread, which waits for each item; in the loop that is current now.

    Args:
        one: the async iterable.
    """

    def __init__(self, one: Any) -> None:
        self._items: AsyncIterator[Any] = aiter(one)
        self._loop = asyncio.get_running_loop()
        self._pending: Future[Any] | None = None
        self._over = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._over:
            raise StopIteration
        self._pending = asyncio.run_coroutine_threadsafe(_next_or_end(self._items), self._loop)
        if self._over:
            self._pending.cancel()
        found, item = self._pending.result()
        if not found:
            raise StopIteration
        return item

    def end(self) -> None:
        """Have the thread wait no longer."""
        self._over = True
        if self._pending is not None:
            self._pending.cancel()


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


async def _next_or_end(items: AsyncIterator[Any]) -> tuple[bool, Any]:
    try:
        return True, await anext(items)
    except StopAsyncIteration:
        return False, None
