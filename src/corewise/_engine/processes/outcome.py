"""What a process brings back: the value that it returned, or the exception that it raised."""

from __future__ import annotations

import os
import sys

from corewise._engine import lifeline
from corewise._transport import failures, forks, pickling
from corewise._transport.pipes import ends
from corewise._transport.pipes.connection import Connection
from corewise._transport.pipes.messages import packed
from corewise._transport.pipes.pipe import Pipe
from corewise._transport.plain import PLAIN

if sys.platform == "linux":
    from _socket import AF_UNIX, MSG_DONTWAIT, MSG_PEEK, SOCK_SEQPACKET, socketpair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RETURNED, RAISED, EXITED = "returned", "raised", "exited"
_IN_PACKET_BYTES = 1 << 15  # guess: what a packet takes is copied twice, and a block costs some 50 µs
_plain_dumps = pickling.plain_dumps  # looked up here, and not in each child
_SHORT_BYTES = 256  # what a number takes, or a line of text
SOON_S = 0.02  # guess: several times what an empty process takes
_PICKLE = b"\x80"  # what every pickle begins with
_MARSHALLED = frozenset({b")", b"\xa9"})  # what a small tuple begins with, as `marshal` writes it
_BYTES = b"\x01"  # what a packet of bytes begins with
_NO_FILE_BYTES = 1 << 12  # guess: what any system's pipe takes although nobody reads it

_kept: list[Any] = []  # the line by which this process lives, in its last form


class Report:
    """The child's side.

    A process must be able to end whether anybody asks for its result or not, so nothing is sent here that could have to
    wait for a reader: what is large lies in a block of memory whose descriptor is sent; elsewhere than on Linux in a
    file, which the parent removes.

    Args:
        line: its end of the pipe: on Linux a socket of packets.
    """

    def __init__(self, line: Any) -> None:
        self._line = line

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        if sys.platform != "win32" and not isinstance(self._line, Connection):
            from multiprocessing.reduction import DupFd

            return _arrived, (DupFd(self._line.fileno()),)
        return Report, (self._line,)

    def of(self, run: Callable[[], Any]) -> Callable[[], Any]:
        """Return `run`, with a report of what comes of it."""
        return lambda: run_and_report(run, self._line)

    def send(self, outcome: tuple[str, Any]) -> None:
        """Send what came of it."""
        body, buffers = packed(outcome, travelled=True)
        small = not buffers and len(body) <= (
            _NO_FILE_BYTES if isinstance(self._line, Connection) else _IN_PACKET_BYTES
        )
        try:
            if small:
                self._line.send(outcome if isinstance(self._line, Connection) else body)
            elif not self._in_block(body, buffers):
                self._line.send_bytes(_filed(body, buffers).encode())
        except ConnectionError:  # the parent has let go of the process
            pass

    def _in_block(self, body: bytes, buffers: list[memoryview]) -> bool:
        """Send what is large in a block. Return False where there are none, or the system grants none."""
        if sys.platform == "linux" and not isinstance(self._line, Connection):
            from corewise._transport.pipes.packets import PacketConnection

            end = self._line = PacketConnection(self._line.detach())
            _kept.append(end)
            return end.give_at_once(body, buffers)
        return False

    def close(self) -> None:
        """Close it."""
        self._line.close()


def run_and_report(run: Callable[[], Any], line: Any) -> Any:
    """In the child: call a function, report what comes of it, and return that.

    Args:
        run: the function.
        line: its end of the pipe.
    """
    try:
        value = run()
    except SystemExit:
        Report(line).send((EXITED, None))
        raise
    except BaseException as error:
        Report(line).send((RAISED, failures.pack(error)))
        raise
    try:
        if type(value) not in PLAIN or not _sent_as_plain(line, value):
            Report(line).send((RETURNED, value))
    except Exception as error:  # noqa: BLE001 - the value's own pickling may raise anything
        Report(line).send((RAISED, failures.pack(error)))
    return value


