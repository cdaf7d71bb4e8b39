"""An event loop for calls that are made from plain code, also where a loop runs already."""

from __future__ import annotations

import asyncio
import threading
from _thread import allocate_lock

from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from signal import SIGINT, default_int_handler, getsignal
    from typing import Any
else:  # as in `corewise._types.interrupts`
    from _signal import SIGINT, default_int_handler, getsignal

_MOMENT_S = 0.05  # guess: coroutines that clean up in no time are gone by then, and nobody notices the wait


def loop_for_plain_code(name: str = "corewise") -> PlainLoop | TurningLoop:
    """Return an event loop for calls that the calling thread waits for.

    It turns in that thread. Where another turns there already (in a notebook, in a coroutine that calls plain code), it
    turns in a thread of its own instead, and the caller's loop stands still meanwhile, as with any blocking call.

    Args:
        name: what the name of such a thread begins with.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return PlainLoop()
    return TurningLoop(name)


class PlainLoop:
    """Runs coroutines to their end, one call after the other, in one event loop, which turns in the calling thread.

    Attributes:
        elsewhere: False, as it is no loop in another thread.
    """

    elsewhere = False

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, fn: Callable[..., Coroutine[Any, Any, Any]], /, *args: Any, **kwargs: Any) -> Any:
        """Call a coroutine function, run the coroutine to its end and return its result."""
        if _program_handles_ctrl_c():
            return self._runner.run(fn(*args, **kwargs))
        call = _InterruptibleCall()
        with InterruptsHeld(call.interrupt) as held:
            return self._runner.run(call.run(held, fn(*args, **kwargs)))

    def close(self, *, wait: bool = True) -> None:  # noqa: ARG002 - between two calls nothing goes on
        """Cancel what still runs, let it clean up, and close the loop; a second Ctrl-C does not wait for that."""
        presses: list[None] = []

        def interrupt() -> None:
            if presses:
                raise KeyboardInterrupt
            presses.append(None)

        with InterruptsHeld(interrupt):  # broken off, it would stay open until it is collected
            self._runner.close()

    def __del__(self) -> None:
        try:  # where a Ctrl-C has kept its owner from doing so
            self.close()
        except (AttributeError, RuntimeError):  # it was never whole, or another loop turns here
            pass


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
        if self._task is not None:
            self._cancelled = True
            # In a turn of the loop: at any other moment somebody may just be ending what the task waits for. The loop
            # itself may be in a wait.
            self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class TurningLoop:
    """An event loop in a thread of its own, where it turns all the time: what was begun goes on between two calls.

    To be closed; one that nobody refers to any more ends by itself, at some time later.

    Args:
        name: what the thread's name begins with.

    Attributes:
        elsewhere: True, as it turns in another thread.
    """

    elsewhere = True

    def __init__(self, name: str) -> None:
        self._turning = _Turning()
        # A daemon: a coroutine that blocks the loop must not keep the program from ending.
        self._thread = threading.Thread(target=self._turning.turn, name=f"{name}-loop", daemon=True)
        with InterruptsHeld():
            self._thread.start()
            self._turning.turns.wait()

    def run(self, fn: Callable[..., Coroutine[Any, Any, Any]], /, *args: Any, **kwargs: Any) -> Any:
        """Call a coroutine function, run the coroutine to its end and return its result.

        It sees the caller's context variables. A Ctrl-C cancels it; a second one does not wait until it has cleaned up.
        """
        loop = self._turning.loop
        if loop is None:
            raise RuntimeError("the event loop could not be started")
        call = _CallElsewhere(loop)
        if _program_handles_ctrl_c():
            return call.result(fn(*args, **kwargs))
        with InterruptsHeld(call.interrupt):
            return call.result(fn(*args, **kwargs))

    def close(self, *, wait: bool = True) -> None:
        """Cancel what still runs, let it clean up, and close the loop.

        Args:
            wait: whether to wait for that as long as it takes; otherwise only for a moment.
        """
        self._turning.end()
        self._thread.join(None if wait else _MOMENT_S)

    def __del__(self) -> None:
        try:
            self._turning.end()
        except AttributeError:  # it was never whole, or the interpreter ends
            pass


class _Turning:
    """What the thread of a loop does; apart from the `TurningLoop`, which would never be let go of otherwise.

    Attributes:
        loop: the loop, once `turns` is set; None if there were no descriptors left for one.
        turns: set when it turns, or does not any more.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.turns = threading.Event()
        self._closing = asyncio.Event()

    def turn(self) -> None:
        try:
            with asyncio.Runner() as runner:
                loop = runner.get_loop()
                loop.call_soon(self.turns.set)
                self.loop = loop
                runner.run(self._until_closed())
        finally:
            self.turns.set()  # also when there were no descriptors left for a loop

    async def _until_closed(self) -> None:
        await self._closing.wait()

    def end(self) -> None:
        """Have the loop end. More than once is no error."""
        if self.loop is not None:
            try:
                self.loop.call_soon_threadsafe(self._closing.set)
            except RuntimeError:  # it has ended
                pass


class _CallElsewhere:
    """A coroutine in the loop of another thread, which this one waits for.

    The standard library's `run_coroutine_threadsafe` does the same with a future, whose lock a Ctrl-C may leave taken;
    and it leaves the coroutine running.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._ended = allocate_lock()
        self._ended.acquire()
        self._interrupted = False
        self._end: BaseException | None = None  # what would have ended the loop as well

    def result(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end, and return its result."""
        self._loop.call_soon_threadsafe(self._begin, coroutine)
        try:
            self._ended.acquire()
        except BaseException:  # by the program's own handler, or by a second Ctrl-C
            self._loop.call_soon_threadsafe(self._cancel)
            raise
        task, self._task = self._task, None
        end, self._end = self._end, None
        try:
            if end is not None:
                raise end
            return None if task is None else task.result()
        finally:
            del task, end  # what it raises refers to this frame

    async def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await coroutine
        except (SystemExit, KeyboardInterrupt) as end:
            self._end = end

    def interrupt(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
        self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        if self._interrupted:
            coroutine.close()
            self._ended.release()
            return
        self._task = self._loop.create_task(self._run(coroutine))
        self._task.add_done_callback(lambda _: self._ended.release())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _program_handles_ctrl_c() -> bool:
    """Return whether the program does something of its own about a Ctrl-C, which is not to be delayed."""
    return getsignal(SIGINT) is not default_int_handler
