"""The executors that one contract holds for, and how plain functions and held-up calls are given to each of them."""

from __future__ import annotations

import asyncio
import functools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

NAMES = {
    "threads": "ThreadExecutor",
    "sync": "SyncExecutor",
    "asyncio": "AsyncioExecutor",
    "processes": "ProcessExecutor",
}
ALL = [kind for kind, name in NAMES.items() if name in corewise.__all__]
IN_BACKGROUND = [kind for kind in ALL if kind != "sync"]
HERE_IN_BACKGROUND = [kind for kind in IN_BACKGROUND if kind != "processes"]  # they share the memory of the tests
WITH_LIMITS = [kind for kind in ALL if kind in {"asyncio", "processes"}]


def make(kind: str, max_workers: int | None = None, **options: Any) -> Any:
    """Return a new executor."""
    return getattr(corewise, NAMES[kind])(max_workers, **options)


def fit(kind: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that the executor takes, and that does the same."""
    if kind != "asyncio":
        return fn

    @functools.wraps(fn)
    async def call(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args, **kwargs)

    return call


class Gate:
    """Calls that say when they have begun, and end when they are let go: through pipes, so from any process."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self.begun = Path(self._folder.name) / "begun"
        self.open = Path(self._folder.name) / "open"
        for pipe in (self.begun, self.open):
            os.mkfifo(pipe)
        # Both ends of each are held, so that nobody waits for a partner to open it.
        self._ends = [os.open(pipe, os.O_RDWR) for pipe in (self.begun, self.open)]
        self.let_go = 0
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            os.close(end)
        self._folder.cleanup()

    def hold(self, executor: Any, kind: str) -> Any:
        """Submit a call that is held up, and return its future."""
        return executor.submit(pass_later if kind == "asyncio" else pass_through, str(self.begun), str(self.open))

    def wait_for(self, count: int) -> None:
        """Wait until so many calls have begun."""
        while count:
            count -= len(os.read(self._ends[0], count))

    def release(self, count: int) -> None:
        """Let so many calls end."""
        os.write(self._ends[1], b"." * count)


def pass_through(begun: str, gate: str) -> str:
    """Say that this call has begun, and wait to be let go."""
    _say(begun)
    with Path(gate).open("rb", buffering=0) as pipe:
        pipe.read(1)
    return "passed"


async def pass_later(begun: str, gate: str) -> str:
    """Do the same without holding up the event loop, and without a thread that nobody could end."""
    loop = asyncio.get_running_loop()
    _say(begun)
    end = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            readable = asyncio.Event()
            loop.add_reader(end, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(end)
            try:
                if os.read(end, 1):
                    return "passed"
            except BlockingIOError:
                pass  # another call was let go
    finally:
        os.close(end)


def _say(begun: str) -> None:
    with Path(begun).open("wb", buffering=0) as pipe:
        pipe.write(b".")
