"""A driver that also runs jobs: many items of one function, beside single calls."""

from __future__ import annotations

import os
import threading
from concurrent.futures import CancelledError

from corewise._api.executors.driver import Driver
from corewise._api.executors.process_future import decide
from corewise._api.executors.program_end import has_begun
from corewise._types.dropped import WhenDropped
from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._api.executors.jobs import ManagedJob, StreamJob
    from corewise._api.executors.process_future import Decision


class JobDriver(Driver):
    """Turns a pool of processes for futures and for jobs."""

    _dropped: WhenDropped | None = None

    def belong_to(self, owner: object) -> None:
        """Be abandoned when nobody holds `owner` any more; unless it is closed before."""
        self._dropped = WhenDropped(owner, self.abandon)

    def begin(self, job: ManagedJob, fn: Callable[..., Any]) -> None:
        """Take a job, and begin with it. If its function cannot be sent, the job fails.

        Raises:
            BrokenProcessPool: when the workers cannot work.
            RuntimeError: after `close`.
        """
        decisions: list[Decision] = []
        with self._lock:
            if self._closing or self._functions is None or has_begun(self):
                self.open()
            try:
                job.function = self._functions.known(fn)  # type: ignore[union-attr]  # opened
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - the function's own pickling may raise anything
                job.fail(error, decisions)
            else:
                self._register.add(job)
                self.change(None)
        if decisions:
            decide(self.condition, decisions, self._watched)

    def close(
        self, *, wait: bool, cancel: bool = False, kill: str | None = None, because: BaseException | None = None
    ) -> None:
        """Take no more calls, as any driver; with `cancel`, items that have not begun are cancelled as well."""
        this = threading.get_ident()
        if this == threading.main_thread().ident and this != self._driver:
            self.condition.let_go()
        if cancel and os.getpid() == self._made_in:
            decisions: list[Decision] = []
            with self._lock:
                for job in self._register.jobs():
                    job.cut_off(CancelledError(), decisions)
            self.change(None)
            decide(self.condition, decisions, self._watched)
        super().close(wait=wait, cancel=cancel, kill=kill, because=because)
        if self._dropped is not None:
            self._dropped.forget()

    def change(self, act: Callable[[], object] | None) -> Any:
        """Change something about a job, and hand out what can be handed out then; return what `act` returns.

        Args:
            act: what changes it; called under the lock.
        """
        with self._lock, InterruptsHeld():
            result = None if act is None else act()
            self._feed()
            self._call_thread(news=True)
        with self.condition:
            self.condition.notify_all()
        return result

    def taken(self, job: StreamJob, items: int, size_bytes: int) -> None:
        """Note that results of a job have been taken, and hand out what there is room for now.

        Whoever drives is only told if that is something: to wake a thread costs as much as a chunk of tiny items.
        """
        with self._lock, InterruptsHeld():
            job.taken(items, size_bytes)
            self._call_thread(news=self._feed())

    def lift(self) -> None:
        """Have jobs go on to their ends, whether or not somebody takes their results."""
        with self._lock:
            for job in self._register.jobs():
                job.lift()
        self.change(None)

    def ring(self) -> None:
        """Have the thread look what there is to do. Needs no lock: the garbage collector may call it anywhere."""
        self._bell.put(None)
