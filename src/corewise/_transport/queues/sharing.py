"""How a queue comes into being, and how it reaches other processes.

A forked child has it already. A process that is being started by `multiprocessing` is handed the descriptors with all
else that it inherits. A process that runs already, such as a worker, opens them by way of `/proc`: without a thread on
either side, and for as long as the sender holds the queue.
"""

from __future__ import annotations

import os
import sys
from _weakref import ref
from itertools import chain

from corewise._transport import portable
from corewise._transport.queues import bells, files, log, pages
from corewise._transport.queues.words import CONTROL_BYTES
from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from corewise._transport.queues.bells import Bell
    from corewise._transport.queues.core import Core
    from corewise._transport.queues.pages import Pages

    CoreT = TypeVar("CoreT", bound=Core)

_KEY_BYTES = 16
# The queues of this process, so that one that is received twice, or was inherited as well, is one here too.
_here: dict[bytes, ref[Core]] = {}


def make(kind: type[CoreT], maxsize: int, max_bytes: int) -> CoreT:
    """Return a new queue.

    Raises:
        OSError: when no descriptors are left.
        MemoryError: when there is no memory.
    """
    in_files = portable.in_use()
    with InterruptsHeld():  # else what was opened would belong to nobody for a moment
        fresh: Pages = files.new() if in_files else pages.new()
        opened: list[Any] = [fresh]
        try:
            fresh.reserve(0, CONTROL_BYTES)
            control = fresh.mapped(CONTROL_BYTES)
            opened.append(control)
            fresh.make_locks(control)
            log.lay_out(fresh, control.view().cast("Q"))
            for _ in range(kind.BELLS):
                opened.append(bells.new(portable=in_files))  # noqa: PERF401 - each is to be closed if the next fails
            core = kind(fresh, control, opened[2:], (maxsize, max_bytes))
        except BaseException:
            for one in opened:
                one.close()
            raise
        return _known(os.urandom(_KEY_BYTES), core)


def _known(key: bytes, core: CoreT) -> CoreT:
    core.key = key
    _here[key] = ref(core, lambda _: _here.pop(key, None))
    return core


def hand_over(core: Core) -> tuple[Any, ...]:
    """Return what another process needs to have this queue, to be pickled."""
    limits = core.maxsize, core.max_bytes
    if isinstance(core.pages, files.FilePages):
        fds = [files.Travelling(fd) for fd in core.pages.fds]
        return core.key, limits, None, fds, [bell.ends for bell in core.bells]  # type: ignore[attr-defined]
    groups = [core.pages.fds, *(bell.fds for bell in core.bells)]  # type: ignore[attr-defined]
    context = sys.modules.get("multiprocessing.context")
    if context is not None and context.get_spawning_popen() is not None:
        return core.key, limits, 0, [[files.Travelling(fd) for fd in group] for group in groups], ()
    return core.key, limits, os.getpid(), [[(group[0], *_identity(group[0]))] for group in groups], ()


def _identity(fd: int) -> tuple[int, int]:
    told = os.fstat(fd)
    return told.st_dev, told.st_ino


def received(
    kind: type[CoreT], key: bytes, limits: tuple[int, int], sender: int | None, handles: list[Any], ends: Any
) -> CoreT:
    """Return the queue that another process has handed over, or that this one has already.

    Args:
        kind: of which class.
        key: by which it is known.
        limits: its limits.
        sender: the process from which to open it; 0 when the descriptors have come; None for one of files.
        handles: the descriptors, or which of the sender's.
        ends: the sockets of one of files.

    Raises:
        OSError: when the sender has let go of it in the meantime, or no descriptors are left.
    """
    known = _here.get(key)
    core: CoreT | None = known() if known is not None else None  # type: ignore[assignment]
    if core is not None and sender:
        return core
    with InterruptsHeld():  # as when it is made
        its_bells: list[Bell]
        if sender is None:
            fresh: Pages = files.FilePages(*handles)
            its_bells = [bells.SocketBell(pair) for pair in ends]
        else:
            groups = _opened(sender, handles) if sender else handles
            fresh = pages.MemoryPages(*groups[0])
            its_bells = [bells.PipeBell(group) for group in groups[1:]]
        if core is None:
            try:
                return _known(key, kind(fresh, fresh.mapped(CONTROL_BYTES), its_bells, limits))
            except BaseException:
                _close(fresh, its_bells)
                raise
        _close(fresh, its_bells)
        return core


def _close(fresh: Pages, its_bells: list[Bell]) -> None:
    fresh.close()
    for bell in its_bells:
        bell.close()


def _opened(pid: int, groups: list[list[tuple[int, int, int]]]) -> list[list[int]]:
    opened: list[list[int]] = []
    try:
        for group in groups:
            opened += [[_open_of(pid, *one) for one in group]]
    except BaseException:
        for fd in chain.from_iterable(opened):
            os.close(fd)
        raise
    return opened


def _open_of(pid: int, fd: int, device: int, inode: int) -> int:
    """Open what a descriptor of another process refers to."""
    if sys.platform != "linux":
        raise OSError("only Linux opens what another process has")
    try:
        opened = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise OSError(_GONE.format(pid)) from None
    if _identity(opened) != (device, inode):
        os.close(opened)
        raise OSError(_GONE.format(pid))
    return opened


_GONE = "process {}, which has sent this queue, holds it no more; keep it there until it has been received"