def _sent_as_plain(line: Any, value: Any) -> bool:
    """Send a value by what is part of the interpreter: of the pickle module's library, a child has no page yet."""
    body = _plain_dumps((RETURNED, value))
    if len(body) > _IN_PACKET_BYTES or isinstance(line, Connection):
        return False
    try:
        line.send(body)
    except ConnectionError:  # the parent has let go of the process
        pass
    return True


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

    Args:
        in_packets: whether to use what only Linux has.

    Attributes:
        ended: whether nothing can come any more.

    Raises:
        OSError: when no descriptors are left.
    """

    def __init__(self, *, in_packets: bool) -> None:
        self.ended = False
        self._has_come = False
        self._line: Any
        self._theirs: Any
        if sys.platform == "linux" and in_packets:
            # Not by `Pipe`: the fewer objects are made for each process, the fewer pages are copied at its fork.
            self._line, self._theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        else:
            self._line, self._theirs = Pipe(duplex=False)
            # Neither of them is an end of the user's, to be looked for in what a process was passed.
            ends.forget(self._line)
            ends.forget(self._theirs)
        forks.close_in_children(self._line)

    def report(self) -> Report:
        """Return the child's side, to be handed over."""
        return Report(self._theirs)

    def hang_on_line(self) -> Any:
        """On Linux: return the child's side, by which it lives as long as this one is open, once it says so.

        A line of packets can do that besides, as long as nothing is ever sent to the child, nor by the child what has
        to wait for room: the kernel tells of that in the same way as of the end.
        """
        if sys.platform == "linux":
            lifeline.make_deadly(self._theirs.fileno())
        return self._theirs

    def handed_over(self) -> None:
        """Let go of the child's side."""
        self._theirs.close()

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        number: int = self._line.fileno()
        return number

    def soon(self) -> tuple[str, Any] | None:
        """Return what comes within a moment if it is short and plain; None if it is not, or nothing has come.

        Most of what an empty process takes is spent on pages that are touched just after the fork, and this touches a
        few less than to wait for more than one descriptor. Longer it must not be: what the child has started may keep
        its side of the line open when it is dead.
        """
        line, came = self._line, b""
        if sys.platform == "linux" and not isinstance(line, Connection):
            line.settimeout(SOON_S)
            try:
                came = line.recv(_SHORT_BYTES, MSG_PEEK)  # looked at only, as there may be a descriptor with it
            except (TimeoutError, ConnectionError):
                return None
            finally:
                line.settimeout(None)
        if came[:1] not in _MARSHALLED or len(came) == _SHORT_BYTES:
            return None
        self._has_come = True
        told: tuple[str, Any] = pickling.loads(came)
        return told

    def outcome(self) -> tuple[str, Any] | None:
        """Return what has come, without waiting; None if nothing has."""
        try:
            told = self._from_connection() if isinstance(self._line, Connection) else self._from_packet()
        except (BlockingIOError, TimeoutError):  # the latter while another thread is in `soon`
            return None
        except (EOFError, ConnectionError):
            self.ended = True
            return None
        self._has_come = told is not None
        return told

    def _from_connection(self) -> tuple[str, Any] | None:
        return _outcome_in(self._line.recv_bytes()) if self._line.poll() else None

    def _from_packet(self) -> tuple[str, Any]:
        if sys.platform == "linux":
            # A message in a block comes with a descriptor, which is lost if it is not asked for.
            kind = self._line.recv(1, MSG_DONTWAIT | MSG_PEEK)
            if not kind:
                raise EOFError
            if kind in _MARSHALLED:
                plain: tuple[str, Any] = pickling.loads(self._line.recv(_IN_PACKET_BYTES))
                return plain
            if kind == _PICKLE:
                return _outcome_in(self._line.recv(_IN_PACKET_BYTES))
            from corewise._transport.pipes.packets import PacketConnection

            with PacketConnection(os.dup(self._line.fileno())) as end:
                if kind == _BYTES:
                    return _outcome_in(end.recv_bytes())
                told: tuple[str, Any] = end.recv()
                return told
        raise EOFError

    def close(self) -> None:
        """Close it; what has come and was not asked for is lost."""
        if not self._has_come:
            try:
                self._drop_file()
            except (OSError, EOFError):  # nothing has come, or it is gone already
                pass
        forks.let_go(self._line)
        self._line.close()
        self._theirs.close()

    def _drop_file(self) -> None:
        """Remove the file in which a result lies that nobody has asked for."""
        if isinstance(self._line, Connection):
            came = self._line.recv_bytes() if self._line.poll() else _PICKLE
        elif sys.platform == "linux":
            came = self._line.recv(_IN_PACKET_BYTES, MSG_DONTWAIT)
            came = came[1:] if came[:1] == _BYTES else _PICKLE
        else:
            return
        if came[:1] != _PICKLE:
            os.remove(came.decode())


def _outcome_in(came: bytes) -> tuple[str, Any]:
    """Return what came: a pickle, or the name of a file."""
    if came[:1] != _PICKLE:
        return _from_file(came.decode())
    told: tuple[str, Any] = pickling.unpickled(came)
    return told


def _arrived(handle: Any) -> Report:
    from _socket import socket

    return Report(socket(fileno=handle.detach()))
