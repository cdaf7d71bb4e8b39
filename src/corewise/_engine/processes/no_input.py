"""What a forked process has for its standard input: two processes that read one input would each get a part of it.

The standard library opens the null device in each child, which makes three objects in pages that have to be copied for
it. Here they are made by the parent, once, and open that device when somebody asks for the descriptor.
"""

from __future__ import annotations

import os
import sys
from _io import BufferedReader, FileIO, TextIOWrapper, _RawIOBase  # `io` would do nothing else

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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


_spare: Any = None  # what the next children get
_made_in = 0  # the process that has made it
_theirs: Any = None  # the input that was last seen, and what closes it
_close: Any = None


def prepared(pid: int) -> tuple[Callable[[], None] | None, Any]:
    """In the parent, before a fork: return what closes its input in the child, and what the child is to have instead.

    Args:
        pid: this process.

    Returns:
        None and None if there is no input.
    """
    global _spare, _made_in, _theirs, _close
    if sys.stdin is None:
        return None, None
    if _made_in != pid:  # a child uses what its parent has made
        _spare, _made_in = TextIOWrapper(BufferedReader(_Nothing()), encoding="utf-8"), pid
    if _theirs is not sys.stdin:
        _theirs, _close = sys.stdin, _closer(sys.stdin)
    return _close, _spare


def _closer(stream: Any) -> Callable[[], None]:
    """Return what closes a stream. Of a file it is the part below its buffers, by which it is closed as a whole."""
    if type(stream) is TextIOWrapper and type(stream.buffer) is BufferedReader and type(stream.buffer.raw) is FileIO:
        close: Callable[[], None] = stream.buffer.raw.close
    else:
        close = stream.close
    return close
