"""Turns a pool of processes for futures.

```
 any thread ──submit──► waiting calls ──cut──► chunk ──► pool ──► worker
                                                          │
 future.result(): who waits drives ◄──────────────────────┤  one driver at a time
 the driver's own thread, when nobody waits ◄─────────────┘
```

Whoever waits for a future reads the workers' answers itself: that saves two changes of threads, which cost as much as
all the rest of a round trip. The thread of its own drives when nobody waits, and sleeps when there is nothing to do.
What changes the pool happens under one lock; waiting for news and deciding futures happen outside it.
"""

from __future__ import annotations

import os
import threading
from _contextvars import copy_context
from collections import deque
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic

from corewise._api.executors.process_future import ProcessFuture, decide, start
from corewise._api.executors.program_end import finish_at_end, has_begun, is_finished
from corewise._dispatch.sizes import ChunkSizes
from corewise._engine.calls import Calls, Functions
from corewise._engine.reports import hand_on
from corewise._machine.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._engine.calls import Function
    from corewise._engine.crew import News
    from corewise._engine.pool import ProcessPool
    from corewise._transport.blocks import Once
    from corewise._work.chunk import Done

    # What calls must have in common to be sent together: a time limit in seconds, a scope of buffers, a context.
    Terms = tuple[float | None, Once | None, bytes | None]
    # A call that waits: its future, its function and arguments, and its terms.
    Call = tuple[ProcessFuture, Function, tuple[Any, ...], dict[str, Any], Terms]

_NAP_S = 0.002  # guess: how late a callback may come, once, after a while in which every result was waited for


