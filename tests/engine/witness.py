"""A real pool whose every item leaves a mark, and what came out of it: so that runs can be counted from outside."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from corewise._engine.pool import ProcessPool
from corewise._work.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from corewise._engine.handle import Worker

MARK_BYTES = 16


class Witness:
    """A pool, and the account of what was run in it.

    Attributes:
        pool: the pool.
        came: what came out, by index.
    """

    def __init__(self, pool: ProcessPool, log: int) -> None:
        self.pool = pool
        self.came: dict[int, Any] = {}
        self._log = log

    @property
    def workers(self) -> list[Worker]:
        """The parent's handles of the workers."""
        return list(self.pool._crew.members.values())

    def submit(self, start: int, items: Sequence[Any]) -> None:
        """Submit a chunk."""
        self.pool.submit(Chunk(start, list(items), star=False))

    def take(self, timeout_s: float | None = None) -> None:
        """Collect once."""
        for done in self.pool.collect(timeout_s):
            for index, value in enumerate(done.values, done.start):
                assert index not in self.came, f"item {index} came out twice"
                self.came[index] = value

    def take_until(self, *indexes: int) -> None:
        """Collect until these are there."""
        while not self.came.keys() >= set(indexes):
            assert self.pool.unfinished, "something got lost"
            self.take()

    def take_all(self) -> None:
        """Collect until nothing is under way."""
        while self.pool.unfinished:
            self.take()

    def runs(self) -> Counter[int]:
        """How often each item was begun."""
        data = os.pread(self._log, 1 << 24, 0)
        return Counter(int(data[at : at + MARK_BYTES]) for at in range(0, len(data), MARK_BYTES))

    def failed(self, kind: type) -> list[int]:
        """Indexes of what came out as an exception of some type."""
        return sorted(index for index, value in self.came.items() if type(value) is kind)


@contextmanager
def watched(folder: Path, fn: Callable[[Any], Any], workers: int, **options: Any) -> Iterator[Witness]:
    """Open a pool of forked workers that are all there, and in which each item (or its first part) marks its run."""
    log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC)

    def marked(item: Any) -> Any:
        os.write(log, b"%16d" % (item[0] if isinstance(item, tuple) else item))
        return fn(item)

    pool = ProcessPool(marked, workers, start_method="fork", **options)
    try:
        pool.start_all()
        yield Witness(pool, log)
    finally:
        pool.close(kill=True)
        os.close(log)


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Open a pipe and close it in the end."""
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)
