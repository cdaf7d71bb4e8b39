"""Functions for workers that run several calls at once, importable however these are started."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import signal
import threading
from pathlib import Path

SIDE_BY_SIDE = 3
_barrier = threading.Barrier(SIDE_BY_SIDE)
_at_once = [0, 0]  # calls that run now, and the most that did
_counting = threading.Lock()
tenant = contextvars.ContextVar("tenant", default="nobody")


def _meet(number: int) -> int:
    """Wait until as many calls as may be are under way in this process; count them."""
    with _counting:
        _at_once[0] += 1
        _at_once[1] = max(_at_once)
    _barrier.wait(15)
    with _counting:
        _at_once[0] -= 1
    return number


def meet(number: int) -> tuple[int, int, int]:
    """Return the number, how many calls were under way at once at most, and the process."""
    return _meet(number), _at_once[1], os.getpid()


async def meet_later(number: int) -> tuple[int, int, int]:
    """Do the same as a coroutine function."""
    return await asyncio.to_thread(_meet, number), _at_once[1], os.getpid()


def meet_and_die(path: str, number: int, deadly: int) -> int:
    """The first three calls meet; one of them ends the process, as often as the file has no line of it."""
    if number < SIDE_BY_SIDE and not _has_died(path):
        _barrier.wait(15)
        if number == deadly:
            _note(path)
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait(60)
    return number * number


async def meet_and_die_later(path: str, number: int, deadly: int) -> int:
    """Do the same as a coroutine function."""
    if number < SIDE_BY_SIDE and not _has_died(path):
        await asyncio.to_thread(_barrier.wait, 15)
        if number == deadly:
            _note(path)
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(60)
    return number * number


def _has_died(path: str) -> bool:
    return Path(path).exists()


def _note(path: str) -> None:
    with Path(path).open("a", encoding="ascii") as file:
        file.write("died\n")


def log_and_die_at(path: str, number: int, deadly: int) -> int:
    """Leave a line before and after; one call ends its process."""
    _line(path, f"+{number}")
    if number == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait(0.002)
    _line(path, f"-{number}")
    return number * number


async def log_and_die_at_later(path: str, number: int, deadly: int) -> int:
    """Do the same as a coroutine function."""
    _line(path, f"+{number}")
    if number == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.002)
    _line(path, f"-{number}")
    return number * number


def _line(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, f"{text}\n".encode("ascii"))
    finally:
        os.close(fd)


def grow(data: bytes, number: int) -> bytes:
    """Take what is large, and return what is larger."""
    return data + bytes([number])


async def grow_later(data: bytes, number: int) -> bytes:
    """Do the same as a coroutine function."""
    await asyncio.sleep(0)
    return data + bytes([number])


def say(number: int) -> int:
    """Log the number, among others."""
    threading.Event().wait(0.001)
    logging.getLogger("corewise.tests").warning("number %d", number)
    return number


async def say_later(number: int) -> int:
    """Do the same as a coroutine function, and in a task and a thread that it starts."""
    await asyncio.sleep(0.001)
    logging.getLogger("corewise.tests").warning("number %d", number)
    await asyncio.create_task(asyncio.to_thread(logging.getLogger("corewise.tests").warning, "number %d", number))
    return number


def who(number: int) -> str:
    """Say whose call it is, and make the next one somebody else's, if that could be."""
    return f"{tenant.get()} {number}"


async def who_later(number: int) -> str:
    """Do the same as a coroutine function."""
    said = tenant.get()
    tenant.set("somebody else")
    await asyncio.sleep(0)
    return f"{said} {number}"


async def loop_of_mine(_: int) -> tuple[int, int]:
    """Say which process and which event loop this is."""
    await asyncio.sleep(0.001)
    return os.getpid(), id(asyncio.get_running_loop())


async def hang_at_5(number: int) -> int:
    """One call waits for ever."""
    await asyncio.sleep(600 if number == 5 else 0.001)
    return number


async def cancel_itself_at_2(number: int) -> int:
    """One call cancels its own task."""
    if number == 2:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
    await asyncio.sleep(0)
    return number


async def leave_a_task_that_exits(number: int) -> int:
    """One call starts a task that ends the loop, and waits."""
    if number == 1:

        async def leave() -> None:
            raise SystemExit(7)

        keep.append(asyncio.create_task(leave()))
        await asyncio.sleep(60)
    return number


keep: list[asyncio.Task[None]] = []
