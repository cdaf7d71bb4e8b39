"""What a forked process has for its standard input: two processes that read one input would each get a part of it.

The standard library opens the null device in each child, which makes three objects in pages that have to be copied for
it. Here they are made by the parent, once, and open that device when somebody asks for the descriptor.
"""

from __future__ import annotations

import os
import sys
from _io import BufferedReader, TextIOWrapper, _RawIOBase  # `io` would do nothing else

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Nothing(_RawIOBase):
    """A file with nothing in it."""

    name = os.devnull
    mode = "rb"
    _fd = -1

    def readable(self) -> bool:
        """Whether it can be read: at once, and to its end."""
        self._check()
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ARG002 - there is nothing to put into it
        """Read nothing."""
        self._check()
        return 0

    def fileno(self) -> int:
        """Return the descriptor of the null device."""
        self._check()
        if self._fd < 0:
            self._fd = os.open(os.devnull, os.O_RDONLY)
        return self._fd

    def _check(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file.")


_spare: Any = None  # what the next child gets


def prepare() -> None:
    """In the parent, before a fork: have one ready that nobody uses."""
    global _spare  # noqa: PLW0603 - of the process
    if _spare is None:
        _spare = TextIOWrapper(BufferedReader(_Nothing()), encoding="utf-8")


def take() -> Any:
    """In the child: let go of the parent's input, and have the standard library do nothing about it.

    Returns:
        What is to be `sys.stdin` from then on when that library has looked; None if there was no input.
    """
    global _spare
    nothing, _spare = _spare, None
    theirs, sys.stdin = sys.stdin, None
    if theirs is None:
        return None
    try:
        theirs.close()
    except (OSError, ValueError):
        pass
    return nothing
