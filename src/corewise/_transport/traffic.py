"""What has gone over one end of a line."""

from __future__ import annotations

from corewise._types.record import Record


class Traffic(Record):
    """What has gone over one end of a line so far, for tests and for a look at a slow run.

    Attributes:
        stream_sent_bytes: bytes written to the socket, or waiting to be.
        stream_received_bytes: bytes read from it.
        block_sent_bytes: bytes laid into blocks of shared memory.
        block_received_bytes: bytes of the other side's blocks that messages referred to.
        blocks_made: blocks that this end made.
        blocks_reused: how often one of them was used again.
    """

    stream_sent_bytes: int
    stream_received_bytes: int
    block_sent_bytes: int
    block_received_bytes: int
    blocks_made: int
    blocks_reused: int
