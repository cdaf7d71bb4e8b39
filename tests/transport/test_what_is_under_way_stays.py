"""A message is what it was when it was sent, whatever becomes of the sender's memory afterwards."""

from __future__ import annotations

import pickle
import threading

from corewise._transport import channel


def test_a_buffer_that_changes_after_the_send_arrives_as_it_was() -> None:
    """A program may refill one large array for item after item, while most of the last one still waits."""
    ours, theirs = channel.pair()
    worker = channel.WorkerEnd(theirs)
    refilled = bytearray(b"a" * (4 << 20))
    ours.send(("item", pickle.PickleBuffer(refilled)))
    assert ours.backlog, "the socket took all of it, so this test shows nothing"
    refilled[:] = b"b" * len(refilled)
    came: list[object] = []
    reader = threading.Thread(target=lambda: came.append(worker.receive()))
    reader.start()
    while ours.backlog:
        ours.flush()
    reader.join()
    assert came == [("item", b"a" * (4 << 20))]
    ours.close()
    theirs.close()
