"""Functions to compare the approaches on, and how one of them finds out which approach runs it."""

from __future__ import annotations

import asyncio
import faulthandler
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corewise import Comparison
    from corewise._types.comparison import Case, Row

# The process of the tests. Trials run in a child of it, and workers of theirs in grandchildren.
TESTS = os.getpid()


def approach() -> str:
    """Say which approach runs this."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return "asyncio"
    if threading.current_thread() is not threading.main_thread():
        return "threads"
    return "sync" if os.getppid() == TESTS else "processes"


def case(comparison: Comparison) -> Case:
    """Return the one case of a comparison."""
    (only,) = comparison.document["cases"]
    return only


def rows(comparison: Comparison) -> dict[str, Row]:
    """Return the rows of a comparison by their labels, in order."""
    return {row["label"]: row for row in case(comparison)["rows"]}


def statuses(comparison: Comparison) -> dict[str, str]:
    """Return how each approach ended."""
    return {label: row["status"] for label, row in rows(comparison).items()}


def sum_of_squares(count: int) -> int:
    """Compute, holding the GIL."""
    return sum(number * number for number in range(count))


def digest(data: bytes) -> str:
    """Compute, releasing the GIL."""
    return hashlib.sha256(data).hexdigest()


def wait(seconds: float) -> float:
    """Wait, releasing everything."""
    time.sleep(seconds)
    return seconds


async def wait_later(seconds: float) -> float:
    """Wait without holding anybody up."""
    await asyncio.sleep(seconds)
    return seconds


def add(one: int, other: int) -> int:
    """Take two arguments."""
    return one + other


async def add_later(one: int, other: int) -> int:
    """Take two arguments and a moment."""
    await asyncio.sleep(0)
    return one + other


def fail_at_three(number: int) -> int:
    """Raise for 3."""
    if number == 3:
        raise ValueError("no threes here")
    return number


def exit_at_three(number: int) -> int:
    """Leave the program at 3."""
    if number == 3:
        sys.exit(4)
    return number


def kill_at_three(number: int) -> int:
    """End the process at 3."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def say_and_hang(path: str) -> None:
    """Tell the process id, and never return."""
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    signal.pause()


def only_in(name: str, do: Any) -> Any:
    """Return a function that does something in one approach, and is harmless elsewhere."""

    def fn(number: int) -> int:
        if approach() == name:
            do()
        return number

    return fn


def abort() -> None:
    """End the process as a failed check in C code does, without the stacks that the tests have shown elsewhere."""
    faulthandler.disable()
    os.abort()


def hang() -> None:
    """Never return."""
    while True:
        time.sleep(3600)
