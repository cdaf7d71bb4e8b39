"""A pool of worker processes, driven by whoever calls it: it has no thread of its own.

A calling thread turns it with `collect`. An executor waits outside its lock (`wait`) and takes in what came under it
(`take_in`). An event loop watches `fileno` and collects without waiting. So Ctrl-C lands where it belongs.
"""

from __future__ import annotations

from time import monotonic

from corewise._engine import parcels, start
from corewise._engine.accounts import Accounts
from corewise._engine.crew import Crew, Recipe
from corewise._engine.losses import Losses, losses_of_lanes
from corewise._engine.outbox import Outbox
from corewise._engine.patrol import TAIL_S, Patrol
from corewise._engine.reports import hand_on
from corewise._engine.schedule import Schedule
from corewise._engine.workload import Workload
from corewise._transport import codec, failures
from corewise._transport.ledger import LANE_POSITIONS
from corewise._types.interrupts import InterruptsHeld
from corewise._work.chunk import Done
from corewise.errors import WorkerStartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Unpack

    from corewise._engine.crew import News
    from corewise._engine.handle import Lane, Worker
    from corewise._engine.schedule import Held, Send
    from corewise._engine.workload import PoolTerms
    from corewise._transport.ledger import Reached
    from corewise._work.chunk import Chunk

LOOK_S = 0.01  # guess: seldom enough to cost nothing beside messages, often enough to be no wait that is noticed
_GOODBYE_S = 5.0  # guess: a worker that is done ends within milliseconds; one that hangs in its exit is killed


