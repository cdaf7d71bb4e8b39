"""What a process brings back: the value that it returned, or the exception that it raised."""

from __future__ import annotations

import os
import sys

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
_PICKLE = b"\x80"  # what every pickle begins with
_MARSHALLED = frozenset({b")", b"\xa9"})  # what a small tuple begins with, as `marshal` writes it
_BYTES = b"\x01"  # what a packet of bytes begins with
_NO_FILE_BYTES = 1 << 12  # guess: what any system's pipe takes although nobody reads it


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
        if type(outcome[1]) in PLAIN and not isinstance(self._line, Connection):
            # By what is part of the interpreter: of the pickle module's library, this process has no page yet.
            body = pickling.plain_dumps(outcome)
            if len(body) <= _IN_PACKET_BYTES:
                try:
                    self._line.send(body)
                except ConnectionError:  # the parent has let go of the process
                    pass
                return
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
            return end.give_at_once(body, buffers)
        return False

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

    Args:
        in_packets: whether to use what only Linux has.

    Attributes:
        ended: whether nothing can come any more.

    Raises:
        OSError: when no descriptors are left.
    """

    def __init__(self, *, in_packets: bool) -> None:
        self.ended = False
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

    def handed_over(self) -> None:
        """Let go of the child's side."""
        self._theirs.close()

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        number: int = self._line.fileno()
        return number

    def outcome(self) -> tuple[str, Any] | None:
        """Return what has come, without waiting; None if nothing has."""
        try:
            return self._from_connection() if isinstance(self._line, Connection) else self._from_packet()
        except BlockingIOError:
            return None
        except (EOFError, ConnectionError):
            self.ended = True
            return None

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
