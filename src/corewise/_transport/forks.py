"""What a forked child must let go of: its copies of this process's ends, and what has to be settled before a fork.

A child that keeps a copy of the parent's end of another worker's line keeps that line open after the parent is dead,
and the other worker never learns of it. So every fork of this process, by whomever, closes the copies in the child. A
worker's own end is closed in its children too: a function that forks and returns twice would otherwise answer twice.
"""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Closable(Protocol):
        """Anything with a descriptor to let go of."""

        def close(self) -> None:
            """Let go."""


# A plain set, emptied by hand: a weak one runs Python code whenever an end goes away by itself, and a Ctrl-C that hits
# there is swallowed.
_parents_own: set[Closable] = set()


def close_in_children(end: Closable) -> None:
    """Have `end` closed in every process that is forked from this one, until `let_go`."""
    _parents_own.add(end)


def let_go(end: Closable) -> None:
    """Forget `end`, which has been closed."""
    _parents_own.discard(end)


# What to do before a fork in the process that forks, and after it in the child.
_around: list[tuple[Callable[[], None], Callable[[], None]]] = []


def around_forks(before: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Have `before` called before every fork of this process, and `in_child` in each child; the child keeps neither."""
    _around.append((before, in_child))


def no_longer(before: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Take back `around_forks`; no error if it was."""
    if (before, in_child) in _around:
        _around.remove((before, in_child))


def settle() -> None:
    """Do what has to be done before a fork; for who wants to know first whether one would be safe."""
    for before, _ in tuple(_around):
        before()


def _close_all() -> None:
    if _parents_own:
        for end in tuple(_parents_own):
            end.close()
        _parents_own.clear()
    if _around:
        for _, in_child in tuple(_around):
            in_child()
        _around.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=settle, after_in_child=_close_all)


class OwnDescriptor:
    """A descriptor of this process alone: closed in every process that is forked from it.

    Args:
        fd: the open descriptor.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        close_in_children(self)

    def close(self) -> None:
        """Close it; once is enough, more is no error."""
        # Forgotten first, here as everywhere: after a Ctrl-C in the midst the number may be that of another file, which
        # the next close, or that in a forked child, would hit.
        fd, self.fd = self.fd, -1
        let_go(self)
        if fd >= 0:
            os.close(fd)


def death_notice(pid: int) -> OwnDescriptor:
    """Return a descriptor that is readable when a child has ended, even if others hold all that it had open.

    Args:
        pid: number of a process that this one or its fork server has started.

    Raises:
        OSError: when there is no descriptor left, or the system has none for processes: Linux 5.3 and later have.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    try:
        return OwnDescriptor(os.pidfd_open(pid))
    except ProcessLookupError:
        # Gone already, and nobody had to wait for it: the program ignores SIGCHLD.
        reader, writer = os.pipe()
        os.close(writer)
        return OwnDescriptor(reader)
