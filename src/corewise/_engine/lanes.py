"""A worker that runs several items at once: plain functions by threads, coroutine functions by one event loop.

```
                    parent                                    worker process
                                        ┌──► lane 0 (thread, or task of the loop) ───┐
  a worker of the schedule for each ────┤                                            ├──► outcomes, one sender
  lane, with positions of its own       └──► lane 1 ─────────────────────────────────┘    at a time
                                              └──► its own page of the ledger
```

To the parent each lane is a worker that runs one item at a time, so all that holds for such a worker holds for a lane:
what it was sent, what it has begun, what is taken back from it, what it has finished and not sent. They only begin and
end together.
"""

from __future__ import annotations

import os
import threading
import traceback
from _contextvars import ContextVar, copy_context
from _queue import SimpleQueue
from time import process_time

from corewise._engine import worker
from corewise._engine.setting import Place
from corewise._engine.worker import LINE_LOST, NO_MEMORY, Batch, ChunkLoop, outcome_of
from corewise._machine import cpus
from corewise._machine.queueing import queued_s
from corewise._transport import failures
from corewise._transport.ledger import LANE_POSITIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._engine.setting import Setting, Setup
    from corewise._transport.codec import Packed

_BROKEN = 1  # exit code, as of any program that ends by an exception

# Where the item is run that code asks in; tasks and threads that an item starts in its context are part of it.
_here: ContextVar[Place | None] = ContextVar("corewise_place", default=None)


def serve(setup: Setup) -> None:
    """Serve one parent until it says stop or is gone. The body of a worker process with several lanes."""
    worker.serve(setup, _made)


def _made(setup: Setup, setting: Setting) -> Threads | Tasks:
    setting.place_of_caller = _here.get
    return Threads(setup, setting) if setting.run_coroutine is None else Tasks(setup, setting)


class Threads:
    """Lanes that are threads; the main thread takes in what comes."""

    def __init__(self, setup: Setup, setting: Setting) -> None:
        pages = (setup.ledger, *setup.ledger.others)
        self._setting = setting
        self._name = setup.name
        self._lanes = [ThreadLane(setup, setting, Place(page), self.spent) for page in pages]

    def run_until_stopped(self) -> None:
        """Take in chunks for the lanes, until the parent says stop and they are through."""
        self._setting.end.keep_gil()
        threads = []
        for number, lane in enumerate(self._lanes, 1):
            # Daemons: the process must be able to end when its main thread has come to grief.
            run, name = copy_context().run, f"{self._name}-{number}"
            threads.append(threading.Thread(target=run, args=(self._run, lane), name=name, daemon=True))
        for thread in threads:
            thread.start()
        receive_until_stopped(self._setting, lambda lane, message: self._lanes[lane].inbox.put(message))
        for lane in self._lanes:
            lane.inbox.put(None)
        for thread in threads:
            thread.join()

    def _run(self, lane: ThreadLane) -> None:
        cpus.share_among(len(self._lanes))
        guarded(lane.run)

    def spent(self) -> tuple[float, float | None]:
        """Return the CPU seconds of this process, and those for which lanes that have ended stood in line."""
        told = [lane.queued_s for lane in self._lanes]
        known = [seconds for seconds in told if seconds is not None]
        # No file is read here: among lanes that compute it would take three turns at the GIL, after each item.
        return process_time(), sum(known) if len(known) == len(told) else None


class ThreadLane(ChunkLoop):
    """One thread.

    Attributes:
        inbox: chunks to be run; None at the end.
        queued_s: seconds for which it has stood in line for a core; looked up at its end, as to read a file takes
            three turns at the GIL.
    """

    def __init__(
        self, setup: Setup, setting: Setting, place: Place, of_all: Callable[[], tuple[float, float | None]]
    ) -> None:
        super().__init__(setup, setting, place)
        self.inbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self.queued_s: float | None = 0.0
        self._of_all = of_all

    def run(self) -> None:
        """Run chunks until there are no more."""
        _here.set(self._place)
        while (message := self.inbox.get()) is not None:
            self.chunk(*message)
            del message  # items must not stay while this thread waits for the next ones
        self.queued_s = queued_s()

    def spent(self) -> tuple[float, float | None]:
        """Return what all lanes have spent."""
        return self._of_all()


