"""What the parent holds of one worker: its process, its line, its ledger, its death notice."""

from __future__ import annotations

import os
import select
import sys

from corewise._transport import forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from corewise._engine.lifeline import Lifeline
    from corewise._transport.channel import ParentEnd
    from corewise._transport.ledger import Ledger

# guess: end-of-file on the line and the end of the process are microseconds apart, unless the line alone was closed
_LAST_WORDS_S = 1.0


class Worker:
    """The parent's side of one worker process."""

    def __init__(
        self, number: int, process: BaseProcess, line: ParentEnd, ledger: Ledger, life: Lifeline, *, early: bool
    ) -> None:
        self.number = number
        self.process = process
        self.pid = process.pid or 0
        self.line = line
        self.ledger = ledger
        self._life = life
        self.ready = False
        self.early = early  # started before anything was done: part of the pool's start-up
        self.cpu_s = 0.0
        self.queued_s: float | None = 0.0
        self.exitcode: int | None = None
        self._notice = _death_notice(process)

    def spent(self, cpu_s: float, queued_s: float | None) -> None:
        """Note what the worker says it has spent: on a core, and in line for one."""
        self.cpu_s, self.queued_s = cpu_s, queued_s

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when the process is gone, whoever else holds its line."""
        return self._notice.fd if self._notice is not None else self.process.sentinel

    def wait_for_end(self) -> bool:
        """Wait for the process to end; kill it if it lives on with its line closed. Return whether it was killed."""
        lives = not self._ends_within(_LAST_WORDS_S)
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

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()

    def release(self) -> None:
        """Reap the process, which has ended or been killed, and close what stood for it."""
        self.process.join()
        self.exitcode = self.process.exitcode
        self.process.close()
        # The standard library follows process objects by a weak set, which runs Python code when one goes away. A
        # Ctrl-C that hits there is swallowed, so it goes away here, where interrupts are held back.
        del self.process
        self.line.close()
        self.ledger.close()
        self._life.close()
        if self._notice is not None:
            self._notice.close()


def _death_notice(process: BaseProcess) -> forks.OwnDescriptor | None:
    """Return a pidfd: readable when the process has ended, even if a grandchild holds whatever else it had open.

    None where the system has none; then the standard library's sentinel serves.
    """
    if sys.platform == "linux" and process.pid is not None:
        try:
            return forks.OwnDescriptor(os.pidfd_open(process.pid))
        except OSError:  # a kernel without it, or the process is gone and reaped already
            return None
    return None
