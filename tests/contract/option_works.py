"""Functions for the tests of options and streams, importable by worker processes however they are started."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import threading
import time
from pathlib import Path

import works

PREPARED: list[str] = []


def flaky(folder: str, number: int, times: int, how: str) -> int:
    """Fail so many times, in one way or another, then succeed. How often it was run stands in a file."""
    attempt = log(f"{folder}/{number}", "x")
    if attempt <= times:
        if how == "hangs":
            time.sleep(600)
        if how == "dies":
            works.die("SIGKILL")
        raise ValueError(f"attempt {attempt} of item {number}")
    return number


async def flaky_later(folder: str, number: int, times: int, how: str) -> int:
    """Do the same as a coroutine function."""
    if how != "hangs":
        return flaky(folder, number, times, how)
    if log(f"{folder}/{number}", "x") <= times:
        await asyncio.sleep(600)
    return number


def log(path: str, line: str) -> int:
    """Add a line to a file; return how many there are."""
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{line}\n")
    return len(Path(path).read_text(encoding="ascii").splitlines())


def prepare(path: str, word: str) -> None:
    """Be an initializer: leave a word for the items, and a line that says where this was."""
    PREPARED.append(word)
    log(path, f"{os.getpid()}-{threading.get_ident()}")


async def prepare_later(path: str, word: str) -> None:
    """Be an initializer that is a coroutine function."""
    await asyncio.sleep(0)
    prepare(path, word)


def prepared(_: object) -> str:
    """Return the word that the initializer left."""
    return PREPARED[-1] if PREPARED else "nothing"


def refuse() -> None:
    """Be an initializer that fails."""
    raise LookupError("no licence")


def draw(_: object) -> tuple[float, float]:
    """Draw two random numbers."""
    return random.random(), random.random()


async def draw_later(_: object) -> tuple[float, float]:
    """Draw two random numbers, as a coroutine function."""
    return draw(_)


def sleep_at_3(number: int) -> int:
    """Hang at item 3."""
    if number == 3:
        time.sleep(600)
    return number


async def sleep_at_3_later(number: int) -> int:
    """Hang at item 3, as a coroutine function."""
    if number == 3:
        await asyncio.sleep(600)
    return number


def worker_name(_: object) -> str:
    """Say what this worker is called."""
    thread, process = threading.current_thread(), multiprocessing.current_process()
    return process.name if thread is threading.main_thread() else thread.name


def answer(folder: str, number: int) -> int:
    """Item 1 waits for a word through a named pipe, and answers through another."""
    if number == 1:
        word = Path(folder, "question").read_bytes()
        Path(folder, "answer").write_bytes(word)
    return number


async def answer_later(folder: str, number: int) -> int:
    """Do the same as a coroutine function, without blocking the others."""
    return await asyncio.to_thread(answer, folder, number)
