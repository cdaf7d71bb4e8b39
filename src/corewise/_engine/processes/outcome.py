"""What a process brings back: the value that it returned, or the exception that it raised."""

from __future__ import annotations

import os
import sys

from corewise._transport import failures, forks, pickling, portable
from corewise._transport.pipes import ends
from corewise._transport.pipes.messages import packed
from corewise._transport.pipes.pipe import Pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corewise._transport.pipes.connection import Connection

RETURNED, RAISED, EXITED, FILED = "returned", "raised", "exited", "filed"
_NO_FILE_BYTES = 1 << 12  # guess: what any system's pipe takes although nobody reads it


class Report:
    """The child's side.

    A process must be able to end whether anybody asks for its result or not, so nothing is sent here that could have to
    wait for a reader: what is large lies in a block of memory whose descriptor is sent; elsewhere than on Linux in a
    file, which the parent removes.

    Args:
        line: its end of the pipe.
    """

    def __init__(self, line: Connection) -> None:
        self._line = line

    def of(self, run: Callable[[], Any]) -> Callable[[], Any]:
        """Return `run`, with a report of what comes of it."""

        def reporting() -> Any:
            try:
                value = run()
            except SystemExit:
                self._send((EXITED, None))
                raise
            except BaseException as error:
                self._send((RAISED, failures.pack(error)))
                raise
            try:
                self._send((RETURNED, value))
            except Exception as error:  # noqa: BLE001 - the value's own pickling may raise anything
                self._send((RAISED, failures.pack(error)))
            return value

        return reporting

    def _send(self, outcome: tuple[str, Any]) -> None:
        body, buffers = packed(outcome, travelled=True)
        try:
            if sys.platform == "linux" and hasattr(self._line, "give_at_once"):
                if not self._line.give_at_once(body, buffers):
                    raise OSError("there was neither memory nor a descriptor for what the process returned")
            elif not buffers and len(body) <= _NO_FILE_BYTES:
                self._line.send(outcome)
            else:
                self._line.send((FILED, _filed(body, buffers)))
        except BrokenPipeError:  # the parent has let go of the process
            pass

    def close(self) -> None:
        """Close it."""
        self._line.close()


def _filed(body: bytes, buffers: list[memoryview]) -> str:
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="corewise-", delete=False) as file:
        parts: list[bytes | memoryview] = [body, *buffers]
        file.write(pickling.pickled(list(map(len, parts))))
        for part in parts:
            file.write(part)
    return file.name


def _from_file(name: str) -> tuple[str, Any]:
    with open(name, "rb") as file:
        os.remove(name) if sys.platform != "win32" else None
        import pickle

        sizes = pickle.load(file)
        parts = [bytearray(size) for size in sizes]
        for part in parts:
            file.readinto(part)
    if sys.platform == "win32":  # where a file that is open cannot be removed
        os.remove(name)
    told: tuple[str, Any] = pickling.unpickled(parts[0], parts[1:])
    return told


class Awaited:
    """The parent's side.

    Attributes:
        ended: whether nothing can come any more.

    Raises:
        OSError: when no descriptors are left.
    """

    def __init__(self) -> None:
        self.ended = False
        self._line, self._theirs = Pipe(duplex=False)
        # Neither of them is an end of the user's, to be looked for in what a process was passed.
        ends.forget(self._line)
        ends.forget(self._theirs)
        forks.close_in_children(self._line)

    def report(self) -> Report:
        """Return the child's side, to be handed over."""
        return Report(self._theirs)

    def handed_over(self) -> None:
        """Let go of the child's side."""
        self._theirs.close()

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        return self._line.fileno()

    def outcome(self) -> tuple[str, Any] | None:
        """Return what has come, without waiting; None if nothing has."""
        try:
            if not self._line.poll():
                return None
            told: tuple[str, Any] = self._line.recv()
        except (EOFError, ConnectionError):
            self.ended = True
            return None
        return _from_file(told[1]) if told[0] == FILED else told

    def close(self) -> None:
        """Close it; what has come and was not asked for is lost."""
        if not self._line.closed:
            if portable.in_use():
                self.outcome()  # removes the file
            self._line.close()
        self._theirs.close()
        forks.let_go(self._line)
