"""What a forked child must let go of: its copies of the parent's ends.

A child that keeps a copy of the parent's end of another worker's line keeps that line open after the parent is dead,
and the other worker never learns of it. So every fork of this process, by whomever, closes the copies in the child.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def _close_all() -> None:
    for end in tuple(_parents_own):
        end.close()
    _parents_own.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)


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
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        let_go(self)
