"""Functions that behave as calls of a server do, importable by worker processes however they are started."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from option_works import log

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RETRY_AFTER_S = 0.05


class Busy(Exception):
    """The server has too much to do, and says when to come back."""

    retry_after = RETRY_AFTER_S


def busy(folder: str, number: int, times: int) -> int:
    """Be refused so many times, then succeed. How often it was run stands in a file."""
    if log(f"{folder}/{number}", "x") <= times:
        raise Busy(number)
    return number


def always_busy(number: int) -> int:
    """Be refused."""
    raise Busy(number)


def connect(port: int) -> None:
    """Call a server that may not be there."""
    socket.create_connection(("127.0.0.1", port), timeout=60).close()


def now(_: object) -> float:
    """Return the time of the call, by a clock that all processes share."""
    return time.monotonic()


def _entered(folder: str, number: int) -> Path:
    mine = Path(folder, f"{number}-{os.getpid()}-{threading.get_ident()}")
    mine.touch()
    return mine


def _there(folder: str) -> int:
    return len(list(Path(folder).iterdir()))


def at_once(folder: str, number: int, seconds: float = 0.01) -> int:
    """Return how many calls there are at once, this one included: each has a file as long as it lasts."""
    mine = _entered(folder, number)
    most = _there(folder)
    time.sleep(seconds)
    most = max(most, _there(folder))
    mine.unlink()
    return most


def at_once_long(folder: str, number: int) -> int:
    """Do the same for so long that threads are opened meanwhile."""
    return at_once(folder, number, 0.1)


async def at_once_later(folder: str, number: int) -> int:
    """Do the same as a coroutine function."""
    mine = _entered(folder, number)
    most = _there(folder)
    await asyncio.sleep(0.01)
    most = max(most, _there(folder))
    mine.unlink()
    return most


class Room:
    """A server in this process that has room for so many calls at once, and refuses the others after a moment.

    Args:
        most: that number.
    """

    def __init__(self, most: int) -> None:
        self.calls = 0
        self._most = most
        self._now = 0
        self._lock = threading.Lock()

    def _enter(self) -> bool:
        with self._lock:
            self.calls += 1
            welcome = self._now < self._most
            self._now += welcome
            return welcome

    def _leave(self, number: int, *, welcome: bool) -> int:
        if not welcome:
            raise Busy(number)
        with self._lock:
            self._now -= 1
        return number

    def ask(self, number: int) -> int:
        """Call it."""
        welcome = self._enter()
        time.sleep(0.005)
        return self._leave(number, welcome=welcome)

    async def ask_later(self, number: int) -> int:
        """Do the same as a coroutine function."""
        welcome = self._enter()
        await asyncio.sleep(0.005)
        return self._leave(number, welcome=welcome)


def by_verb(verb: str, fn: Callable[[int], Any], items: Iterable[int], **options: Any) -> tuple[list[Any], int]:
    """Run a function by any of the verbs; return the results, and how many retries there were."""

    async def later() -> tuple[list[Any], int]:
        if verb == "amap":
            results = await corewise.amap(fn, items, **options)
            return list(results), results.stats.retries
        async with corewise.astream(fn, items, **options) as stream:
            return [one async for one in stream], stream.stats.retries

    if verb == "map":
        results = corewise.map(fn, items, **options)
        return list(results), results.stats.retries
    if verb == "stream":
        with corewise.stream(fn, items, **options) as stream:
            return list(stream), stream.stats.retries
    return asyncio.run(later())
