"""A call driven inside a running event loop: by the loop itself, or, where items have to tell, by one thread beside it.

What a coroutine function returns is awaited in the caller's own loop. Threads and processes give news that wake the
loop. Where a plain function is to be measured, or run plainly, one helper thread goes through the very steps of `map`,
since both would hold the loop up.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter
from weakref import ref

from corewise._api.call import Call
from corewise._api.decide import number_of_workers
from corewise._api.request import make_request
from corewise._api.results import Results
from corewise._api.thread_call import ThreadCall, in_thread
from corewise._approaches import load_approach
from corewise._approaches.base import PlainRunner
from corewise._choose.explain import explain
from corewise._dispatch.async_source import AsyncSource, FromLoop, is_async
from corewise._dispatch.source import Source
from corewise._types.choice import Choice
from corewise._work.coroutines import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from corewise._api.request import Request
    from corewise._approaches.base import Terms
    from corewise._dispatch.window import Window
    from corewise._work.chunk import Chunk, Done

_AT_A_TIME_S = 0.002  # guess: for so long the loop is held up at a time, which hardly anybody notices
_LOOK_S = 0.002  # guess: between two looks where the loop cannot watch a pool (Windows), or threads are to be started


def open_call(
    verb: str,
    fn: Callable[..., Any],
    iterables: tuple[Any, ...],
    named: Mapping[str, Any],
    given: Mapping[str, object],
    make_window: Callable[[Request], Window] | None = None,
) -> LoopCall | ThreadCall:
    """Check the arguments of a verb, and return what drives it in the running loop; nothing is started.

    Args:
        verb: its name, for messages.
        fn: the function.
        iterables: the inputs, plain or async.
        named: its arguments `approach`, `workers` and `progress`.
        given: all other keyword arguments.
        make_window: makes what bounds how far it goes ahead; None where all results are wanted.
    """
    waits = any(map(is_async, iterables))
    request = make_request(verb, fn, ((),) * len(iterables) if waits else iterables, named, given)
    if waits:
        asked = _of_unknown_length(request.choice, request)
        request = request.replace(choice=asked)
    request = request.replace(choice=_in_this_loop(request))
    window = None if make_window is None else make_window(request)
    if request.choice is not None and (request.choice.approach != "sync" or is_coroutine_function(fn)):
        if waits:
            request = request.replace(source=AsyncSource(iterables, window))
        return LoopCall(request, window)
    bridges = tuple(FromLoop(one) if is_async(one) else one for one in iterables)
    if waits:
        request = request.replace(source=Source(bridges))
    return ThreadCall(request, window, [one for one in bridges if isinstance(one, FromLoop)])


def _of_unknown_length(choice: Choice | None, request: Request) -> Choice | None:
    """Return a choice with the number of workers that it gets where the number of items is not known."""
    if choice is None:
        return None
    choice = choice.replace(workers=number_of_workers(choice.approach, request.workers, None, request.options.limit))
    return choice.replace(why=explain(choice))


def _in_this_loop(request: Request) -> Choice | None:
    """Return the choice; a coroutine function that would be measured is run by the loop, one call at a time."""
    choice = request.choice
    if choice is None and is_coroutine_function(request.fn):
        choice = Choice(approach="sync", workers=1, asked="auto", code="coroutine", why="")
        choice = choice.replace(why=explain(choice))
    return choice


class LoopCall(Call):
    """A call that the running loop drives."""

    def __init__(self, request: Request, window: Window | None) -> None:
        super().__init__(request, window)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._held_since = perf_counter()
        self._gently: _Gently  # once the approach is open

    async def advance(self) -> list[Done] | None:
        """Go on until there is something new; as `step`, without holding up the loop."""
        while not self._over:
            if self._approach is None:
                await self._open_here()
                if self._over:  # ended by another task meanwhile, which had nothing to leave yet
                    await self._leave_here(kill=True)
                    return None
            if perf_counter() - self._held_since > _AT_A_TIME_S:
                await self._give_way()
                continue  # another task may have ended it, and its word must not be cleared away
            self._news.clear()
            if parts := self._run.take(wait=False):
                self._feed()
                return parts
            if not self._feed():
                self._run.finish()
                if not self._run.unfinished:
                    await self._leave_here(kill=False)
                    self._over = True
                    self._end()
                    return None
            if self._gently.cut_short or self._run.hungry:
                await self._give_way()
            else:
                await self._wait()
        return None

    def _feed(self) -> bool:
        self._gently.begin()
        return self._run.feed()

    async def aclose(self, *, wait: bool = False) -> None:
        """End what is under way, if anything is, and let go of the input.

        Args:
            wait: whether to wait for threads, which end with the item that they are at, as long as it takes.
        """
        if self._over:
            return
        self._over = True
        self._news.set()  # whoever else is reading is to hear of it
        try:
            await self._leave_here(kill=True, wait=wait)
        finally:
            self._end()

    async def _give_way(self) -> None:
        await asyncio.sleep(0)
        self._held_since = perf_counter()

    async def _wait(self) -> None:
        """Wait until there is news, or something is due."""
        approach: Any = self._approach
        due_s = approach.due_s() if hasattr(approach, "due_s") else None
        fd = approach.fileno() if hasattr(approach, "fileno") else None
        if fd is not None and not self._watch(fd):
            fd, due_s = None, _LOOK_S
        due_s = min((one for one in (due_s, self._meter.tick_s, self._run.due_s) if one is not None), default=None)
        timer = None if due_s is None else self._loop.call_later(due_s, self._news.set)
        try:
            await self._news.wait()
        finally:
            if timer is not None:
                timer.cancel()
            if fd is not None:
                self._loop.remove_reader(fd)
            self._held_since = perf_counter()

    def _watch(self, fd: int) -> bool:
        """Have the loop watch a descriptor; False where it cannot."""
        if fd < 0:
            return False
        try:
            self._loop.add_reader(fd, self._readable, fd)
        except NotImplementedError:
            return False
        return True

    def _readable(self, fd: int) -> None:
        self._loop.remove_reader(fd)  # it stays readable until it is read, and would keep the loop turning
        self._news.set()

    def _tell(self) -> None:
        """Say, from any thread, that there is news."""
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed, so nobody waits
            return

    async def _open_here(self) -> None:
        choice, source = self._choice, self._request.source
        if choice is None:
            raise RuntimeError("what is measured first is no matter of a loop")
        terms = self._terms(choice)
        approach: Any
        if is_coroutine_function(terms.fn) and choice.approach in ("sync", "asyncio"):
            from corewise._approaches.in_loop import InLoop

            approach = InLoop(terms, self._news.set)
            self._approach = approach
        else:
            approach = await self._opened(choice.approach, terms)
        self._meter.start(choice.approach, choice.workers, source.total)
        chunksize = self._request.options.chunksize
        if self._streams and choice.approach == "sync":
            chunksize = chunksize or 1  # each item is run when it is asked for
        self._gently = _Gently(approach)
        lanes = choice.workers * choice.per_worker
        self._run.use(self._gently, lanes, chunksize=chunksize, adapting=self._adapting(choice))
        if isinstance(source, AsyncSource):
            source.begin(self._news.set)

    async def _opened(self, name: str, terms: Terms) -> Any:
        if f"corewise._approaches.{name}" not in sys.modules:
            await in_thread(lambda: load_approach(name))
        approach: Any
        if name == "threads":
            self._approach = approach = load_approach(name)(terms)
            # Threads live on for themselves. If they held this call, and so the task that awaits it, nobody could drop
            # it together with a loop that was closed under it, and they would never hear of that.
            seen = ref(self)

            def tell() -> None:
                if (call := seen()) is not None:
                    call._tell()  # noqa: SLF001 - it is this very object

            approach.tell = tell
            return approach
        from corewise._engine.start import pick_start_method

        method = pick_start_method(terms.start_method)
        self._approach = approach = load_approach(name)(terms)
        if method != "fork":  # which takes 1 ms, but has to be done where no other thread is
            await in_thread(approach.start_all)
        return approach

    async def _leave_here(self, *, kill: bool, wait: bool = True) -> None:
        approach: Any = self._approach
        source = self._request.source
        try:
            if hasattr(approach, "ended"):
                approach.close(kill=kill)
                try:
                    await approach.ended()
                finally:
                    self._leave(kill=kill)
            elif approach is not None:
                await in_thread(lambda: self._leave(kill=kill, wait=wait))
        finally:
            if isinstance(source, AsyncSource):
                source.drop()
                await source.ended()


class _Gently(PlainRunner):
    """An approach that takes chunks for a moment at a time: each may start a thread, or a process in 4 ms.

    Attributes:
        cut_short: whether it would have taken more.
    """

    def __init__(self, approach: Any) -> None:
        self._approach = approach
        self.chunk_s, self.shares_chunks = approach.chunk_s, approach.shares_chunks
        self._until = 0.0
        self.cut_short = False

    def begin(self) -> None:
        """A new moment begins."""
        self._until = perf_counter() + _AT_A_TIME_S
        self.cut_short = False

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk to be run."""
        self._approach.submit(chunk)

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Return what is done."""
        done: list[Done] = self._approach.collect(timeout_s)
        return done

    @property
    def limit(self) -> int:
        """As of the approach."""
        limit: int = self._approach.limit
        return limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._approach.limit = limit

    @property
    def room(self) -> int:
        """What the approach has, as long as the moment lasts."""
        room: int = self._approach.room
        if room and perf_counter() > self._until:
            self.cut_short = True
            return 0
        return room

    def no_more(self) -> None:
        """Tell the approach."""
        self._approach.no_more()

    def hand_back(self) -> list[Chunk]:
        """As of the approach."""
        chunks: list[Chunk] = self._approach.hand_back()
        return chunks


async def gather(call: LoopCall | ThreadCall) -> Results:
    """Go on until all is done, and return all results."""
    values: list[Any] = []
    try:
        while (parts := await call.advance()) is not None:
            for part in parts:
                values += part.values
        choice = call.choice
        if choice is None:
            raise RuntimeError("a call that is over has made its choice")  # noqa: TRY301 - a fault in here
        return Results(values, choice, call.stats(), call.failures)
    except GeneratorExit:  # the loop was closed, so there is nothing to wait with
        call.close(wait=False)
        raise
    except Exception:
        await call.aclose(wait=True)  # as with `map`, nothing goes on when a failure is heard of
        raise
    finally:
        del values
        await call.aclose()