class ProcessPool:
    """Runs chunks in worker processes, replaces workers that die, and knows what each one holds.

    Attributes:
        main_by_value: as for `codec.dumps`.
        accounts: what the workers have spent.
        inherits: whether forked workers find the items in their own memory.

    Args:
        fn: the function; None in a `PoolOfCalls`.
        workers: most worker processes at a time; each is started when there is a chunk for it.
        **terms: see `Workload`.

    Raises:
        CannotTravel: when the function or the initializer must be sent and cannot.
    """

    OUTBOX = Outbox

    def __init__(self, fn: Callable[..., Any] | None, workers: int, **terms: Unpack[PoolTerms]) -> None:
        how = Workload(fn=fn, **terms)
        # A pool for any calls lives long: which start method is safe is looked at again for each worker.
        method = start.pick_start_method(how.start_method)
        self._method = method if fn is not None or how.start_method != "auto" else "auto"
        by_value = how.main_by_value or not codec.main_can_be_imported()
        self.main_by_value = by_value = self._method != "fork" and by_value
        self.inherits = how.inherit is not None and method == "fork"
        recipe = Recipe(how, workers, self._method, inherits=self.inherits, main_by_value=self.main_by_value)
        with InterruptsHeld():
            self._crew = Crew(recipe)
        lanes, quota = how.per_worker, how.max_tasks_per_worker
        self._schedule = Schedule(workers * lanes, quota=quota, ahead=how.ahead, lanes=lanes)
        self._patrol = Patrol(self._schedule, None if how.awaits else how.timeout_s)
        self._outbox = self.OUTBOX(self._crew, self._schedule, how, main_by_value=by_value, inherited=self.inherits)
        self.accounts = Accounts(self._crew.members)
        self._finished: list[Done] = []
        self._message_bytes = 0
        self._reports: list[tuple[str, Any]] = []
        self._looked_s = 0.0  # when workers were last looked after
        self._closing = False
        self._losses = Losses(self._method)
        self._interruptible = fn is not None  # executors hold Ctrl-C back: what looks like one is raised by a result
        if fn is not None:
            start.preload(method, fn)

    @property
    def workers_started(self) -> int:
        """Worker processes started, replacements included."""
        return self._crew.started

    def census(self) -> dict[str, int]:
        """Return the fields of `ExecutorStatistics` that are about workers."""
        started, deaths = max(0, self._crew.started - self._schedule.limit), self.accounts.deaths
        there, idle = len(self._crew.members), self._schedule.idle
        return {"workers": there, "idle_workers": idle, "worker_restarts": started, "worker_deaths": deaths}

    @property
    def room(self) -> int:
        """How many more chunks to submit now."""
        return self._schedule.room

    @property
    def unfinished(self) -> bool:
        """Whether anything that was submitted has not come back."""
        return self._schedule.unfinished or bool(self._finished)

    def fileno(self) -> int:
        """Return a descriptor that is readable while there is news; -1 where the system has no such thing."""
        return self._crew.poller.fileno()

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk to be run.

        Raises:
            WorkerStartError: when no worker can be started.
        """
        self._outbox.limited |= getattr(chunk, "timeout_s", None) is not None
        self._carry_out(self._schedule.submit(chunk))
        self._start_wanted()

    def start_all(self) -> None:
        """Start all workers now, for as long as it is safe to fork them; raises WorkerStartError if there is none."""
        while len(self._crew.lanes) < self._schedule.limit:
            if not self._start_one():
                return

    def collect(self, timeout_s: float | None) -> list[Done]:
        """Wait until at least one chunk, or part of one, is done, and return what is.

        Args:
            timeout_s: seconds to wait at most; None waits as long as it takes.

        Returns:
            What was finished; empty when the time was up or nothing is under way.

        Raises:
            WorkerStartError: when workers die before they are ready, again and again.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while not self._finished and self._schedule.unfinished:
            due_s = self.due_s()
            left_s = due_s if deadline is None else min(due_s, max(0.0, deadline - monotonic()))
            self.take_in(self.wait(left_s))
            hand_on(self.reports())
            if deadline is not None and monotonic() >= deadline:
                break
        return self.finished()

    def finished(self) -> list[Done]:
        """Return what was finished since the last time."""
        out, self._finished = self._finished, []
        return out

    def due_s(self) -> float:
        """Return for how many seconds at most to wait for news: until workers want looking after."""
        return 0.0 if self._finished else self._patrol.due_s(self._crew.lanes, limited=self._outbox.limited)

    def wait(self, timeout_s: float | None, *, eager: bool = False) -> list[News]:
        """Wait for news, at most `timeout_s` seconds; `eager` if an answer may come within microseconds.

        It changes nothing, so it may be called without a lock.
        """
        return self._crew.wait(timeout_s, eager=eager)

    def wake(self) -> None:
        """Have `wait`, in another thread, return at once."""
        self._crew.poller.wake()

    def take_in(self, news: list[News]) -> None:
        """Take in messages, then deaths, since the dead may have sent some before; then look after the rest."""
        suspects: dict[Worker, None] = {}
        for one in news:
            if (worker := one.worker).number not in self._crew.members:
                continue  # gone since the news was gathered
            if one.write:
                self._outbox.flush(worker)
            if one.ended or (one.read and not self._read(worker)):
                suspects[worker] = None
        for worker in suspects:
            self._bury(worker)
        # One that has news all the time, results or what it logs, must not keep the others from being looked after.
        now_s = monotonic()
        quiet = not news or now_s - self._looked_s > (TAIL_S if self._schedule.idle else LOOK_S)
        if quiet:
            self._looked_s = now_s
        if self._schedule.unfinished and (quiet or self._outbox.limited):
            self._look_after(quiet=quiet)
        # For what the dead have left, what was taken back, and what has waited for a place to come free.
        self._start_wanted()

    def reports(self) -> list[tuple[str, Any]]:
        """Return what workers have logged or warned of since the last time, to be handed on."""
        reports, self._reports = self._reports, []
        return reports

    def terminate(self) -> None:
        """Ask the workers that are there to end; what they were at is lost, and noticed as such."""
        self._crew.terminate()

    def close(self, *, kill: bool, wait: bool = True) -> None:  # noqa: ARG002 - killed processes are gone at once
        """End all workers and wait for them.

        Args:
            kill: True to kill them at once; False to let them end by themselves, after their last chunk.
            wait: of no matter here: nothing goes on that could not be killed.
        """
        try:
            if not kill:
                self._say_goodbye()
        finally:
            self.accounts.close()
            self._crew.close()
            self._outbox.close()

    def _read(self, worker: Worker) -> bool:
        """Take in what a worker has sent. Return whether its line is still open."""
        if worker.verdict is not None:
            return False
        before = worker.line.received_bytes
        try:
            messages, is_open = worker.line.receive()
        except MemoryError as error:  # for a result of it; what else it may have sent cannot be read any more
            worker.verdict = error
            worker.kill()
            return False
        if messages:
            self._message_bytes = (worker.line.received_bytes - before) // len(messages)
        for message in messages:
            self._take(worker, *message)
        if is_open and worker.line.backlog != worker.writing:  # it may have been told something of its blocks
            self._crew.watch(worker)
        return is_open

    def _take(self, worker: Worker, kind: str, *details: Any) -> None:
        if kind in ("plain", "done"):
            self._take_outcomes(worker, kind, *details)
        elif kind == "ready":
            self._losses.ready()
            worker.ready = True
            self.accounts.ready(worker)
        elif kind in ("log", "warning"):
            self._reports.append((kind, details[0]))
        elif kind in ("skipped", "unlike"):
            self._outbox.unlike |= kind == "unlike"
            lane = worker.lanes[details[0] // LANE_POSITIONS]
            self._carry_out(self._schedule.taken_back(lane.number, *details))
        elif kind == "broken":
            worker.cannot_work = failures.unpack(*details)  # raised when it has ended, and brought out what it logged
        else:
            self.accounts.said_goodbye(worker, *details)

    def _take_outcomes(
        self,
        worker: Worker,
        kind: str,
        position: int,
        outcome: Any,
        dropped: bool,  # noqa: FBT001 - from a message
        wall_s: float,
        spent: tuple[float, float | None] | None,
    ) -> None:
        if spent is not None:
            worker.spent(*spent)
        lane = worker.lanes[position // LANE_POSITIONS]
        held = self._schedule.held_by(lane.number)
        if not held or held[0].position < position:  # all of it was fetched, and was the last that it held
            return
        first = held[0]
        fetched = first.position - position  # from the ledger, before the worker sent them
        if kind == "plain":
            values, failed = codec.loads(outcome)[fetched:], list[int]()
        else:
            records = outcome[fetched:]
            values, failed = parcels.unpack_each(first.chunk.start, records, interruptible=self._interruptible)
        if values:
            self._outbox.timed(first.chunk, item_s := wall_s / (fetched + len(values)))
            rest, size, own_s = first.chunk.count - len(values), self._message_bytes, item_s * len(values)
            done = Done(first.chunk.start, values, failed, own_s, dropped=rest if dropped else 0, size_bytes=size)
            self._finished.append(done)
            self._came(lane, len(values), wall_s, dropped=dropped)

    def _came(self, lane: Lane, count: int, wall_s: float, *, dropped: bool = False) -> None:
        """Outcomes of the next `count` items of a lane have come."""
        sends = self._schedule.done(lane.number, count, wall_s, dropped=dropped)
        if self._schedule.used_up(lane.number):
            self._retire(lane.worker)
        self._carry_out(sends)

    def _retire(self, worker: Worker) -> None:
        """Tell a worker to end, if it has run as many items as it may."""
        if all(self._schedule.used_up(lane.number) for lane in worker.lanes):
            for lane in worker.lanes:
                self._schedule.left(lane.number)
            worker.retired = True
            self._outbox.post(worker, ("stop",))

    def _look_after(self, *, quiet: bool) -> None:
        """Kill what is over its time, give idle workers what others have not begun, fetch what is stuck."""
        lanes = self._crew.lanes
        if self._outbox.limited:
            for lane, limit_s in self._patrol.overdue(lanes):
                self._end_overdue(lane, limit_s)
        if not quiet:
            return
        tail, stuck = self._schedule.attention()
        for lane, begin, end in self._patrol.to_take_back(lanes) if tail else ():
            self._carry_out(self._schedule.taken_back(lane.number, begin, end))
        for lane, held, reached in self._patrol.stuck(lanes) if stuck else ():
            self._fetch(lane, held, reached)
        for lane in self._patrol.frozen(lanes):
            lane.worker.kill()

    def _fetch(self, lane: Lane, held: Held, reached: Reached) -> None:
        """Take outcomes from a ledger that were not sent, as the worker is long at the next item."""
        fresh = reached.records[held.position - reached.base :][: held.chunk.count]
        if reached.base <= held.position and fresh:
            self._take_from_ledger(held.chunk.start, fresh)
            self._came(lane, len(fresh), 0.0)

    def _take_from_ledger(self, first: int, records: list[Any]) -> None:
        if records:
            values, failed = parcels.unpack_each(first, records, interruptible=self._interruptible)
            self._finished.append(Done(first, values, failed, 0.0))

    def _end_overdue(self, lane: Lane, limit_s: float) -> None:
        """Kill a worker whose item takes too long, unless the item has just ended."""
        worker = lane.worker
        worker.stop()
        self._read(worker)
        if self._patrol.is_overdue(lane):
            worker.kill()
            self._bury(worker, TimeoutError(f"it took longer than {limit_s:g} s, so its worker process was killed"))
        else:
            worker.go_on()

    def _bury(self, worker: Worker, verdict: BaseException | None = None) -> None:
        """Take in what a lost worker has left; name the item it was at, and give the rest to others."""
        line_closed, reached = self._reap(worker)
        if worker.cannot_work is not None:
            raise worker.cannot_work
        if worker.retired:
            return
        lost: list[int] = []
        for loss, records in losses_of_lanes(self._schedule, reached, was_ready=worker.ready):
            self._take_from_ledger(loss.base, records)
            lost += [] if loss.item is None else [loss.item]
        self._finished += self._losses.of(worker, lost, verdict or worker.verdict, line_closed=line_closed)
        if not worker.ready:
            self._losses.not_ready(worker)
        self._carry_out(self._schedule.hand_out())

    def _start_wanted(self) -> None:
        for _ in range(0 if self._closing else self._schedule.wanted):
            if not self._start_one():
                return

    def _start_one(self) -> bool:
        """Start a worker and hand it what waits. Return False when the system grants no more than are there."""
        try:
            worker = self._crew.start(early=self._outbox.item_s is None)
        except WorkerStartError:
            if not self._crew.members:
                raise
            self._schedule.limit = sum(not lane.retired for lane in self._crew.lanes.values()) or self._schedule.limit
            return False
        self._carry_out(self._schedule.joined(*(lane.number for lane in worker.lanes)))
        return True

    def _say_goodbye(self) -> None:
        """Let the workers end by themselves; what does not end in time is killed by `close`."""
        deadline = monotonic() + _GOODBYE_S
        members = self._crew.members
        self._closing = True
        for worker in members.values():
            self._outbox.post(worker, ("stop",))
        while members and (left := deadline - monotonic()) > 0:
            for news in self._crew.wait(left):
                worker = news.worker
                if worker.number not in members:
                    continue
                if news.write:
                    self._outbox.flush(worker)
                if not self._read(worker) or news.ended:
                    self._reap(worker)

    def _reap(self, worker: Worker) -> tuple[bool, list[tuple[int, Reached]]]:
        """Await a worker's end, take in what it sent, forget it; return whether it was killed, and where it was."""
        with InterruptsHeld():
            killed = worker.wait_for_end()
            self._read(worker)
            reached = [(lane.number, lane.ledger.read()) for lane in worker.lanes]
            self.accounts.ended(worker)
            self._crew.release(worker)
        return killed, reached

    def _carry_out(self, sends: list[Send]) -> None:
        if sends:
            self._finished += self._outbox.carry_out(sends)
