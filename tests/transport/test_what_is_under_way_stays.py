"""A message is what it was when it was sent, whatever becomes of the sender's memory afterwards."""

from __future__ import annotations

import pickle
import threading

import pytest
from lines import MEBIBYTE, PORTABLE, TRANSPORTS, open_line

from corewise._transport import channel


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_buffer_that_changes_after_the_send_arrives_as_it_was(transport: str) -> None:
    """A program may refill one large array for item after item, while most of the last one still waits."""
    with open_line(transport) as (ours, theirs):
        worker = channel.WorkerEnd(theirs)
        refilled = bytearray(b"a" * (4 * MEBIBYTE))
        for letter in b"bc":
            ours.send(("item", pickle.PickleBuffer(refilled)))
            refilled[:] = bytes([letter]) * len(refilled)
        assert ours.backlog == (transport == PORTABLE), "if the socket took all of it, this test shows nothing"
        came: list[tuple[str, bytes]] = []
        reader = threading.Thread(target=lambda: came.extend(worker.receive() for _ in "ab"))
        reader.start()
        while ours.backlog:
            ours.flush()
        reader.join()
        assert [(name, bytes(buffer)) for name, buffer in came] == [
            ("item", letter * (4 * MEBIBYTE)) for letter in (b"a", b"b")
        ]
        came.clear()
        worker.close()
