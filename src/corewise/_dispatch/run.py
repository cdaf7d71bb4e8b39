"""One run of a function over its items: cuts chunks, hands them out, keeps order, decides what a failure means.

Written once for all approaches. `Run.go` may be called again with another approach, which goes on where the one
before stopped; so no item is ever run twice because a sample was taken.
"""

from __future__ import annotations

import reprlib
from time import perf_counter

from corewise._dispatch.ranges import Outstanding
from corewise._dispatch.sizes import ChunkSizes
from corewise._types.choice import Failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._approaches.base import Approach
    from corewise._dispatch.meter import Meter
    from corewise._dispatch.source import Source
    from corewise._types.options import Options
    from corewise._work.chunk import Done

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120


class Run:
    """The state of a run: what is under way, what has come back, what failed.

    Args:
        source: the input.
        options: chunk size, order, and what to do about failures.
        meter: counts outcomes.
    """

    def __init__(self, source: Source, options: Options, meter: Meter) -> None:
        self.source = source
        self._options = options
        self._meter = meter
        self._outstanding = Outstanding()
        self._parts: list[Done] = []
        self._failures: list[Failed] = []
        self._stop_before: int | None = None

    def go(self, approach: Approach, workers: int, *, enough: Callable[[Done], bool] | None = None) -> None:
        """Run items by an approach until the input is used up, or `enough` says so.

        Args:
            approach: where to send chunks; opened and closed by the caller.
            workers: how many workers share the items.
            enough: asked after each outcome; once it returns True no more chunks are cut, and those under way are
                waited for.

        Raises:
            BaseException: the first failure in the order of the input, unless failures are to be returned. It
                carries a note that names the item. Nothing behind that item is waited for.
        """
        sizes = ChunkSizes(workers=workers, fixed=self._options.chunksize)
        feeding = True
        while True:
            while feeding and self._stop_before is None and approach.room:
                chunk = self.source.cut(sizes.next(self.source.remaining))
                if chunk is None:
                    break
                self._outstanding.add(chunk)
                approach.submit(chunk)
            if not self._outstanding:
                break
            if self._stop_before is not None and not self._outstanding.any_before(self._stop_before):
                break
            feeding = not self._collect(approach, sizes, enough) and feeding
        self._raise_first()

    def _collect(self, approach: Approach, sizes: ChunkSizes, enough: Callable[[Done], bool] | None) -> bool:
        """Wait for outcomes and take them in. Return whether there are enough now."""
        full = False
        for done in approach.collect(self._meter.tick_s):
            self._take(done)
            if done.wall_s:
                sizes.observe(len(done.values), done.wall_s)
            full = full or (enough is not None and enough(done))
            del done  # frames of a call that failed may link back to this one, and must not meet their exception here
        self._meter.add(0, 0)
        return full

    @property
    def failures(self) -> list[Failed]:
        """What failed, in input order."""
        return sorted(self._failures, key=lambda failure: failure.index)

    def results(self) -> list[Any]:
        """Return all results: in input order, or as they were finished if the options say so."""
        parts = sorted(self._parts, key=lambda part: part.start) if self._options.ordered else self._parts
        results: list[Any] = []
        for part in parts:
            results += part.values
        return results

    def _take(self, done: Done) -> None:
        for index in done.failed:
            error = done.values[index - done.start]
            item = short(self._outstanding.item(index))
            _name_item(error, index, item)
            self._failures.append(Failed(index=index, item=item, error=error))
            if self._options.on_error == "raise":
                self._stop_before = index if self._stop_before is None else min(self._stop_before, index)
        if done.start == 0:
            _refuse_coroutines(done.values)
        self._outstanding.remove(done.start, len(done.values), dropped=done.dropped)
        self._parts.append(done)
        self._meter.add(len(done.values), len(done.failed))

    def _raise_first(self) -> None:
        if self._stop_before is None:
            return
        error = self.failures[0].error
        # The run is held by the frames of the traceback, and holds the error: without this they would keep each
        # other alive.
        self._failures.clear()
        self._parts.clear()
        try:
            raise error
        finally:
            del error


def short(item: object) -> str:
    """Return the repr of an item, shortened, whatever its `__repr__` does."""
    try:
        return _SHORT.repr(item)
    except Exception:  # noqa: BLE001 - a broken repr must not hide the failure
        return f"<{type(item).__qualname__}>"


def _name_item(error: BaseException, index: int, item: str) -> None:
    note = f"item {index}: {item}"
    notes = getattr(error, "__notes__", None)
    notes = notes if isinstance(notes, list) else []
    if note not in notes:  # the same object may be raised more than once
        # Not `add_note`: an exception may refuse to be changed, as a frozen dataclass does.
        BaseException.__setattr__(error, "__notes__", [*notes, note])


def _refuse_coroutines(values: list[Any]) -> None:
    coroutines = [value for value in values if type(value).__name__ == "coroutine" and hasattr(value, "close")]
    for coroutine in coroutines:
        coroutine.close()
    if coroutines:
        raise TypeError(
            "the function returned a coroutine, which nobody awaits. Give the coroutine function itself, or wrap the "
            "call: `async def call(item): return await fn(item)`."
        )


def clock() -> float:
    """Return seconds of the clock that runs are timed by."""
    return perf_counter()
