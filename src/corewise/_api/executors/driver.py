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

from corewise._api.executors.condition import Condition
from corewise._api.executors.process_future import ProcessFuture, decide, decide_watched
from corewise._api.executors.program_end import finish_at_end, has_begun, is_finished
from corewise._api.executors.register import Register
from corewise._engine.calls import Functions
from corewise._engine.reports import hand_on
from corewise._machine.cpus import cpu_count
from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from corewise._api.executors.process_future import Decision
    from corewise._api.executors.register import Call
    from corewise._engine.crew import News
    from corewise._engine.pool import ProcessPool
    from corewise._transport.blocks import Once

    class Waited(Protocol):
        """What somebody may wait for: a future, or a job that streams its results."""

        @property
        def decided(self) -> bool: ...


_CTRL_C_S = 0.05  # guess: how late a Ctrl-C may take effect while the workers end
_NAP_S = 0.01  # guess: how late a callback may come, once; to be rung for each result of 8 ms takes 1 % from workers


class Driver:
    """Owns the pool of one executor, its calls and its thread. It does not hold the executor.

    Args:
        open_pool: makes the pool, at the first call.
        workers: most worker processes at a time.
        kill_at_end: whether workers are killed at the end of the program, rather than left to finish.

    Attributes:
        broken: why the workers cannot work; None while they can.
        scopes_over: scopes under which no more calls come; closed by whoever drives next.
    """

    def __init__(self, open_pool: Callable[[], ProcessPool], workers: int, *, kill_at_end: bool = False) -> None:
        self.kill_at_end = kill_at_end
        self._open_pool = open_pool
        self._pool: ProcessPool | None = None
        self._functions: Functions | None = None
        # Reentrant: pickling an argument runs its code, which may submit.
        self._lock = threading.RLock()
        self._feeding = False
        self.condition = Condition()
        self._register = Register(workers, self.condition)
        self._full = False  # whether the pool wanted no more when it was last asked
        self._driver: int | None = None  # the thread that drives now
        self._watched: deque[Decision] = deque()  # what it is about to decide
        self._thread: threading.Thread | None = None
        self._over = threading.Event()  # set when that has ended, and the workers have
        # What the thread sleeps on. It may be rung anywhere, also by the garbage collector.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._sleeps = self._driven_by_others = self._closing = False
        self._kill: str | None = None
        self._because: BaseException | None = None
        self.broken: BaseException | None = None
        self._made_in = os.getpid()
        self._cores = cpu_count()
        self.scopes_over: deque[Once] = deque()

    def submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout_s: float | None,
        once: Once | None = None,
        future: ProcessFuture | None = None,
    ) -> ProcessFuture:
        """Take a call and return its future.

        Args:
            fn: the function.
            args: its positional arguments.
            kwargs: its keyword arguments.
            timeout_s: seconds that it may take; None without a limit.
            once: the scope of buffers that are sent once for several calls; None if they may change between calls.
                It is to be put into `scopes_over` when no more calls come under it.
            future: the future to use; by default a new one.

        Raises:
            BrokenProcessPool: when the workers cannot work.
            RuntimeError: after `close`.
            WorkerStartError: when no worker can be started.
        """
        future = future or ProcessFuture(self)
        context = captured()
        refused: BaseException | None = None
        with self._lock:
            if self._closing or self._functions is None or has_begun(self):
                self.open()
            try:
                function = self._functions.known(fn)  # type: ignore[union-attr]  # opened
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - the function's own pickling may raise anything
                self._register.failed += 1
                refused = error
            else:
                call = (future, function, args, kwargs, (timeout_s, once, context))
                if self._full or self._feeding:
                    self._register.waiting.append(call)
                else:
                    with InterruptsHeld():
                        self._hand_in(call)
                        self._call_thread(news=True)
        if refused is not None:
            future.set_exception(refused)  # not under the lock, as callbacks may do anything
        return future

    def close(
        self, *, wait: bool, cancel: bool = False, kill: str | None = None, because: BaseException | None = None
    ) -> None:
        """Take no more calls, and end the workers after the last one.

        Args:
            wait: whether to return only when all is over.
            cancel: whether to cancel the calls that have not begun.
            kill: ``"kill"`` or ``"terminate"`` to end the workers now, and with them what they run.
            because: what calls raise that end with the workers; by default a BrokenProcessPool.
        """
        if os.getpid() != self._made_in:
            return
        with self._lock:
            self._closing = True
            self._kill = kill or self._kill
            self._because = self._because or because
            self._bell.put(None)  # it may be napping
            doomed = list(self._register.waiting) if cancel else []
        for future, *_ in doomed:
            future.cancel()
        with self._lock:
            self._call_thread(news=True)
        thread = self._thread
        # In a callback this thread may be the one that drives: then the other waits for it.
        if wait and thread is not None and threading.get_ident() not in (thread.ident, self._driver):
            # Not by `join` alone: where a Ctrl-C breaks that off, CPython before 3.13 takes the thread for dead from
            # then on, and whoever comes next to wait would find workers that are still about to end.
            while self._thread is not None:  # also after a Ctrl-C whose handler has raised nothing
                with InterruptsHeld() as interrupts:
                    while not (self._over.wait(_CTRL_C_S) or interrupts.came):
                        pass
                    if self._over.is_set():
                        thread.join()
                        self._thread = None

    def abandon(self) -> None:
        """Close as if by `close`, without waiting and without a lock: the garbage collector may run anywhere."""
        self._closing = True
        self._bell.put(None)

    def figures(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that change."""
        with self._lock:
            census = self._pool.census() if self._pool else {"workers": 0, "idle_workers": 0}
            return self._register.figures() | census

    def wait_for(self, one: Waited, timeout_s: float | None) -> None:
        """Drive until `one` is decided or the time is up; where another thread drives, wait for that."""
        deadline = None if timeout_s is None else monotonic() + timeout_s
        self.drive(one, timeout_s)
        if not one.decided:
            with self.condition:
                left_s = None if deadline is None else max(0.0, deadline - monotonic())
                self.condition.wait_for(lambda: one.decided, left_s)

    def drive(self, future: Waited | None, timeout_s: float | None) -> None:
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
                if nested:  # in a callback
                    decide_watched(self._watched)
                while (future is None or not future.decided) and not interrupts.came:
                    left_s = None if deadline is None else deadline - monotonic()
                    if (left_s is not None and left_s <= 0) or not self._turn(left_s, eager=future is not None):
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

    def _turn(self, timeout_s: float | None, *, eager: bool) -> bool:
        """Wait for news and act on it. Return False when nothing is under way."""
        with self._lock:
            pool = self._pool
            if pool is None or self._kill or not self._register.under_way:
                return False
            due_s = pool.due_s()
            if timeout_s is None or due_s < timeout_s:
                timeout_s = due_s
            eager = eager and self._register.chunks < self._cores  # who looks all the time takes a core, from workers
        news = pool.wait(timeout_s, eager=eager)
        with self._lock:
            decisions = self._take_in(pool, news)
            reports = pool.reports()
            streamed, self._register.streamed = self._register.streamed, False
        hand_on(reports)
        if decisions or streamed:
            decide(self.condition, decisions, self._watched)
        return True

    def _take_in(self, pool: ProcessPool, news: list[News]) -> list[Decision]:
        decisions: list[Decision] = []
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
                self._register.take(done, decisions)
            self._full = False
            if self._register.waits:
                self._feed()
        except Exception as error:  # noqa: BLE001 - whatever the initializer raised, or no worker could be started
            self._break(error, decisions)
        return decisions

    def _hand_in(self, call: Call) -> None:
        """Hand the pool a call that has just come: behind those that wait, or at once."""
        pool, register = self._pool, self._register
        if register.waiting or pool is None:
            register.waiting.append(call)
            self._feed()
        elif pool.room > 0:
            self._feeding = True
            try:
                pool.submit(register.begin(call))
            finally:
                self._feeding = False
        else:
            register.waiting.append(call)
            self._full = True

    def _feed(self) -> bool:
        """Cut chunks from the waiting calls, as many as the workers want. Return whether there were any."""
        pool = self._pool
        if self._feeding or pool is None:
            return False
        self._feeding, fed = True, False
        try:
            room = pool.room
            while room > 0 and (chunk := self._register.cut()) is not None:
                pool.submit(chunk)
                room, fed = pool.room, True
            self._full = room <= 0
        finally:
            self._feeding = False
        return fed

    def open(self) -> None:
        """Make the pool, at the first call; raise when no more calls are taken."""
        if self.broken is not None:
            raise BrokenProcessPool(
                f"the workers cannot work, so this executor can not be used: {self.broken!r}"
            ) from self.broken
        if self._closing:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if has_begun(self):
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
            if self._sleeps and (self._register.under_way or self._closing):
                self._sleeps = False
                self._bell.put(None)
        elif news and self._pool is not None and self._driver != threading.get_ident():
            self._pool.wake()

    def _serve(self) -> None:
        """Drive whenever nobody else does, until all is over. The body of the thread."""
        try:
            self._drive_on()
        finally:
            self._over.set()

    def _drive_on(self) -> None:
        while True:
            self.drive(None, None)
            with self._lock:
                work = self._register.under_way
                self._register.jobs()  # those that nobody wants are forgotten
                over = self._closing and self._driver is None and bool(self._kill or not self._register.unfinished)
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
        decisions: list[Decision] = []
        with self._lock:
            pool, self._pool = self._pool, None
            if self._kill:
                killed = BrokenProcessPool(f"its worker was ended by {self._kill}_workers()")
                self._register.fail_all(self._because or killed, decisions)
        while self.scopes_over:
            self.scopes_over.popleft().close()
        if pool is not None:
            if self._kill == "terminate":
                pool.terminate()
            pool.close(kill=self._kill == "kill")
            hand_on(pool.reports())
        decide(self.condition, decisions, self._watched)
        is_finished(self)

    def _break(self, error: BaseException, decisions: list[Decision]) -> None:
        """Nothing can be run any more."""
        self.broken = error
        self._closing = True
        broken = BrokenProcessPool(f"the workers cannot work: {error!r}")
        broken.__cause__ = error
        self._register.fail_all(broken, decisions)


def captured() -> bytes | None:
    """Return the caller's context variables as bytes; None when there are none."""
    if not copy_context():
        return None
    from corewise._engine.contexts import capture

    return capture()