class Tasks:
    """Lanes that are tasks of one event loop, which turns in the main thread; another thread takes in what comes."""

    def __init__(self, setup: Setup, setting: Setting) -> None:
        pages = (setup.ledger, *setup.ledger.others)
        self._setting = setting
        self._name = setup.name
        self._lanes = [TaskLane(setup, setting, Place(page)) for page in pages]

    def run_until_stopped(self) -> None:
        """Turn the loop until the parent says stop and the lanes are through."""
        run = self._setting.run_coroutine
        assert run is not None  # noqa: S101 - it would be threads
        # Nothing is to be cleaned up when a task of the function's own has ended the loop: items under way would be
        # cancelled, and that taken for their outcome.
        guarded(lambda: run(self._turn))

    async def _turn(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()

        def put(lane: int, message: tuple[Any, ...] | None) -> None:
            loop.call_soon_threadsafe(self._lanes[lane].inbox.put_nowait, message)

        def receive() -> None:
            receive_until_stopped(self._setting, put)
            for lane in range(len(self._lanes)):
                put(lane, None)

        threading.Thread(target=guarded, args=(receive,), name=f"{self._name}-in", daemon=True).start()
        await asyncio.gather(*(lane.run() for lane in self._lanes))

    def spent(self) -> tuple[float, float | None]:
        """Return the CPU seconds of this process, and those for which the loop stood in line for a core."""
        return worker.spent()


class TaskLane(ChunkLoop):
    """One task, which runs each item as a task of its own: what one sets or cancels is no matter of the next.

    Attributes:
        inbox: chunks to be run; None at the end.
    """

    def __init__(self, setup: Setup, setting: Setting, place: Place) -> None:
        import asyncio  # dear, and needed for coroutine functions only

        super().__init__(setup, setting, place)
        self.inbox: asyncio.Queue[tuple[Any, ...] | None] = asyncio.Queue()
        self._limit_s = setup.await_s
        self._timeout, self._task = asyncio.timeout, asyncio.create_task

    async def run(self) -> None:
        """Run chunks until there are no more."""
        _here.set(self._place)
        while (message := await self.inbox.get()) is not None:
            await self._await_chunk(*message)
            del message  # as for `ThreadLane`

    async def _await_chunk(self, position: int, start: int, count: int, star: bool, _quick: bool, data: Any) -> None:  # noqa: FBT001 - from a message
        """Do what `ChunkLoop._run_carefully` does, and let others go on while an item waits."""
        items, invoke = self._opened(position, start, count, star, data)
        ledger, batch, end = self._ledger, Batch(position), position + count
        for item in items:
            came = await self._task(self._await_item(invoke, item, position))
            del item
            if came is None:
                self._send(batch)
                self._send_message(("skipped", position, end))
                ledger.begin(end)
                return
            outcome, plain = came
            position += 1
            is_old = batch.add(outcome, plain)
            if outcome[0] and not self._keep_going:
                self._send(batch, dropped=True)
                ledger.begin(end)
                return
            if ledger.record(*outcome) is None or (is_old and position < end):
                self._send(batch)
                ledger.begin(position)
                batch = Batch(position)
        self._send(batch)
        ledger.begin(position)

    async def _await_item(
        self, invoke: Callable[[Any], Any], item: Any, position: int
    ) -> tuple[tuple[bool, Packed], list[Any] | None] | None:
        """Run an item; return what `outcome_of` does, or None if it was taken back."""
        # Not before its task runs: another may end the process meanwhile, and this item would not have begun.
        if not self._ledger.running(position):
            return None
        limit = self._timeout(self._limit_s)
        try:
            async with limit:
                value = await invoke(item)
        except BaseException as error:  # noqa: BLE001 - whatever the item or the function raises is the item's outcome
            if limit.expired() and isinstance(error, TimeoutError):
                error = _time_is_up(error, self._limit_s)
            return (True, failures.pack(error)), None
        del item  # so that a large result can go back in the memory of a large argument
        return outcome_of(_as_it_is, value, position + self._place.shift)


def receive_until_stopped(setting: Setting, put: Callable[[int, tuple[Any, ...]], None]) -> None:
    """Take in messages, and hand each to the lane that it is for."""
    end = setting.shared_end
    assert end is not None  # noqa: S101 - there are several lanes
    stopped: list[bool] = []

    def take(message: tuple[Any, ...]) -> None:
        if message[0] == "stop":
            stopped.append(True)
        else:
            put(message[1] // LANE_POSITIONS, message[1:])

    end.take = take
    while not stopped:
        end.receive()


def guarded(run: Callable[[], object]) -> None:
    """Run what must not end by itself; if it raises, the process ends, and the parent says of which items."""
    try:
        run()
    except (EOFError, OSError):
        os._exit(LINE_LOST)
    except MemoryError:
        os._exit(NO_MEMORY)
    except BaseException:  # noqa: BLE001 - in a loop, tasks that the function has started may raise SystemExit
        traceback.print_exc()
        os._exit(_BROKEN)


def _as_it_is(value: Any) -> Any:
    return value


def _time_is_up(error: BaseException, limit_s: float | None) -> BaseException:
    """Return the error of an item that was cancelled; its cause says where that came upon it."""
    up = TimeoutError(f"it took longer than {limit_s:g} s, so it was cancelled")
    up.__cause__ = error.__cause__
    return up
