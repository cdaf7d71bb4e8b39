"""asyncio: coroutine functions, many waits at once in a single thread.

The loop turns in the calling thread, as long as that waits for outcomes; where work has to go on meanwhile (a stream
whose consumer is busy), in a thread of its own.

Calls are made by lanes, tasks that each make one call at a time. All of them take their items from the same chunk, and
calls that end one after the other come back together: a chunk for each lane would cost as much as a short call does.
"""

from __future__ import annotations

import asyncio
from _thread import allocate_lock
from collections import deque
from time import perf_counter

from corewise._approaches.base import PlainRunner
from corewise._machine.queueing import QueueWatch
from corewise._work.chunk import Chunk, Done
from corewise._work.coroutines import initializing, is_coroutine_function
from corewise._work.loops import TurningLoop, loop_for_plain_code
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._approaches.base import Terms

# Of short waits a chunk costs as much as a call: of this length 2,000 of 1 ms took 25 ms, of 8 ms 29 and of 200 ms 27,
# the start included (benchmarks/choice.py, "coroutines_1ms").
_CHUNK_S = 0.05
_LONG_TURN_S = 0.005  # guess: less would mostly be the loop's own work; and whoever waits hardly notices it


class _Shared:
    """A chunk that lanes take items from.

    Attributes:
        chunk: the items.
        begun: how many of them were taken.
    """

    __slots__ = ("begun", "chunk")

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.begun = 0

    @property
    def left(self) -> int:
        """How many items nobody has taken."""
        return len(self.chunk.items) - self.begun


