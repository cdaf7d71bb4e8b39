"""Functions for the contract suite, importable by worker processes however they are started."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path


def square(number: int) -> int:
    """Compute a little."""
    return number * number


async def square_later(number: int) -> int:
    """Wait a moment, then compute a little."""
    await asyncio.sleep(0)
    return number * number


def add(one: int, other: int) -> int:
    """Take two arguments."""
    return one + other


async def add_later(one: int, other: int) -> int:
    """Take two arguments, as a coroutine function."""
    return one + other


class NeedsTwo(Exception):
    """An exception that pickles but cannot be unpickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class HoldsLock(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class Tracked(Exception):
    """An exception that weak references can follow, as those of C classes cannot."""


def raise_tracked(number: int) -> int:
    """Raise for 3."""
    return fail_at(number, 3, error=Tracked)


class Stop(BaseException):
    """An exception that is no `Exception`."""


def fail_at(number: int, *bad: int, error: type[BaseException] = ValueError) -> int:
    """Raise for some numbers."""
    if number in bad:
        raise error(f"no {number}s here")
    return number


def fail_for_3_and_7(number: int) -> int:
    """Raise for 3 and 7; 3 takes its time, so that 7 often fails first."""
    if number == 3:
        time.sleep(0.05)
    return fail_at(number, 3, 7)


async def fail_for_3_and_7_later(number: int) -> int:
    """Raise for 3 and 7, as a coroutine function."""
    if number == 3:
        await asyncio.sleep(0.05)
    return fail_at(number, 3, 7)


def raise_two_args(number: int) -> int:
    """Raise what cannot be unpickled."""
    raise NeedsTwo("this", f"{number}")


def raise_lock(number: int) -> int:
    """Raise what cannot be pickled."""
    raise HoldsLock(f"locked {number}")


def raise_base(number: int) -> int:
    """Raise a BaseException of one's own."""
    raise Stop(f"stopped at {number}")


def raise_stop_iteration(number: int) -> int:
    """Raise what a careless loop takes for its end."""
    if number == 2:
        raise StopIteration
    return number


def exit_at_2(number: int) -> int:
    """Call sys.exit."""
    if number == 2:
        sys.exit(3)
    return number


def log_and_square(path: str, number: int) -> int:
    """Leave one line for every run."""
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{number}\n")
    return number * number


def log_around(path: str, number: int) -> int:
    """Note the beginning and the end of each run; the first item fails while others are at work."""
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"+{number}\n")
    if number:
        time.sleep(0.05)
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"-{number}\n")
    return fail_at(number, 0)


def log_and_die_at_17(path: str, number: int, how: str) -> int:
    """Leave one line for every run, and end the process at item 17."""
    with Path(path).open("a", encoding="ascii") as file:
        file.write(f"{number}\n")
    if number == 17:
        die(how)
    return number * number


def die(how: str) -> None:
    """End this process."""
    if how == "SIGSEGV":
        ctypes.string_at(0)
    elif how == "exit 0":
        os._exit(0)
    elif how == "exit 3":
        os._exit(3)
    elif how == "close all descriptors":
        os.closerange(3, 256)
    else:
        os.kill(os.getpid(), getattr(signal, how))


def die_at_17_quickly(number: int) -> int:
    """End the process at one of very many short items."""
    if number == 50_017:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def close_and_return_much(number: int) -> bytes:
    """Close the worker's line, then return something large."""
    die("close all descriptors")
    return megabytes(number)


def close_first_and_wait(number: int) -> int:
    """Close the worker's line at item 0; take a while for the next one."""
    if not number:
        die("close all descriptors")
    elif number == 1:
        time.sleep(1.5)
    return number


class DiesAtUnpickle:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        return die, ("SIGKILL",)


class RaisesAtUnpickle:
    """Raises in the process that unpickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        return fail_at, (1, 1)


class RaisesAtPickle:
    """Raises in the process that pickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        raise ValueError("not me")


class DiesAtPickleInWorker:
    """Ends the worker that pickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        die("SIGKILL")
        return (int, ())


def result_of(number: int) -> object:
    """Return something that is hard to bring home."""
    return {
        1: threading.Lock(),
        2: RaisesAtUnpickle(),
        3: RaisesAtPickle(),
        4: DiesAtPickleInWorker() if os.environ.get("COREWISE_TEST_DIES") else 4,
    }.get(number, number)


def dies_when_sent(number: int) -> object:
    """Return a result that ends the worker while it is pickled."""
    return DiesAtPickleInWorker() if number == 2 else number


def kind(item: object) -> str:
    """Say what came."""
    return type(item).__name__


def megabytes(number: int) -> bytes:
    """Return a large result."""
    return bytes([number]) * (8 << 20)


def length(data: bytes) -> int:
    """Take a large argument."""
    return len(data)


def wait(seconds: float) -> float:
    """Wait."""
    time.sleep(seconds)
    return seconds


async def wait_later(seconds: float) -> float:
    """Wait without holding anybody up."""
    await asyncio.sleep(seconds)
    return seconds


def process_id(_: object) -> int:
    """Say which process this is."""
    return os.getpid()


def deep(_: object) -> list[object]:
    """Return a list nested too deep to be pickled."""
    result: list[object] = []
    for _ in range(100_000):
        result = [result]
    return result


def recurse(number: int) -> int:
    """Recurse without end."""
    return recurse(number + 1)


def nested(number: int) -> list[int]:
    """Run a map of processes inside a worker."""
    import corewise

    return list(corewise.map(square, range(number, number + 3), approach="processes", workers=2))


def cores_left(_: object) -> int:
    """Say how many cores a call inside a worker may use."""
    import corewise

    return corewise.cpu_count()


def rendezvous(path: str, number: int) -> int:
    """Return only once another worker is here as well."""
    (Path(path) / str(number)).touch()
    deadline = time.monotonic() + 15
    while len(list(Path(path).iterdir())) < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("nobody else came")
        time.sleep(0.001)
    return number


def appended(items: list[int]) -> list[int]:
    """Change an item in place and return it."""
    items.append(1)
    return items


def appended_if_list(item: object) -> object:
    """Change an item in place if it can be, and return it."""
    return appended(item) if isinstance(item, list) else item


def divided(number: int) -> int:
    """Fail for 0 in next to no time."""
    return 1 // number


async def block_at_2(number: int) -> int:
    """Hold up the loop for item 2."""
    await asyncio.sleep(0)
    if number == 2:
        time.sleep(0.3)  # noqa: ASYNC251 - that is the mistake
    return number