class Driver:
    """Owns the pool of one executor, its calls and its thread. It does not hold the executor.

    Args:
        open_pool: makes the pool, at the first call.
        workers: most worker processes at a time.

    Attributes:
        finished: calls that returned.
        failed: calls that raised, went over their time limit or lost their worker.
        timed_out: the part of `failed` that went over the time limit.
        cancelled: calls that were cancelled before they began, as far as that was noticed.
        broken: why the workers cannot work; None while they can.
        scopes_over: scopes under which no more calls come; closed by whoever drives next.
    """

    def __init__(self, open_pool: Callable[[], ProcessPool], workers: int) -> None:
        self._open_pool = open_pool
        self._pool: ProcessPool | None = None
        self._functions: Functions | None = None
        # Reentrant: pickling an argument runs its code, which may submit.
        self._lock = threading.RLock()
        self._feeding = False
        self.condition = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._full = False  # whether the pool wanted no more when it was last asked
        self._running: dict[int, ProcessFuture] = {}
        self._next = 0
        self._sizes = ChunkSizes(workers=workers, fixed=None)
        self._driver: int | None = None  # the thread that drives now
        self._thread: threading.Thread | None = None
        # What the thread sleeps on. It may be rung anywhere, in `__del__` too.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeps = False
        self._driven_by_others = False
        self._closing = False
        self._kill: str | None = None
        self.broken: BaseException | None = None
        self._made_in = os.getpid()
        self.scopes_over: deque[Once] = deque()
        self.finished = self.failed = self.timed_out = self.cancelled = 0

    def submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout_s: float | None,
        once: Once | None = None,
    ) -> ProcessFuture:
        """Take a call and return its future.

        Args:
            fn: the function.
            args: its positional arguments.
            kwargs: its keyword arguments.
            timeout_s: seconds that it may take; None without a limit.
            once: the scope of buffers that are sent once for several calls; None if they may change between calls.
                It is to be put into `scopes_over` when no more calls come under it.

        Raises:
            BrokenProcessPool: when the workers cannot work.
            RuntimeError: after `close`.
            WorkerStartError: when no worker can be started.
        """
        future = ProcessFuture(self)
        context = _captured() if copy_context() else None
        with self._lock:
            if self._closing or self._functions is None or has_begun():
                self._open()
            try:
                function = self._functions.known(fn)  # type: ignore[union-attr]  # opened
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - the function's own pickling may raise anything
                self.failed += 1
                future.set_exception(error)
                return future
            self._waiting.append((future, function, args, kwargs, (timeout_s, once, context)))
            if not self._full:
                with InterruptsHeld():
                    self._feed()
                    self._call_thread(news=True)
        return future

    def close(self, *, wait: bool, cancel: bool = False, kill: str | None = None) -> None:
        """Take no more calls, and end the workers after the last one.

        Args:
            wait: whether to return only when all is over.
            cancel: whether to cancel the calls that have not begun.
            kill: ``"kill"`` or ``"terminate"`` to end the workers now, and with them what they run.
        """
        if os.getpid() != self._made_in:
            return
        with self._lock:
            self._closing = True
            self._kill = kill or self._kill
            self._bell.put(None)  # it may be napping
            doomed = list(self._waiting) if cancel else []
        for future, *_ in doomed:
            future.cancel()
        with self._lock:
            self._call_thread(news=True)
        thread = self._thread
        if wait and thread is not None and thread is not threading.current_thread():
            thread.join()
            with InterruptsHeld():  # as above: the standard library keeps threads in a weak set
                self._thread = thread = None

    def abandon(self) -> None:
        """Close as if by `close`, without waiting and without a lock: the garbage collector may run anywhere."""
        self._closing = True
        self._bell.put(None)

    def figures(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that change."""
        with self._lock:
            pool = self._pool
            cancelled = sum(future.cancelled() for future, *_ in self._waiting)
            return {
                "queued": len(self._waiting) - cancelled,
                "running": len(self._running),
                "finished": self.finished,
                "failed": self.failed,
                "timed_out": self.timed_out,
                "cancelled": self.cancelled + cancelled,
                **(pool.census() if pool else {"workers": 0, "idle_workers": 0}),
            }

    def drive(self, future: ProcessFuture | None, timeout_s: float | None) -> None:
        """Read what workers send until `future` is decided (None: until nothing is under way), or the time is up.

        Returns at once when another thread does so.
        """
        if os.getpid() != self._made_in:
            raise RuntimeError("this future belongs to another process, whose workers will decide it there")
        with InterruptsHeld(self._wake) as interrupts:
            this = threading.get_ident()
            with self._lock:
                if self._driver not in (None, this):
                    return
                nested, self._driver = self._driver == this, this
                self._driven_by_others = self._driven_by_others or future is not None
            deadline = None if timeout_s is None else monotonic() + timeout_s
            try:
                while (future is None or not future.done()) and not interrupts.came:
                    left_s = None if deadline is None else deadline - monotonic()
                    if (left_s is not None and left_s <= 0) or not self._turn(left_s):
                        break
            finally:
                if not nested:
                    with self._lock:
                        self._driver = None
                        self._call_thread(news=False)

    def _wake(self) -> None:
        """End a wait for news: Ctrl-C has come."""
        if self._pool is not None:
            self._pool.wake()

    def _turn(self, timeout_s: float | None) -> bool:
        """Wait for news and act on it. Return False when nothing is under way."""
        with self._lock:
            pool = self._pool
            if pool is None or self._kill or not (self._running or self._waiting):
                return False
            due_s = pool.due_s()
            if timeout_s is None or due_s < timeout_s:
                timeout_s = due_s
        news = pool.wait(timeout_s)
        with self._lock:
            decisions = self._take_in(pool, news)
            reports = pool.reports()
        hand_on(reports)
        if decisions:
            decide(self.condition, decisions)
        return True

    def _take_in(self, pool: ProcessPool, news: list[News]) -> list[Any]:
        decisions: list[Any] = []
        try:
            while self.scopes_over:
                self.scopes_over.popleft().close()
            # What is pickled or unpickled here may submit; that must not reach the pool half-way through a change.
            self._feeding = True
            try:
                pool.take_in(news)
            finally:
                self._feeding = False
            for done in pool.finished():
                self._take(done, decisions)
            self._full = False
            if self._waiting:
                self._feed()
        except Exception as error:  # noqa: BLE001 - whatever the initializer raised, or no worker could be started
            self._break(error, decisions)
        return decisions

    def _take(self, done: Done, decisions: list[Any]) -> None:
        if done.wall_s:
            self._sizes.observe(len(done.values), done.wall_s)
        take = self._running.pop
        if not done.failed:
            decisions += [(take(index), False, value) for index, value in enumerate(done.values, done.start)]
        else:
            for index, value in enumerate(done.values, done.start):
                decisions.append((take(index), index in done.failed, value))
            self.timed_out += sum(_is_ours(done.values[index - done.start]) for index in done.failed)
        self.failed += len(done.failed)
        self.finished += len(done.values) - len(done.failed)

    def _feed(self) -> None:
        """Cut chunks from the waiting calls, as many as the workers want."""
        pool = self._pool
        if self._feeding or pool is None:
            return
        self._feeding = True
        try:
            room = pool.room
            while self._waiting and room > 0:
                chunk = self._cut()
                if chunk is not None:
                    pool.submit(chunk)
                    room = pool.room
            self._full = room <= 0
        finally:
            self._feeding = False

    def _cut(self) -> Calls | None:
        """Return calls for one worker, fewer the fewer there are; None when those at hand were cancelled."""
        waiting, running = self._waiting, self._running
        size = self._sizes.next(len(waiting))
        items: list[tuple[Function, tuple[Any, ...], dict[str, Any]]] = []
        terms: Terms = (None, None, None)
        index = self._next
        with self.condition:
            while waiting and len(items) < size:
                future, function, args, kwargs, its_terms = waiting[0]
                if items and its_terms != terms:
                    break
                waiting.popleft()
                if not start(future):
                    self.cancelled += 1
                    continue
                terms = its_terms
                running[index] = future
                index += 1
                items.append((function, args, kwargs))
        first, self._next = self._next, index
        return Calls(first, items, *terms) if items else None

    def _open(self) -> None:
        """Make the pool, at the first call; raise when no more calls are taken."""
        if self.broken is not None:
            raise BrokenProcessPool(
                f"the workers cannot work, so this executor can not be used: {self.broken!r}"
            ) from self.broken
        if self._closing:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if has_begun():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        with InterruptsHeld():
            pool = self._open_pool()
            thread = threading.Thread(target=self._serve, name="corewise-driver", daemon=True)
            try:
                # All at once, and before the thread: a process is only forked while there is no other thread.
                pool.start_all()
                thread.start()
            except BaseException:  # no process or no thread left
                pool.close(kill=True)
                raise
            self._functions = Functions(main_by_value=pool.main_by_value)
            self._pool, self._thread = pool, thread
            finish_at_end(self)

    def _call_thread(self, *, news: bool) -> None:
        """Have the thread look, if nobody drives; with `news`, have a driver that waits look again."""
        if self._driver is None:
            if self._sleeps and (self._running or self._waiting or self._closing):
                self._sleeps = False
                self._bell.put(None)
        elif news and self._pool is not None and self._driver != threading.get_ident():
            self._pool.wake()

    def _serve(self) -> None:
        """Drive whenever nobody else does, until all is over. The body of the thread."""
        while True:
            self.drive(None, None)
            with self._lock:
                work = bool(self._running or self._waiting)
                over = self._closing and self._driver is None and (self._kill is not None or not work)
                # Whoever drives now rings when he leaves something behind.
                rests = not over and (self._driver is not None or not work)
                # As long as others come to drive, each call rings in vain, and that takes a tenth of its round trip.
                # So it looks by itself after a while, and is rung for only when that look has found nothing to do.
                naps = rests and self._driven_by_others
                self._driven_by_others = False
                self._sleeps = rests and not naps
            if over:
                break
            if rests:
                with suppress(Empty):
                    self._bell.get(timeout=_NAP_S if naps else None)
        self._end()

    def _end(self) -> None:
        decisions: list[Any] = []
        with self._lock:
            pool, self._pool = self._pool, None
            if self._kill:
                self._fail_all(BrokenProcessPool(f"its worker was ended by {self._kill}_workers()"), decisions)
        while self.scopes_over:
            self.scopes_over.popleft().close()
        if pool is not None:
            if self._kill == "terminate":
                pool.terminate()
            pool.close(kill=self._kill == "kill")
        decide(self.condition, decisions)
        is_finished(self)

    def _break(self, error: BaseException, decisions: list[Any]) -> None:
        """Nothing can be run any more."""
        self.broken = error
        self._closing = True
        broken = BrokenProcessPool(f"the workers cannot work: {error!r}")
        broken.__cause__ = error
        self._fail_all(broken, decisions)

    def _fail_all(self, error: BaseException, decisions: list[Any]) -> None:
        decisions += [(future, True, error) for future in self._running.values()]
        self._running.clear()
        while self._waiting:
            future, *_ = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                decisions.append((future, True, error))


def _captured() -> bytes | None:
    from corewise._engine.contexts import capture

    return capture()


def _is_ours(error: BaseException) -> bool:
    """Whether this is our time limit; what a function raises has the worker's traceback for its cause."""
    return isinstance(error, TimeoutError) and error.__cause__ is None
