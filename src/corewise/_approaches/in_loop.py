"""Coroutine functions in the caller's own event loop: a bounded number of tasks, each of which runs one call at a time.

A task for each call would cost more than most calls do, and an endless input would need endless tasks. So there are
lanes: tasks that take chunks from one queue and run their items one after the other.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from contextlib import nullcontext
from contextvars import copy_context
from time import perf_counter
from types import CoroutineType, coroutine

from corewise._approaches.base import COROUTINES_CHUNK_S, PlainRunner
from corewise._machine.queueing import QueueWatch
from corewise._work import seeds
from corewise._work.chunk import Chunk, Done
from corewise._work.coroutines import initializing, is_coroutine_function
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context
    from typing import Any

    from corewise._approaches.base import Terms

_TURN_S = 0.002  # guess: for so long calls may be begun in one turn of the loop; others in it hardly notice
_WOKEN = 8  # guess: lanes that go on in the next turn; more would mostly find it used up by the first ones
_BLOCKS_S = 0.1  # between two awaits; as in asyncio's debug mode


class InLoop(PlainRunner):
    """Lanes in the running event loop.

    Args:
        terms: what to run, and how.
        news: called when a chunk is done.

    Attributes:
        chunk_s: seconds that a chunk is to last.
        limit: how many lanes there may be.
    """

    chunk_s = COROUTINES_CHUNK_S
    deaths = 0
    startup_s = 0.0
    workers_cpu_s = 0.0
    peak_memory_bytes = 0
    goes_on = True

    def __init__(self, terms: Terms, news: Callable[[], None]) -> None:
        self._terms = terms
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._turns = _Turns(self._loop)
        self.limit = terms.workers
        self._context = copy_context()
        self._waiting: deque[Chunk] = deque()
        self._finished: list[Done] = []
        self._lanes: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._prepared: asyncio.Future[None] | None = None
        self._outstanding = 0
        self._closing = False
        self._blocked: tuple[int, float] | None = None
        self._warned = False
        self._queue = QueueWatch()
        self._queued_before_s = 0.0
        self.workers_started = 0

    @property
    def queued_s(self) -> float | None:
        """Seconds for which the loop's thread stood in line for a core."""
        return self._queue.seconds()

    @property
    def room(self) -> int:
        """A chunk for each lane, and as many again waiting, so that no lane stands idle between two looks."""
        return max(0, 2 * self.limit - self._outstanding)

    def submit(self, chunk: Chunk) -> None:
        """Queue the chunk; start a lane if all are busy and there may be more."""
        self._outstanding += 1
        self._waiting.append(chunk)
        if len(self._lanes) < min(self.limit, self._outstanding):
            lane = self._loop.create_task(self._lane(), name=f"{self._terms.name}-lane")
            self._lanes.add(lane)
            lane.add_done_callback(self._lane_ended)
            self.workers_started = max(self.workers_started, len(self._lanes))

    def collect(self, timeout_s: float | None) -> list[Done]:  # noqa: ARG002 - whoever waits, waits for the news
        """Return what is done; warn of a call that held up the loop."""
        if self._broken is not None:
            raise self._broken
        if self._blocked is not None and not self._warned:
            self._warned = True
            self._warn(*self._blocked)
        finished, self._finished = self._finished, []
        self._outstanding -= len(finished)
        return finished

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - waiting is for `ended`
        """Cancel what still runs."""
        self._closing = True
        self._waiting.clear()
        if not self._loop.is_closed():
            for lane in list(self._lanes):
                lane.cancel()

    async def ended(self) -> None:
        """Wait until what was cancelled has cleaned up, however often the waiting task is cancelled meanwhile.

        Raises:
            CancelledError: if it was, but not before all is over, as with a task group.
        """
        cancelled: asyncio.CancelledError | None = None
        while self._lanes:
            try:
                await asyncio.wait(self._lanes)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            try:
                raise cancelled
            finally:
                del cancelled

    # -- lanes ---------------------------------------------------------------------------------------------------------

    async def _when_prepared(self) -> None:
        """Call the initializer in the first lane, where there is something to run; the others wait for it."""
        terms = self._terms
        if terms.initializer is None:
            return
        if self._prepared is not None:
            await self._prepared
            return
        self._prepared = self._loop.create_future()
        with initializing():
            made: Any = terms.initializer(*terms.initargs)
            if is_coroutine_function(terms.initializer):
                await made
        self._prepared.set_result(None)

    async def _lane(self) -> None:
        """Run chunks until none waits, or there are too many lanes."""
        await self._when_prepared()
        while self._waiting and not self._closing and len(self._lanes) <= self.limit:
            chunk = self._waiting.popleft()
            with seeds.kept() if self._terms.seed is not None else nullcontext():
                done, cancelled = await self._run_chunk(chunk)
            self._finished.append(done)
            self._news()
            del done, chunk  # results and items must not stay while this lane waits for the next ones
            if cancelled:
                return

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            self._broken = error
        if self._waiting and not self._lanes and not self._closing:
            self._outstanding -= 1
            self.submit(self._waiting.popleft())
        self._news()

    async def _run_chunk(self, chunk: Chunk) -> tuple[Done, bool]:
        """Run the items of a chunk; return the outcome, and whether this lane is not to go on."""
        terms, turns = self._terms, self._turns
        values: list[Any] = []
        failed: list[int] = []
        begin = perf_counter()
        try:
            for index, item in enumerate(chunk.items, chunk.start):
                while turns.are_over():
                    await turns.next()
                if terms.seed is not None:
                    seeds.seed_item(terms.seed, index)
                cancelled = False
                try:
                    values.append(await self._outcome(index, item, star=chunk.star))
                except GeneratorExit:  # the loop was closed under it
                    raise
                except BaseException as error:  # whatever the function raises is the item's outcome
                    cancelled = self._is_cancelled(error)
                    if isinstance(error, KeyboardInterrupt) or (cancelled and self._closing):
                        raise
                    failed.append(index)
                    values.append(without_our_frame(error))
                if failed and not terms.keep_going:
                    left = chunk.stop - index - 1
                    return Done(chunk.start, values, failed, perf_counter() - begin, dropped=left), cancelled
                if cancelled or self._closing:
                    left = chunk.stop - index - 1
                    return Done(chunk.start, values, failed, perf_counter() - begin, left=left), True
            return Done(chunk.start, values, failed, perf_counter() - begin), False
        finally:
            del values  # frames of a call that failed may link back to this one, and must not meet their exception

    async def _outcome(self, index: int, item: Any, *, star: bool) -> Any:
        """Run one item."""
        terms = self._terms
        context = self._context.copy()  # what a call sets is seen by no other, as if it had a task of its own
        if terms.timeout_s is None:
            return await _driven(_called(terms.fn, item, context, star=star), context, self, index)
        limit = asyncio.timeout(terms.timeout_s)
        try:
            async with limit:
                return await _driven(_called(terms.fn, item, context, star=star), context, self, index)
        except TimeoutError as error:
            if not limit.expired():
                raise
            up = TimeoutError("it took longer than its time limit, so it was cancelled")
            up.__cause__ = error.__cause__
        raise up

    def held_up(self, index: int, seconds: float) -> None:
        """Note an item that computed or slept so long without giving way, unless others had the cores meanwhile."""
        queued_s = self._queue.seconds() or 0.0
        seconds -= queued_s - self._queued_before_s  # since it was last looked at, so at least what it was in this step
        self._queued_before_s = queued_s
        if self._blocked is None and seconds > _BLOCKS_S:
            self._blocked = index, seconds

    def _is_cancelled(self, error: BaseException) -> bool:
        """Return whether this lane is cancelled, rather than something that the user's function waited for."""
        task = asyncio.current_task()
        return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0

    def _warn(self, index: int, seconds: float) -> None:
        fn = self._terms.fn
        code = getattr(getattr(fn, "__func__", fn), "__code__", None)
        text = (
            f"{getattr(fn, '__name__', 'the function')} held up the event loop for {seconds:.2g} s at item {index}: it "
            "computed, or called something that blocks, without an await, and nothing else could run meanwhile. Make "
            "it a plain function, which corewise runs by threads or processes, or await asyncio.to_thread(...) there."
        )
        if code is None:
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        else:
            warnings.warn_explicit(text, RuntimeWarning, code.co_filename, code.co_firstlineno)