class Asyncio(PlainRunner):
    """An event loop with a bounded number of lanes; each lane runs one coroutine at a time.

    Attributes:
        chunk_s: seconds that the calls of a chunk are to take, one after the other.
        shares_chunks: several lanes work at each chunk.
        limit: how many lanes there may be.
        meanwhile: called between two calls where these keep the loop so long that `collect` does not return; None for
            nothing. A hundred calls that wake up together and compute are one turn of the loop.
    """

    chunk_s = _CHUNK_S
    shares_chunks = True
    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes = 0

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.limit = terms.workers
        self.goes_on = terms.background
        self._loop = TurningLoop(terms.name) if terms.background else loop_for_plain_code(terms.name)
        self._initialized = terms.initializer is None
        self._waiting: deque[_Shared] = deque()
        self._finished: list[Done] = []
        self._growing: _Shared | None = None  # what the last of those is of, if more may be added to it
        self._taking = allocate_lock()  # lanes add to them while the caller takes them away, perhaps in two threads
        self._lanes: set[asyncio.Task[None]] = set()
        self._outstanding = 0
        self._queue = QueueWatch()
        self._news: asyncio.Event | None = None
        self.meanwhile: Callable[[], object] | None = None
        self._turned_s = 0.0
        self.workers_started = 0

    @property
    def turns_here(self) -> bool:
        """Whether the loop turns in the calling thread."""
        return not self._loop.elsewhere

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the loop's thread stood in line for a core; unknown when that is not the calling one."""
        return self._queue.seconds() if self.turns_here else None

    @property
    def room(self) -> int:
        """An item for each lane, and as many again waiting, so that no lane stands idle between two looks."""
        return max(0, 2 * self.limit - self._outstanding)

    @property
    def outstanding(self) -> int:
        """How many items it has been given and not handed back."""
        return self._outstanding

    @property
    def waiting(self) -> int:
        """How many items no lane has begun."""
        return sum(shared.left for shared in self._waiting)

    def not_begun(self) -> list[Chunk]:
        """Give back the items that no lane has begun; only where the loop turns in the calling thread."""
        self._outstanding -= self.waiting
        chunks = [one.chunk.part(one.chunk.start + one.begun, one.chunk.stop) for one in self._waiting]
        self._waiting.clear()
        return chunks

    def submit(self, chunk: Chunk) -> None:
        """Queue the chunk; lanes take its items once the loop turns."""
        self._outstanding += len(chunk.items)
        self._waiting.append(_Shared(chunk))

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Turn the loop until something is done, or the time is up."""
        if self._outstanding or timeout_s:
            self._loop.run(self._turn, timeout_s)
        return self.finished()

    def finished(self) -> list[Done]:
        """Return what is done, without a turn of the loop."""
        # Not in `collect`: frames of a call that failed link back to that one, and must not meet their exception there.
        with self._taking:
            finished, self._finished = self._finished, []
            self._growing = None
        self._outstanding -= sum(len(done.values) + done.dropped for done in finished)
        return finished

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - what has not ended is cancelled either way
        """Cancel what still runs, let it clean up, and close the loop."""
        self._loop.close(wait=wait)

    async def _turn(self, timeout_s: float | None) -> None:
        if self._news is None:
            self._news = asyncio.Event()
        if not self._initialized:
            await self._initialize()
        while self._waiting and len(self._lanes) < min(self.limit, self._outstanding):
            self._lanes.add(asyncio.create_task(self._lane()))
            self.workers_started = max(self.workers_started, len(self._lanes))
        if self._finished:  # a lane got done in the last moments of the turn before
            return
        self._news.clear()
        self._turned_s = perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def _initialize(self) -> None:
        terms = self._terms
        if terms.initializer is not None:
            with initializing():
                made: Any = terms.initializer(*terms.initargs)
                if is_coroutine_function(terms.initializer):
                    await made
        self._initialized = True

    async def _lane(self) -> None:
        """Make one call after the other, until no item waits."""
        this = asyncio.current_task()
        try:
            while self._waiting and len(self._lanes) <= self.limit:
                shared = self._waiting[0]
                begun = shared.begun
                shared.begun += 1
                if not shared.left:
                    self._waiting.popleft()
                index, item = shared.chunk.start + begun, shared.chunk.items[begun]
                if self._terms.seed is None:
                    await self._run_item(shared, index, item)
                else:
                    await self._run_seeded(self._terms.seed, shared, index, item)
                if self._news is not None:
                    self._news.set()
                if self.meanwhile is not None:
                    self._look_up(self.meanwhile)
        finally:
            self._lanes.discard(this)

    def _look_up(self, meanwhile: Callable[[], object]) -> None:
        if perf_counter() - self._turned_s > _LONG_TURN_S:
            meanwhile()
            self._turned_s = perf_counter()

    async def _run_seeded(self, seed: int, shared: _Shared, index: int, item: Any) -> None:
        from corewise._work import seeds

        with seeds.kept():
            seeds.seed_item(seed, index)
            await self._run_item(shared, index, item)

    async def _run_item(self, shared: _Shared, index: int, item: Any) -> None:
        terms = self._terms
        fn: Any = terms.fn
        limit = None if terms.timeout_s is None else asyncio.timeout(terms.timeout_s)
        begin = perf_counter()
        try:
            call = fn(*item) if shared.chunk.star else fn(item)
            if limit is None:
                value = await call
            else:
                async with limit:
                    value = await call
        except BaseException as error:  # whatever the function raises is the item's outcome
            if self._is_our_end(error):
                raise
            failure = _time_is_up(error) if limit and limit.expired() else without_our_frame(error)
            self._failed(shared, Done(index, [failure], [index], perf_counter() - begin))
            del failure  # as in `finished`
        else:
            self._ended(shared, index, value, perf_counter() - begin)

    def _ended(self, shared: _Shared, index: int, value: Any, seconds: float) -> None:
        with self._taking:
            if self._growing is shared and (last := self._finished[-1]).stop == index:
                last.values.append(value)
                last.wall_s += seconds
            else:
                self._finished.append(Done(index, [value], [], seconds))
                self._growing = shared

    def _failed(self, shared: _Shared, done: Done) -> None:
        if not self._terms.keep_going and shared.chunk.start + shared.begun == done.stop and shared.left:
            # Nobody is behind it yet, and as in the plain loop nobody will be.
            done.dropped = shared.left
            self._waiting.remove(shared)
        with self._taking:
            self._finished.append(done)
            self._growing = None

    def _is_our_end(self, error: BaseException) -> bool:
        """Return whether this lane is being ended, rather than that something went wrong in the user's function."""
        if isinstance(error, KeyboardInterrupt):
            return not self._loop.elsewhere  # Ctrl-C comes to the main thread only
        task = asyncio.current_task()
        return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _time_is_up(error: BaseException) -> BaseException:
    """Return the error of an item that was cancelled; its cause says where that came upon it."""
    up = TimeoutError("it took longer than its time limit, so it was cancelled")
    up.__cause__ = error.__cause__
    return up
