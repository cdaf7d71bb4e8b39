"""Works of known nature: what the probe has to find out about each. Every one lasts a few milliseconds an item."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Nature(NamedTuple):
    """A work, and what is true of it.

    Attributes:
        fn: the work; takes a number.
        computes: whether it computes for more than half of its time; None for about half.
        holds: whether the computing holds the GIL for more than half of its time; None where it computes too little
            to matter, or about half.
        approaches: those that run many such items soonest, or as soon as any, on two cores or more.
    """

    fn: Callable[[int], Any]
    computes: bool | None
    holds: bool | None
    approaches: tuple[str, ...]


_CORES, _WAITS, _EITHER = ("processes",), ("threads",), ("threads", "processes")


def busy(seconds: float) -> int:
    """Compute in Python for so long."""
    end, steps = time.thread_time() + seconds, 0
    while time.thread_time() < end:
        steps += 1
    return steps


_rng = random.Random(0)  # noqa: S311 - nothing secret
_DOCUMENT = json.dumps([{"number": n, "text": f"text {n}"} for n in range(3000)])
_TEXT = "a line of words 12345 and more\n" * 800
_LARGE = os.urandom(6_000_000)
_SOME = os.urandom(200_000)
_LONG_LIST = [_rng.random() for _ in range(60_000)]


def _python(_: int) -> int:
    total = 0
    for number in range(100_000):
        total += number * number
    return total


def _json(_: int) -> Any:
    return json.loads(_DOCUMENT)


def _regex(_: int) -> int:
    return len(re.findall(r"(\w+) (\d+) (\w+)", _TEXT))


def _sorted(_: int) -> float:
    return sorted(_LONG_LIST)[7]


def _sqlite_select(_: int) -> int:
    # Each step of a query lets go of the GIL and takes it again, so what runs in between is SQLite's own.
    connection = sqlite3.connect(":memory:")
    steps = (
        "with recursive n(x) as (select 1 union all select x + 1 from n where x < 60000) select sum(x * x % 7) from n"
    )
    try:
        return int(connection.execute(steps).fetchone()[0])
    finally:
        connection.close()


def _reads(_: int) -> int:
    size = 0
    for _ in range(10):
        with open(_FILE, "rb", buffering=0) as file:  # noqa: PTH123 - as programs do
            size += len(file.read())
    return size


def _socket_waits(_: int) -> bytes:
    asking, answering = socket.socketpair()
    timer = threading.Timer(0.01, answering.sendall, (b"answer",))
    timer.start()
    try:
        return asking.recv(100)
    finally:
        timer.join()
        asking.close()
        answering.close()


def _subprocess_waits(_: int) -> int:
    return subprocess.run(["/bin/sleep", "0.02"], check=True).returncode


def _half_waits(_: int) -> None:
    busy(0.004)
    time.sleep(0.004)


def _python_then_hash(_: int) -> bytes:
    busy(0.002)
    return hashlib.sha256(_LARGE).digest()


def _hash_then_python(_: int) -> bytes:
    digest = hashlib.sha256(_LARGE[:2_000_000]).digest()
    busy(0.006)
    return digest


_FILE = os.path.join(tempfile.gettempdir(), f"corewise-probe-{os.getpid()}")  # noqa: PTH118 - as above


def make_file() -> None:
    """Make the file that is read."""
    with open(_FILE, "wb") as file:  # noqa: PTH123 - as above
        file.write(_LARGE[:4_000_000])


def remove_file() -> None:
    """Remove it."""
    os.unlink(_FILE)  # noqa: PTH108 - as above


NATURES: dict[str, Nature] = {
    "pure Python": Nature(_python, computes=True, holds=True, approaches=_CORES),
    # What it gives takes longer on its way from another process than it takes to be made.
    "json": Nature(_json, computes=True, holds=True, approaches=("sync",)),
    "regex": Nature(_regex, computes=True, holds=True, approaches=_CORES),
    "sorted list": Nature(_sorted, computes=True, holds=True, approaches=_CORES),
    "sha256 of 6 MB": Nature(lambda _: hashlib.sha256(_LARGE).digest(), computes=True, holds=False, approaches=_WAITS),
    "zlib": Nature(lambda _: zlib.compress(_SOME), computes=True, holds=False, approaches=_WAITS),
    # They let go of the GIL, but so often, and for so short, that two threads gain 0.7 to 1.6 times.
    "sqlite query": Nature(_sqlite_select, computes=True, holds=None, approaches=_EITHER),
    "reads of cached files": Nature(_reads, computes=True, holds=None, approaches=_EITHER),
    "sleep": Nature(lambda _: time.sleep(0.006), computes=False, holds=None, approaches=_WAITS),
    "socket": Nature(_socket_waits, computes=False, holds=None, approaches=_WAITS),
    "subprocess": Nature(_subprocess_waits, computes=False, holds=None, approaches=_WAITS),
    "half Python, half sleep": Nature(_half_waits, computes=None, holds=True, approaches=_EITHER),
    "a third Python, the rest sha256": Nature(_python_then_hash, computes=True, holds=None, approaches=_EITHER),
    "most of it Python, some sha256": Nature(_hash_then_python, computes=True, holds=True, approaches=_CORES),
}

try:
    import numpy as np
except ImportError:
    pass
else:
    _SMALL, _VECTOR, _MATRIX = (
        np.arange(10.0),
        np.linspace(0.0, 1.0, 600_000),
        np.random.default_rng(0).random((500, 500)),
    )

    def _small_arrays(_: int) -> Any:
        total = _SMALL
        for _ in range(4000):
            total = total + _SMALL
        return total

    def _large_arrays(_: int) -> Any:
        return np.exp(_VECTOR)

    def _product(_: int) -> Any:
        return _MATRIX @ _MATRIX

    NATURES |= {
        "NumPy, small arrays": Nature(_small_arrays, computes=True, holds=True, approaches=_CORES),
        "NumPy, large arrays": Nature(_large_arrays, computes=True, holds=False, approaches=_WAITS),
        # Its own threads use the cores already.
        "BLAS": Nature(_product, computes=True, holds=False, approaches=("sync", "threads")),
    }
