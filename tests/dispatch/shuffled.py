"""A run that nobody watches, and an approach whose chunks come back in any order and in any parts."""

from __future__ import annotations

import random
from math import inf
from typing import TYPE_CHECKING, Any

from corewise._approaches.base import PlainRunner
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._dispatch.source import Source
from corewise._types.options import Options
from corewise._work.chunk import Chunk, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corewise._dispatch.window import Window


class Shuffled(PlainRunner):
    """An approach whose chunks come back in an order, and in parts, that chance decides.

    Args:
        seed: of that chance.
        bad: items that fail: always, or so many times.
        keep_going: whether it goes on behind an item that fails.
        most: how many chunks it likes to have.
        bytes_each: bytes that a result takes on its way.
    """

    def __init__(
        self,
        seed: int,
        bad: Iterable[int] | dict[int, int] = (),
        *,
        keep_going: bool = False,
        most: int = 4,
        bytes_each: int = 0,
    ) -> None:
        self.ran: list[int] = []
        self._chance = random.Random(seed)
        self._bad = dict(bad) if isinstance(bad, dict) else dict.fromkeys(bad, 1_000_000)
        self._keep_going = keep_going
        self._most = self.limit = most
        self._bytes_each = bytes_each
        self._chunks: list[Chunk] = []

    @property
    def room(self) -> int:
        """What is left of `most`."""
        return self._most - len(self._chunks)

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk."""
        assert self.room > 0, "more was submitted than there was room for"
        self._chunks.append(chunk)

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Run the first part of some chunks."""
        assert timeout_s is None
        assert self._chunks, "nothing is under way, so nothing would ever come"
        return [self._run_part() for _ in range(self._chance.randint(1, len(self._chunks)))]

    def _run_part(self) -> Done:
        chunk = self._chunks.pop(self._chance.randrange(len(self._chunks)))
        values: list[Any] = []
        failed: list[int] = []
        for index, item in enumerate(chunk.items[: self._chance.randint(1, len(chunk.items))], chunk.start):
            self.ran.append(item)
            fails = self._bad.get(item, 0) > 0
            values.append(ValueError(item) if fails else -item)
            if fails:
                self._bad[item] -= 1
                failed.append(index)
                if not self._keep_going:
                    break
        dropped = len(chunk.items) - len(values) if failed and not self._keep_going else 0
        if len(values) < len(chunk.items) and not (failed and not self._keep_going):
            self._chunks.append(chunk.part(chunk.start + len(values), chunk.stop))
        wall_s = self._chance.choice([0.0, 1e-6, 0.1])
        return Done(chunk.start, values, failed, wall_s, dropped=dropped, size_bytes=self._bytes_each * len(values))


class Driven(Run):
    """A run that nobody watches, driven as `map` does."""

    def __init__(self, items: Iterable[int], window: Window | None = None, **options: Any) -> None:
        super().__init__(Source((items,)), Options(**options), Meter(None, lambda: 0.0), window)
        self.values: list[Any] = []

    def use(self, *args: Any, **options: Any) -> None:
        """Run items by this approach; a machine that is busy for a moment is no slow input."""
        super().use(*args, **{"ahead_s": inf, **options})

    def go(self, approach: Any, workers: int, enough: Callable[[Done | None], bool] | None = None) -> None:
        """Run items until nothing is left to wait for."""
        self.use(approach, workers, enough=enough, chunksize=self._options.chunksize)
        while self.feed():
            for part in self.take():
                self.values += part.values
        self.finish()

    def results(self) -> list[Any]:
        """Return all results so far."""
        return self.values


def new_run(items: Iterable[int], **options: Any) -> Driven:
    """Return a run over items."""
    return Driven(items, **options)
