"""What the parent holds of one worker: its process, its line, its ledger, its death notice."""

from __future__ import annotations

import os
import select
import sys
from time import monotonic

from corewise._engine.forked import ForkedProcess
from corewise._transport import forks, portable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corewise._engine.lifeline import Lifeline
    from corewise._engine.start import Process
    from corewise._transport.channel import ParentEnd
    from corewise._transport.ledger import Ledger, Page

# guess: end-of-file on the line and the end of the process are microseconds apart, unless the line alone was closed
_LAST_WORDS_S = 1.0
_SIGSTOP, _SIGCONT = 19, 18  # Linux; only used there
_UNKNOWN = 255  # what the standard library says of a process whose exit code nobody could read
_STOPPING_S = 0.05  # guess: a process that has not stopped by then is deep in the kernel, and begins no item there


class Lane:
    """What of a worker runs one item at a time: all of it, unless it was asked to run several at once.

    Attributes:
        worker: the process that it is a lane of.
        number: what the schedule knows it by.
        ledger: what it writes down.
    """

    __slots__ = ("ledger", "number", "worker")

    def __init__(self, worker: Worker, number: int, ledger: Page) -> None:
        self.worker = worker
        self.number = number
        self.ledger = ledger

    @property
    def retired(self) -> bool:
        """Whether its process has been told to end."""
        return self.worker.retired

    @property
    def is_stopped(self) -> bool:
        """Whether its process is stopped, and no other lane in the middle of an item."""
        return self.worker.is_stopped and not any(
            lane.ledger.at() is not None for lane in self.worker.lanes if lane is not self
        )


class Worker:
    """The parent's side of one worker process.

    Attributes:
        lanes: what it runs items in; their numbers follow from its own.
    """

    def __init__(
        self, number: int, process: Process, line: ParentEnd, ledger: Ledger, life: Lifeline, *, early: bool
    ) -> None:
        self.number = number
        self.process = process
        self.pid = process.pid or 0
        self.line = line
        self.ledger = ledger
        pages = (ledger, *ledger.others)
        self.lanes = [Lane(self, number * len(pages) + lane, page) for lane, page in enumerate(pages)]
        self._life = life
        self.ready = False
        self.verdict: BaseException | None = None  # what is wrong with what it sends
        self.cannot_work: BaseException | None = None  # what its function or initializer raised before its first item
        self.writing = False  # whether its line is watched for room to write
        self.retired = False  # told to end
        self.known: dict[int, None] = {}  # functions that it has been sent, oldest first
        self.early = early  # started before anything was done: part of the pool's start-up
        self.cpu_s = 0.0
        self.queued_s: float | None = 0.0
        self.exitcode: int | None = None
        self._notice = _death_notice(process)
        self._kinship = _Kinship(process)

    def spent(self, cpu_s: float, queued_s: float | None) -> None:
        """Note what the worker says it has spent: on a core, and in line for one."""
        self.cpu_s, self.queued_s = cpu_s, queued_s

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when the process is gone, whoever else holds its line."""
        return self._notice.fd if self._notice is not None else self.process.sentinel

    def wait_for_end(self) -> bool:
        """Wait for the process to end; kill it if it lives on with its line closed. Return whether it was killed."""
        # Where the notice is a pipe, a grandchild may hold it open when the process itself is long gone.
        lives = not self._ends_within(_LAST_WORDS_S) and self.process.exitcode is None
        if lives:
            self.process.kill()
        self.process.join()
        self.exitcode = self.process.exitcode
        return lives

    def _ends_within(self, seconds: float) -> bool:
        if sys.platform == "win32":
            self.process.join(seconds)
            return self.process.exitcode is not None
        # Not `join` with a time limit: that imports a module which takes as long to load as a worker to start.
        poll = select.poll()
        poll.register(self.sentinel, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    @property
    def is_stopped(self) -> bool:
        """Whether the process is stopped, as by SIGSTOP or a debugger; False where the system does not tell."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the process where it stands, so that what its ledger says stays true; where it can be stopped."""
        if sys.platform != "linux":
            return
        self._signal(_SIGSTOP)
        begin = monotonic()
        # The signal takes effect when the process next leaves the kernel: microseconds, unless the disk has it.
        while not self.is_stopped and not self._ends_within(0) and monotonic() - begin < _STOPPING_S:
            os.sched_yield()

    def go_on(self) -> None:
        """Let a process that was stopped go on."""
        if sys.platform == "linux":
            self._signal(_SIGCONT)

    def _signal(self, number: int) -> None:
        try:
            if sys.platform == "linux" and self._notice is not None:
                import signal

                signal.pidfd_send_signal(self._notice.fd, number)
            else:
                os.kill(self.pid, number)
        except OSError:  # it has ended, which is noticed by itself
            return

    def terminate(self) -> None:
        """Ask the process to end."""
        self.process.terminate()

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()

    def release(self) -> None:
        """Reap the process, which has ended or been killed, and close what stood for it."""
        self.process.join()
        self.exitcode = self.process.exitcode
        if self.exitcode is None:
            _say_ended(self.process)
        self.process.close()
        # The standard library follows process objects by a weak set, which runs Python code when one goes away. A
        # Ctrl-C that hits there is swallowed, so it goes away here, where interrupts are held back.
        del self.process
        self._kinship.end()
        self.line.close()
        self.ledger.close()
        self.lanes.clear()  # which lead back here
        self._life.close()
        if self._notice is not None:
            self._notice.close()


class _Kinship:
    """Has a forked child of this program forget a worker, which is none of its own.

    At its end `multiprocessing` waits for all children that it knows of, and fails at those of another process.
    """

    def __init__(self, process: Process) -> None:
        self._process: Process | None = process
        forks.close_in_children(self)

    def close(self) -> None:
        """In a forked child."""
        known = sys.modules.get("multiprocessing.process")
        if known is not None:
            known._children.discard(self._process)  # noqa: SLF001 - there is no other way to say so

    def end(self) -> None:
        """In the parent, when the process is gone."""
        self._process = None
        forks.let_go(self)


def _say_ended(process: Any) -> None:
    """Say to the standard library that a process has ended whose exit code is not to be had.

    It never learns of the end by itself where the program ignores SIGCHLD, and would not close what still runs.
    """
    popen = getattr(process, "_popen", None)
    if popen is not None:
        popen.returncode = _UNKNOWN


def _death_notice(process: Process) -> forks.OwnDescriptor | None:
    """Return what is readable when the process has ended, even if a grandchild holds whatever else it had open.

    None where the system has no such thing; then the standard library's sentinel serves.
    """
    if isinstance(process, ForkedProcess):
        return process.notice
    if process.pid is None or portable.in_use():
        return None
    try:
        return forks.death_notice(process.pid)
    except OSError:  # a system without it, or no descriptor left
        return None
