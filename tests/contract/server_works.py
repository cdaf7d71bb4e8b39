"""Functions that behave as calls of a server do, importable by worker processes however they are started."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

from option_works import log

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
