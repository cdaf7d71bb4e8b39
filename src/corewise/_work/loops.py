"""An event loop for calls that are made from plain code, also where a loop runs already."""

from __future__ import annotations

import asyncio
import threading

from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor
    from signal import SIGINT, default_int_handler, getsignal
    from typing import Any
else:  # as in `corewise._types.interrupts`
    from _signal import SIGINT, default_int_handler, getsignal

_MOMENT_S = 0.05  # guess: coroutines that clean up in no time are gone by then, and nobody notices the wait


class PlainLoop:
    """Runs coroutines to their end, one call after the other, in one event loop.

    The loop turns in the calling thread. Where a loop turns there already (in a notebook, in a coroutine that calls
    plain code), it turns in a thread of its own instead, and the caller's loop stands still meanwhile, as with any
    blocking call.

    Attributes:
        elsewhere: whether the loop turns in a thread of its own.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._thread = _one_thread() if _a_loop_runs() else None
        self.elsewhere = self._thread is not None

    def run(self, fn: Callable[..., Coroutine[Any, Any, Any]], /, *args: Any, **kwargs: Any) -> Any:
        """Call a coroutine function, run the coroutine to its end and return its result."""
        if self._thread is not None:
            return self._thread.submit(self._runner.run, fn(*args, **kwargs)).result()
        if getsignal(SIGINT) is not default_int_handler:  # what the program does about a Ctrl-C is not to be delayed
            return self._runner.run(fn(*args, **kwargs))
        call = _InterruptibleCall()
        with InterruptsHeld(call.interrupt) as held:
            return self._runner.run(call.run(held, fn(*args, **kwargs)))

    def close(self, *, wait: bool = True) -> None:  # noqa: ARG002 - between two calls nothing goes on
        """Cancel what still runs, let it clean up, and close the loop."""
        if self._thread is None:
            self._runner.close()
        else:
            self._thread.submit(self._runner.close).result()
            self._thread.shutdown()


class _InterruptibleCall:
    """A coroutine that a Ctrl-C cancels, whenever it comes; a second one ends the loop at once.

    The standard library's runner does the same, but not at the moments at which it begins and ends: there a Ctrl-C is
    forgotten, or leaves a task that nobody cancels.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    async def run(self, held: InterruptsHeld, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self._task = asyncio.current_task()  # first: from here on it can be cancelled
        try:
            if not held.came:
                return await coroutine
            coroutine.close()
        finally:
            self._task = None  # it is to go while a Ctrl-C is held: one that comes as it is freed is lost

    def interrupt(self) -> None:
        if self._cancelled:
            raise KeyboardInterrupt
        if self._task is not None and not self._task.done():
            self._cancelled = self._task.cancel()
            self._task.get_loop().call_soon_threadsafe(_nothing)  # it may be in a wait


def _nothing() -> None:
    """Have a loop turn."""


class TurningLoop:
    """An event loop in a thread of its own, where it turns all the time: what was begun goes on between two calls.

    Args:
        name: what the thread's name begins with.

    Attributes:
        elsewhere: True, as for a `PlainLoop` with a thread of its own.
    """

    elsewhere = True

    def __init__(self, name: str) -> None:
        self._closing = asyncio.Event()
        self._turns = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A daemon: a coroutine that blocks the loop must not keep the program from ending.
        self._thread = threading.Thread(target=self._turn, name=f"{name}-loop", daemon=True)
        with InterruptsHeld():
            self._thread.start()
            self._turns.wait()

    def run(self, fn: Callable[..., Coroutine[Any, Any, Any]], /, *args: Any, **kwargs: Any) -> Any:
        """Call a coroutine function, run the coroutine to its end and return its result.

        It sees the caller's context variables.
        """
        if self._loop is None:
            raise RuntimeError("the event loop could not be started")
        return asyncio.run_coroutine_threadsafe(fn(*args, **kwargs), self._loop).result()

    def close(self, *, wait: bool = True) -> None:
        """Cancel what still runs, let it clean up, and close the loop.

        Args:
            wait: whether to wait for that as long as it takes; otherwise only for a moment.
        """
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(None if wait else _MOMENT_S)

    def _turn(self) -> None:
        try:
            with asyncio.Runner() as runner:
                loop = runner.get_loop()
                loop.call_soon(self._turns.set)
                self._loop = loop
                runner.run(self._until_closed())
        finally:
            self._turns.set()  # also when there were no descriptors left for a loop

    async def _until_closed(self) -> None:
        await self._closing.wait()


def _one_thread() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # with what it loads it takes a millisecond

    return ThreadPoolExecutor(1, thread_name_prefix="corewise-loop")


def _a_loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
