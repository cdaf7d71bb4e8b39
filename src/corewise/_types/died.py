"""The error for a worker process that ended under an item: apart, because its base class is dear to import."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

from corewise.errors import CorewiseError


class WorkerDied(CorewiseError, BrokenProcessPool):
    """A worker process ended while it ran an item. Only that item is lost: the other items go on in other workers.

    Attributes:
        reason: how it ended, in words: ``"killed by SIGSEGV (segmentation fault)"``, ``"exited with code 3"``.
        pid: process id of the worker.
        exitcode: exit code; negative for the number of the signal that killed it; None when it could not be read.
        out_of_memory: True when it was killed while the kernel counted an out-of-memory kill.
    """

    def __init__(self, reason: str, pid: int = 0, exitcode: int | None = None, *, out_of_memory: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pid = pid
        self.exitcode = exitcode
        self.out_of_memory = out_of_memory

    def __str__(self) -> str:
        return f"the worker process {self.pid} was lost while it ran this item: {self.reason}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.reason, self.pid, self.exitcode, self.out_of_memory)


class ProcessDied(WorkerDied):
    """A `corewise.Process` was ended, or has ended itself, before what it runs returned.

    Attributes:
        name: name of the process; and those of `WorkerDied`.
    """

    def __init__(
        self, reason: str, pid: int = 0, exitcode: int | None = None, *, out_of_memory: bool = False, name: str = ""
    ) -> None:
        super().__init__(reason, pid, exitcode, out_of_memory=out_of_memory)
        self.name = name

    def __str__(self) -> str:
        return f"the process {self.name or self.pid} has not returned: {self.reason}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_process, (self.reason, self.pid, self.exitcode, self.out_of_memory, self.name)


ProcessDied.__module__ = "corewise.errors"
WorkerDied.__module__ = "corewise.errors"  # where users find it, and what a traceback should say


def _rebuild(reason: str, pid: int, exitcode: int | None, out_of_memory: bool) -> WorkerDied:  # noqa: FBT001 - pickle calls it by position
    return WorkerDied(reason, pid, exitcode, out_of_memory=out_of_memory)


def _rebuild_process(reason: str, pid: int, exitcode: int | None, out_of_memory: bool, name: str) -> ProcessDied:  # noqa: FBT001 - as above
    return ProcessDied(reason, pid, exitcode, out_of_memory=out_of_memory, name=name)
