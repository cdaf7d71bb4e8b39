"""What the pools of the contract are given to do; at module level, so that worker processes can import it."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from multiprocessing.pool import MaybeEncodingError
from typing import TYPE_CHECKING, Any

import corewise

if TYPE_CHECKING:
    from collections.abc import Iterator

PREPARED: list[str] = []


def square(number: int) -> int:
    """Return the product with itself."""
    return number * number


def add(one: int, other: int = 100) -> int:
    """Return the sum."""
    return one + other


def fail_at_three(number: int) -> int:
    """Fail for one number."""
    if number == 3:
        raise ValueError(f"no {number} here")
    return number


def kill_at_three(number: int) -> int:
    """End the process at one number."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def exit_at_three(number: int) -> int:
    """End the process in another way."""
    if number == 3:
        os._exit(7)
    return number


def crash_at_three(number: int) -> int:
    """End the process in the way of C code."""
    if number == 3:
        ctypes.string_at(0)
    return number


def pid_of(_: object) -> int:
    """Return the worker's process id."""
    return os.getpid()


def tell_and_sleep(pipe: str) -> None:
    """Say that it has begun, and never end."""
    with open(pipe, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{os.getpid()}\n")
    time.sleep(60)


def lock_of(_: object) -> Any:
    """Return what cannot be sent."""
    return threading.Lock()


def stop_iteration(_: object) -> None:
    """Raise what ends iterators."""
    raise StopIteration


def prepare(word: str) -> None:
    """Leave something for later calls."""
    PREPARED.append(word)


def fail_to_prepare() -> None:
    """Fail before the first call."""
    raise LookupError("nothing to prepare with")


def prepared(_: object) -> list[str]:
    """Return what was left."""
    return PREPARED


def pool_inside(number: int) -> list[int]:
    """Return squares from a pool of its own."""
    with corewise.Pool(1) as pool:
        return pool.map(square, range(number))


def endless_until(event: threading.Event) -> Iterator[int]:
    """Give a few numbers, and block until the event is set."""
    yield from range(5)
    event.wait()
    yield 5


def is_encoding_error(error: BaseException) -> bool:
    """Return whether handlers of multiprocessing's users catch it."""
    return isinstance(error, MaybeEncodingError)
