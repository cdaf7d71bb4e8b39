"""Whole messages over one stream socket: the parent's end never blocks, the worker's end always does.

The parent must not block in a send: a worker that is itself sending a large result would wait for the parent to read,
and both would wait for ever. So the parent writes what the socket takes, keeps the rest, and reads whatever comes
meanwhile.

Large buffers go through blocks of shared memory, each made by the side that fills it (`lender`), and only their places
travel. The descriptor of a new block is sent once, and the receiver may have no room for it:

* *The parent sends.* It cannot wait for an answer. A worker that could not take the block says so (`LOST`), and gets
  what was in it through the stream (`FILL`) before it reads the message.
* *The worker sends.* It may end as soon as it has sent its message, and must not have to send it again. So it waits
  until the parent has taken a new block (`HAVE`), or sends through the stream.
"""

from __future__ import annotations

from corewise._transport import portable, sockets
from corewise._transport.parent_end import ParentEnd
from corewise._transport.worker_end import WorkerEnd

__all__ = ["ParentEnd", "WorkerEnd", "pair"]


def pair() -> tuple[ParentEnd, sockets.Theirs]:
    """Return the parent's end and the socket to hand to the worker.

    Raises:
        OSError: when no descriptors are left.
        ValueError: when the environment asks for a transport that there is none of.
    """
    plain = portable.in_use()
    ours, theirs = sockets.pair(portable=plain)
    return ParentEnd(ours, portable=plain), theirs
