"""A worker that is killed while it fills, sends or reads: the parent has whole messages, and nothing is left of it."""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any

import numpy as np
import pytest
from lines import MEBIBYTE, TRANSPORTS, blocks_mapped, descriptors, next_messages, open_line

import observe
from corewise._transport import channel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and /proc")


def array(number: int, size: int = 3 * MEBIBYTE) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.full(size // 8, number, dtype=np.float64)


def endless(end: channel.WorkerEnd) -> None:
    """Send arrays, each larger than the last at first, and take in what comes."""
    number = 0
    while True:
        number += 1
        end.send((number, array(number, min(number, 6) * MEBIBYTE)))
        end.receive()


@pytest.mark.timeout(60)  # it touches up to a gigabyte of new memory, which some hosts give at 0.4 GB a second
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_killed_at_any_moment(transport: str) -> None:
    """Forty times: after so many messages, and a little later."""
    draw = random.Random(5)
    before = sorted(descriptors())
    for turn in range(40):
        with open_line(transport) as (parent, theirs):
            pid = os.fork()
            if pid == 0:
                try:
                    endless(channel.WorkerEnd(theirs))
                finally:
                    os._exit(1)
            theirs.close()
            came: list[Any] = []
            is_open, killed = True, False
            parent.send(("go", array(turn)))
            while is_open:
                messages, is_open = next_messages(parent)
                came += messages
                if not killed and len(came) >= turn % 5:
                    for _ in range(draw.randrange(0, 4000, 7)):  # from none to some milliseconds
                        pass
                    os.kill(pid, signal.SIGKILL)
                    killed = True
                for _ in messages:
                    try:
                        parent.send(("on", array(turn)))
                    except OSError:
                        assert killed
            os.waitpid(pid, 0)
            assert [number for number, _ in came] == list(range(1, len(came) + 1))
            for number, got in came:
                np.testing.assert_array_equal(got, array(number, min(number, 6) * MEBIBYTE))
        assert blocks_mapped() == 0
    assert sorted(descriptors()) == before


def test_nothing_has_a_name() -> None:
    """While blocks are in use, no file of theirs stands in a folder."""
    before = observe.holdings()
    with open_line() as (parent, theirs):
        worker = channel.WorkerEnd(theirs)
        parent.send(array(1))
        got = worker.receive()
        assert got[0] == 1
        assert observe.named_since(before) == set()
        assert all("(deleted)" in one for one in descriptors() if "memfd:" in one)
        del got
        worker.close()
