"""The worker processes of a pool: started, watched, released; each step whole or not at all, whatever Ctrl-C hits."""

from __future__ import annotations

import atexit
import os
import sys
from _contextvars import copy_context
from itertools import count

from corewise._engine.handle import Worker
from corewise._engine.lifeline import Lifeline
from corewise._engine.method import pick_start_method
from corewise._engine.poller import make_poller
from corewise._engine.setting import Preparation, Setup
from corewise._engine.start import start_worker
from corewise._machine import cpus, native_limits
from corewise._transport import channel, codec
from corewise._transport.ledger import Ledger
from corewise._types.dropped import WhenDropped
from corewise._types.interrupts import InterruptsHeld
from corewise._types.light import Scope
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.handle import Lane
    from corewise._engine.poller import Poller
    from corewise._engine.workload import Workload


class Recipe:
    """How every worker of a crew is made.

    Args:
        how: what the workers do.
        workers: how many share the cores.
        start_method: ``"fork"``, ``"forkserver"``, ``"spawn"``, or ``"auto"`` to look anew at each start.
        inherits: whether forked workers find the inputs in their own memory.
        main_by_value: as for `codec.dumps`.

    Attributes:
        cores: each worker's share of the cores.
        lanes: items that each worker runs at once.
        name: what the names of processes begin with.

    Raises:
        CannotTravel: when the start method is no fork, and the function or the initializer cannot be sent.
    """

    def __init__(self, how: Workload, workers: int, start_method: str, *, inherits: bool, main_by_value: bool) -> None:
        cores = cpus.cpu_count()
        self.start_method = start_method
        self.name = how.name
        self.cores = max(1, cores // workers) if how.share_cores else cores
        self.lanes = how.per_worker
        self.main_by_value = main_by_value
        self._preparation = Preparation(fn=how.fn, initializer=how.initializer, initargs=how.initargs)
        self._rest: dict[str, Any] = {
            "keep_going": how.keep_going,
            "cores": self.cores,
            "seed": how.seed,
            "inherited": how.inherit or () if inherits else (),
            "lanes": how.per_worker,
            "await_s": how.timeout_s if how.awaits else None,
            "name": how.name,
        }
        self._packed: bytes | None = None
        self._initargs: tuple[Any, ...] | None = None
        if start_method not in ("fork", "auto"):
            self.pack()

    def pack(self) -> bytes:
        """Return the preparation as bytes, for a worker that does not inherit it.

        Locks and queues of `multiprocessing` may only be handed to a process that is being started, so an
        initializer's arguments that cannot be packed are left to that (`Setup.initargs`).
        """
        from corewise.errors import CannotTravel  # its base class is dear to import

        if self._packed is None:
            one, by_value = self._preparation, self.main_by_value
            codec.dumps(one.fn, "the function", main_by_value=by_value)
            codec.dumps(one.initializer, "the initializer", main_by_value=by_value)
            try:
                self._packed = codec.dumps(one, "the initializer's arguments", main_by_value=by_value)
            except CannotTravel:
                self._initargs = one.initargs
                self._packed = codec.dumps(one.replace(initargs=()), main_by_value=by_value)
        return self._packed

    def setup(self, method: str, line: Any, ledger: Ledger, lifeline: Lifeline) -> Setup:
        """Return what one worker is given."""
        forks = method == "fork"
        context = None
        if not forks and self._preparation.fn is not None and copy_context():
            from corewise._engine import contexts

            context = contexts.capture()
        surroundings = None
        if "logging" in sys.modules or "warnings" in sys.modules:
            from corewise._engine import forwarding

            surroundings = forwarding.surroundings(inherited=forks)
        return Setup(
            line=line,
            ledger=ledger,
            lifeline=lifeline,
            preparation=self._preparation if forks else self.pack(),
            initargs=None if forks else self._initargs,
            surroundings=surroundings,
            context=context,
            **self._rest,
        )


class News:
    """Something happened to a worker.

    Attributes:
        worker: which one.
        ended: whether its process is gone.
        read: whether its line has something to read, or is closed.
        write: whether its line has room for what waits to be sent.
    """

    __slots__ = ("ended", "read", "worker", "write")

    def __init__(self, worker: Worker, *, ended: bool, read: bool, write: bool) -> None:
        self.worker = worker
        self.ended = ended
        self.read = read
        self.write = write


class Crew:
    """The workers of one pool.

    Attributes:
        members: the workers by their numbers.
        lanes: what they run items in, by the numbers of these.
        started: how many were started in all.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.members: dict[int, Worker] = {}
        self.lanes: dict[int, Lane] = {}
        self.started = 0
        self._recipe = recipe
        self._numbers = count(1)
        self._ender = _Ender(self.members)
        with InterruptsHeld():  # else what the poller has opened would belong to nobody for a moment
            try:
                self.poller = make_poller()
            except OSError as error:
                raise WorkerStartError(f"no worker process could be set up: {error}") from error
            self._dropped = WhenDropped(self, _end_abandoned, self._ender, self.poller)

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
            for lane in worker.lanes:
                self.lanes[lane.number] = lane
            self._ender.register()
            self.started += 1
            self.poller.add(worker.line.fileno(), (worker, False))
            # Elsewhere the sentinel is no socket; there end-of-file is reliable, as nothing is inherited by fork.
            if os.name == "posix":
                self.poller.add(worker.sentinel, (worker, True))
            return worker

    def _made(self, number: int, *, early: bool) -> Worker:
        recipe = self._recipe
        method = pick_start_method(recipe.start_method)
        with Scope() as undo:
            try:
                ledger = undo.closing(Ledger(None, recipe.lanes))
                life = undo.closing(Lifeline())
                line, theirs = channel.pair()
                undo.closing(line)
            except OSError as error:
                raise WorkerStartError(f"no worker process could be set up: {error}") from error
            with theirs:
                setup = recipe.setup(method, theirs, ledger, life)
                with native_limits.lowered(recipe.cores if method == "fork" else None):
                    name = f"{recipe.name}-worker-{number}"
                    process = start_worker(method, setup, name, imports_main=not recipe.main_by_value)
            life.handed_over()
            undo.keep_open()
        return Worker(number, process, line, ledger, life, early=early)

    def wait(self, timeout_s: float | None, *, eager: bool = False) -> list[News]:
        """Wait for news of any worker; the arguments are those of `Poller.wait`."""
        news = []
        for data, read, write in self.poller.wait(timeout_s, eager=eager):
            if data is not None:
                worker, ended = data
                news.append(News(worker, ended=ended, read=read and not ended, write=write))
        return news

    def watch(self, worker: Worker) -> None:
        """Watch also for room to write in a worker's line, if something waits to be written."""
        if worker.line.backlog != worker.writing:
            worker.writing = worker.line.backlog
            self.poller.watch_writing(worker.line.fileno(), (worker, False), on=worker.writing)

    def release(self, worker: Worker) -> None:
        """Reap a worker that has ended or been killed, and forget it."""
        with InterruptsHeld():
            if self.members.pop(worker.number, None) is None:  # the program ends, and has ended it meanwhile
                return
            for lane in worker.lanes:
                del self.lanes[lane.number]
            self.poller.remove(worker.line.fileno())
            if os.name == "posix":
                self.poller.remove(worker.sentinel)
            worker.release()

    def terminate(self) -> None:
        """Ask the workers to end."""
        for worker in self.members.values():
            worker.terminate()

    def close(self) -> None:
        """Kill the workers that are left, and reap them."""
        with InterruptsHeld():
            self._ender.end()
            self.poller.close()
            self._dropped.forget()


class _Ender:
    """Ends the workers of a crew that nobody has closed: when it is garbage, or when the program ends.

    That is before the standard library waits for every child, as what was registered last is called first; so it is
    registered once the first worker is there.
    """

    def __init__(self, members: dict[int, Worker]) -> None:
        self._members = members
        self._made_in = os.getpid()
        self._registered = False

    def register(self) -> None:
        if not self._registered:
            self._registered = True
            atexit.register(self.end)

    def end(self) -> None:
        if os.getpid() != self._made_in:  # a forked child of this process; the workers are not its own
            return
        with InterruptsHeld():
            for worker in list(self._members.values()):
                try:
                    worker.kill()
                except (AttributeError, ValueError):  # another thread is just letting go of it, as it has ended
                    continue
            while self._members:
                # At the end of the program another thread may be at the same, so each is taken out by one of them.
                _, worker = self._members.popitem()
                worker.release()
            if self._registered:
                self._registered = False
                atexit.unregister(self.end)


def _end_abandoned(ender: _Ender, poller: Poller) -> None:
    with InterruptsHeld():
        ender.end()
        poller.close()
