"""`corewise.Pipe`."""

from __future__ import annotations

import sys
from _weakref import ref

from corewise._transport import portable
from corewise._types.interrupts import InterruptsHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corewise._transport.pipes.connection import Connection


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: N802, FBT001, FBT002 - the standard library's
    """Return the two ends of a pipe, as `multiprocessing.Pipe` does.

    Args:
        duplex: whether both ends send and receive. If not, the first one receives and the second one sends. Default:
            both.

    Returns:
        Two connected ends, each to be used by one process.

    Raises:
        OSError: when no descriptors are left.

    Example:
        >>> import corewise
        >>> one, other = corewise.Pipe()
        >>> one.send({"answer": 42})
        >>> other.recv()
        {'answer': 42}
    """
    if sys.platform == "linux" and not portable.in_use():
        return _packets(duplex=duplex)
    import multiprocessing

    from corewise._transport.pipes.streams import StreamConnection

    one, other = multiprocessing.Pipe(duplex)
    return StreamConnection(one), StreamConnection(other)


def _packets(*, duplex: bool) -> tuple[Connection, Connection]:
    if sys.platform == "linux":
        from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair

        from corewise._transport.pipes.packets import PacketConnection

        with InterruptsHeld():  # else a descriptor that is detached would belong to nobody for a moment
            made = socketpair(AF_UNIX, SOCK_SEQPACKET)
            one = PacketConnection(made[0].detach(), writable=duplex)
            other = PacketConnection(made[1].detach(), readable=duplex)
            one._other, other._other = ref(other), ref(one)  # noqa: SLF001 - the two know each other
            return one, other
    raise OSError("packets are of Linux only")
