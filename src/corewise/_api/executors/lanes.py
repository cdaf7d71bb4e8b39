"""An event loop in a thread of its own, with places for so many coroutines at once.

What may be touched where: any thread appends to `_waiting`, under the lock, and the loop's thread alone takes from it;
calls, their tasks and `_running` belong to the loop's thread. Other threads speak to it by `call_soon_threadsafe`.
"""

from __future__ import annotations

import os
import threading
from collections import deque

from corewise._api.executors.future import CallFuture, log
from corewise._api.executors.tally import Tally
from corewise._types.interrupts import start_thread
from corewise._work.raised import without_our_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Runner, Task, TimerHandle
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any


class CoroutineFuture(CallFuture):
    """The future of a coroutine. It can be cancelled while the coroutine runs."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call: Call | None = call  # until it is decided

    def cancel(self) -> bool:
        """Cancel the call, also while it runs; return whether the future is cancelled.

        The future is so at once. In the coroutine CancelledError is raised at its ``await``.
        """
        if self.cancelled():
            return True
        call = self._call
        if not super().cancel():
            return False
        if call is not None:
            call.lanes.withdraw(call)
        return True

    def running(self) -> bool:
        """Return whether the coroutine has begun, and is neither done nor cancelled."""
        call = self._call
        return call is not None and call.started and not self.done()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result and return it, or raise what the call raised; `timeout` in seconds.

        Raises:
            CancelledError: when the call was cancelled.
            TimeoutError: when the result is not there in time.
            RuntimeError: in a coroutine of the executor itself, which would wait for ever.
        """
        self._check_that_waiting_can_end(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the call to end and return what it raised, or None; `timeout` in seconds.

        Raises:
            CancelledError: when the call was cancelled.
            TimeoutError: when the call has not ended in time.
            RuntimeError: in a coroutine of the executor itself, which would wait for ever.
        """
        self._check_that_waiting_can_end(timeout)
        return super().exception(timeout)

    def _check_that_waiting_can_end(self, timeout: float | None) -> None:
        call = self._call
        if timeout is None and call is not None and call.lanes.in_own_thread() and not self.done():
            raise RuntimeError(
                "this is the thread of the event loop that runs the call: waiting for it here would block it for ever. "
                "Write `await asyncio.wrap_future(future)`"
            )


class Call:
    """One call of a coroutine function."""

    __slots__ = ("_work", "context", "decided", "future", "lanes", "started", "task", "timeout_s", "timer")

    lanes: Lanes

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Context,
        timeout_s: float | None,
    ) -> None:
        self._work: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None = (fn, args, kwargs)
        self.context = context
        self.timeout_s = timeout_s
        self.future = CoroutineFuture(self)
        self.started = False
        self.decided = False
        self.task: Task[None] | None = None
        self.timer: TimerHandle | None = None

    def take(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return the function and its arguments, which are kept no longer than they are needed."""
        work, self._work = self._work, None
        assert work is not None  # noqa: S101 - it runs once
        return work


class Lanes:
    """The loop, its thread and the calls. The thread starts with the first call, and ends when no more can come."""

    def __init__(self, most: int, name: str) -> None:
        self.tally = Tally()
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[Call] = deque()
        self._running: set[Call] = set()
        self._closed = False
        self._woken = False
        self._over = False
        self._loop: AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def taken(self) -> int:
        """Places that are taken now."""
        return len(self._running)

    def in_own_thread(self) -> bool:
        """Whether the calling thread is the loop's."""
        return self._thread is threading.current_thread()

    def submit(self, call: Call) -> None:
        """Queue a call.

        Raises:
            RuntimeError: when the executor is closed, or the interpreter ends.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            _check_not_ending()
            call.lanes = self
            loop = self._loop or self._start()
            self._waiting.append(call)
            self.tally.submitted()
            if not self._woken:
                self._woken = True
                # Inside the lock: else the loop might, with calls that came before, see the end and close under it.
                loop.call_soon_threadsafe(self._wake)

    def withdraw(self, call: Call) -> None:
        """End a call whose future was cancelled."""
        self._tell(self._withdraw, call)

    def close(self, *, cancel: bool) -> None:
        """Take no more calls; end the thread behind the last one.

        Args:
            cancel: whether to cancel the calls that have not begun.
        """
        with self._lock:
            self._closed = True
        self._tell(self._close, cancel)

    def abandon(self) -> None:
        """Close, for an executor that nobody has any more.

        The garbage collector may call this at any instruction, also while this very thread holds a lock: so none is
        taken. As the executor is gone no `submit` can be under way.
        """
        self._closed = True
        self._tell(self._close, False)  # noqa: FBT003 - call_soon_threadsafe takes arguments by position

    def join(self) -> None:
        """Wait for the thread to end.

        Raises:
            RuntimeError: in that thread.
        """
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> AbstractEventLoop:
        import asyncio

        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        loop = runner.get_loop()
        thread = threading.Thread(target=self._turn, args=(runner, loop), name=self._name)
        _turning.add(self)
        try:
            _check_not_ending()  # after the line above: either `_end_all` finds these lanes there, or it is seen here
            start_thread(thread)
        except BaseException:
            _turning.discard(self)
            loop.close()
            raise
        self._loop, self._thread = loop, thread
        return loop

    def _turn(self, runner: Runner, loop: AbstractEventLoop) -> None:
        """Turn the loop until it is over: that is all the thread does."""
        try:
            while not self._over:
                try:
                    loop.run_forever()
                except BaseException:  # noqa: BLE001 - SystemExit of a task that a call left; others have no part in it
                    log().critical("Exception in the event loop of an AsyncioExecutor", exc_info=True)
            runner.close()
        except BaseException:  # noqa: BLE001 - so does this of one that will not be cancelled
            log().critical("The event loop of an AsyncioExecutor could not be closed", exc_info=True)
        finally:
            _turning.discard(self)

    def _tell(self, what: Callable[..., None], argument: object) -> None:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(what, argument)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise

    # From here on: in the loop's thread.

    def _wake(self) -> None:
        with self._lock:
            self._woken = False
        self._fill()

    def _fill(self) -> None:
        """Start calls while there is a place."""
        assert self._loop is not None  # noqa: S101 - it is turning
        while self._waiting and len(self._running) < self._most:
            call = self._waiting.popleft()
            if call.future.cancelled():
                self._decide(call)
                continue
            self._running.add(call)
            call.started = True
            self.tally.started()
            call.task = self._loop.create_task(self._run(call), context=call.context)
            # Not at the end of `_run`: a task that is cancelled before its first step never gets there.
            call.task.add_done_callback(lambda _, call=call: self._leave(call))  # type: ignore[misc]
            if call.timeout_s is not None:
                call.timer = self._loop.call_later(call.timeout_s, self._expire, call)
        if self._closed and not self._running:
            with self._lock:
                self._over = not self._waiting and not self._woken
            if self._over:
                self._loop.stop()

    async def _run(self, call: Call) -> None:
        from asyncio import CancelledError

        fn, args, kwargs = call.take()
        try:
            result = await fn(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever the function raises is the call's outcome
            self._running.discard(call)  # before anybody hears of it, and looks at the statistics
            if isinstance(error, CancelledError):
                self._cancel(call)
            else:
                self._decide(call, error=without_our_frame(error))
        else:
            self._running.discard(call)
            self._decide(call, result)

    def _leave(self, call: Call) -> None:
        self._running.discard(call)
        if call.timer is not None:
            call.timer.cancel()
        call.task = None
        self._cancel(call)  # unless it is decided, as it mostly is
        self._fill()

    def _expire(self, call: Call) -> None:
        # The future is decided now, whatever the coroutine makes of its cancellation.
        self._decide(
            call, error=TimeoutError(f"the call took longer than its time limit of {call.timeout_s} s"), timed_out=True
        )
        if call.task is not None:
            call.task.cancel()

    def _withdraw(self, call: Call) -> None:
        self._decide(call)
        if call.task is not None:
            call.task.cancel()

    def _close(self, cancel: bool) -> None:  # noqa: FBT001 - call_soon_threadsafe takes arguments by position
        while cancel and self._waiting:
            self._cancel(self._waiting.popleft())
        self._fill()

    def _cancel(self, call: Call) -> None:
        if not call.decided:
            CallFuture.cancel(call.future)
            self._decide(call)

    def _decide(
        self, call: Call, result: object = None, *, error: BaseException | None = None, timed_out: bool = False
    ) -> None:
        """Give the future its outcome, unless it has one; and count it."""
        if call.decided:
            return
        call.decided = True
        future = call.future
        future._call = None  # noqa: SLF001 - its class stands above; they hold each other until now
        if not future.set_running_or_notify_cancel():
            self.tally.withdrawn(started=call.started)
            return
        self.tally.ended(error, timed_out=timed_out)
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


_ending = False
_turning: set[Lanes] = set()


def _check_not_ending() -> None:
    if _ending:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")


def _end_all() -> None:
    """Finish what was submitted, before the interpreter ends."""
    global _ending  # noqa: PLW0603 - there is one interpreter
    _ending = True
    left = list(_turning)
    for lanes in left:
        lanes.close(cancel=False)
    for lanes in left:
        lanes.join()


# As the standard library does for its threads: what is registered with `atexit` comes too late, since the interpreter
# waits for all threads before that.
threading._register_atexit(_end_all)  # type: ignore[attr-defined]  # noqa: SLF001
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turning.clear)  # the threads stayed in the parent
