"""The worker processes of a pool: started, watched, released; each step whole or not at all, whatever Ctrl-C hits."""

from __future__ import annotations

import os
import selectors
from contextlib import ExitStack, closing
from itertools import count
from multiprocessing.util import Finalize

from corewise._engine.handle import Worker
from corewise._engine.lifeline import Lifeline
from corewise._engine.start import start_worker
from corewise._engine.worker import Setup
from corewise._machine.interrupts import InterruptsHeld
from corewise._transport import channel
from corewise._transport.ledger import Ledger
from corewise._types.record import Record
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Recipe(Record):
    """How every worker of a crew is made.

    Attributes:
        start_method: ``"fork"``, ``"forkserver"`` or ``"spawn"``.
        fn: the function; forked workers inherit it.
        fn_bytes: the function for workers that are not forked.
        keep_going: whether to go on behind an item that fails.
        cores: each worker's share of the cores.
    """

    start_method: str
    fn: Callable[..., Any]
    fn_bytes: bytes
    keep_going: bool
    cores: int


class News(Record):
    """Something happened to a worker.

    Attributes:
        worker: which one.
        ended: whether its process is gone.
        events: `READ` or `WRITE` or both, as its line allows; 0 when `ended`.
    """

    worker: Worker
    ended: bool
    events: int


class Crew:
    """The workers of one pool.

    Attributes:
        members: the workers by their numbers.
        started: how many were started in all.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.members: dict[int, Worker] = {}
        self.started = 0
        self._recipe = recipe
        self._numbers = count(1)
        # A poll object holds no descriptor that forked children would share.
        self._selector: selectors.BaseSelector = getattr(selectors, "PollSelector", selectors.DefaultSelector)()
        # Should nobody come to close it, the crew ends with its pool, or before the standard library waits for every
        # child at the end of the program.
        self._finalizer = Finalize(self, _end_all, args=(self.members,), exitpriority=100)

    def start(self, *, early: bool) -> Worker:
        """Start one more worker.

        Args:
            early: whether its start is part of the pool's start-up.

        Raises:
            WorkerStartError: when the system grants no process, descriptor or memory for it.
        """
        with InterruptsHeld():
            number = next(self._numbers)
            worker = self._made(number, early=early)
            self.members[number] = worker
            self.started += 1
            self._selector.register(worker.line, READ, (worker, False))
            # Elsewhere the sentinel is no socket; there end-of-file is reliable, as nothing is inherited by fork.
            if os.name == "posix":
                self._selector.register(worker.sentinel, READ, (worker, True))
            return worker

    def _made(self, number: int, *, early: bool) -> Worker:
        recipe = self._recipe
        with ExitStack() as undo:
            try:
                ledger = undo.enter_context(closing(Ledger()))
                life = undo.enter_context(closing(Lifeline()))
                line, theirs = channel.pair()
                undo.enter_context(closing(line))
            except OSError as error:
                raise WorkerStartError(f"no worker process could be set up: {error}") from error
            with theirs:
                setup = Setup(
                    line=theirs,
                    ledger=ledger,
                    lifeline=life,
                    fn=recipe.fn if recipe.start_method == "fork" else None,
                    fn_bytes=recipe.fn_bytes,
                    keep_going=recipe.keep_going,
                    cores=recipe.cores,
                )
                process = start_worker(recipe.start_method, setup, f"corewise-worker-{number}")
            life.handed_over()
            undo.pop_all()
        return Worker(number, process, line, ledger, life, early=early)

    def wait(self, timeout_s: float | None) -> list[News]:
        """Wait for news of any worker, at most `timeout_s` seconds (None: as long as it takes)."""
        news = []
        for key, events in self._selector.select(timeout_s):
            worker, ended = key.data
            news.append(News(worker=worker, ended=ended, events=0 if ended else events))
        return news

    def watch(self, worker: Worker) -> None:
        """Watch also for room to write in a worker's line, if something waits to be written."""
        events = READ | (WRITE if worker.line.backlog else 0)
        if self._selector.get_key(worker.line).events != events:
            self._selector.modify(worker.line, events, (worker, False))

    def release(self, worker: Worker) -> None:
        """Reap a worker that has ended or been killed, and forget it."""
        with InterruptsHeld():
            self._selector.unregister(worker.line)
            if os.name == "posix":
                self._selector.unregister(worker.sentinel)
            worker.release()
            del self.members[worker.number]

    def close(self) -> None:
        """Kill the workers that are left, and reap them."""
        with InterruptsHeld():
            self._finalizer()
            self._selector.close()


def _end_all(members: dict[int, Worker]) -> None:
    for worker in members.values():
        worker.kill()
    for worker in members.values():
        worker.release()
    members.clear()