class _Turns:
    """Shares each turn of a loop between lanes that begin calls and everything else that runs in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._begun = False
        self._until = 0.0
        self._parked: deque[asyncio.Future[None]] = deque()

    def are_over(self) -> bool:
        """Return whether enough has been done in this turn of the loop."""
        now = perf_counter()
        if not self._begun:
            self._begun = True
            self._until = now + _TURN_S
            self._loop.call_soon(self._next)
        return now > self._until

    def next(self) -> asyncio.Future[None]:
        """Return what is done when a new turn has begun."""
        future = self._loop.create_future()
        self._parked.append(future)
        if not self._begun:  # woken in a turn that others had used up already, and left
            self._begun = True
            self._loop.call_soon(self._next)
        return future

    def _next(self) -> None:
        self._begun = False
        for _ in range(min(_WOKEN, len(self._parked))):
            future = self._parked.popleft()
            if not future.done():
                future.set_result(None)
        if self._parked:
            self._begun = True
            self._until = perf_counter() + _TURN_S
            self._loop.call_soon(self._next)


def _called(fn: Any, item: Any, context: Context, *, star: bool) -> Coroutine[Any, Any, Any]:
    made = context.run(fn, *item) if star else context.run(fn, item)
    return made if type(made) is CoroutineType else _awaited(made)


async def _awaited(made: Any) -> Any:
    return await made


@coroutine
def _driven(one: Coroutine[Any, Any, Any], context: Context, lanes: InLoop, index: int) -> Generator[Any, Any, Any]:
    """Run a coroutine in a context of its own, step by step, and see how long each step holds up the loop."""
    run, send = context.run, one.send
    act: Callable[[Any], Any] = send
    value: Any = None
    while True:
        begin = perf_counter()
        try:
            awaited = run(act, value)
        except StopIteration as end:
            return end.value
        finally:
            value = None  # it may be an exception, which holds this frame
            if (seconds := perf_counter() - begin) > _BLOCKS_S:
                lanes.held_up(index, seconds)
        try:
            value = yield awaited
            act = send
        except GeneratorExit:
            run(one.close)
            raise
        except BaseException as error:  # noqa: BLE001 - it is the coroutine that is to have it
            act, value = one.throw, error
