"""A ledger written by one process as fast as it can, while another reads it and takes positions back at any moment."""

from __future__ import annotations

import itertools
import os
import random
import select
import socket
from array import array
from contextlib import closing
from time import monotonic_ns
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from corewise._transport.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the other side is forked")

CHUNK = 1000
ROUNDS = 1500


def in_child(work: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """Run `work` in a forked process at the other end of a socket; return this end, and its number."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ours.close()
            work(theirs)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    return ours, pid


def ends_well(line: socket.socket, pid: int) -> bool:
    """Close the line and wait for the end of the process."""
    line.close()
    return os.waitpid(pid, 0)[1] == 0


def number_from(line: socket.socket) -> int | None:
    """Read a number; None if none has come and the line does not wait, or at its end."""
    try:
        data = line.recv(8)
    except BlockingIOError:
        return None
    return int.from_bytes(data, "big") if data else None


def test_what_is_taken_back_is_run_by_exactly_one_side() -> None:
    """Chunk after chunk a worker runs at full speed, and stops exactly where its parent thinks that it does."""
    ledger = Ledger()

    def work(line: socket.socket) -> None:
        while (begin := number_from(line)) is not None:
            end = begin + CHUNK
            ledger.begin(begin)
            stopped = next((place for place in range(begin, end) if not ledger.running(place)), end)
            line.sendall(stopped.to_bytes(8, "big"))
            ledger.begin(end)

    line, pid = in_child(work)
    chance = random.Random(0)
    met_at = set()
    with closing(ledger):
        for number in itertools.count(1):
            if number >= ROUNDS and len(met_at) > 1:  # else the time limit says that it never met it
                break
            begin, end = number * CHUNK, (number + 1) * CHUNK
            line.sendall(begin.to_bytes(8, "big"))
            if number % 2:  # at once or soon, perhaps before the worker has seen the chunk
                for _ in range(chance.randrange(1200)):
                    ledger.at()
            else:  # at a random moment, and it may have our core until then
                select.select([line], [], [], chance.random() * 0.0005)
            at = ledger.at()
            wanted = begin + 1 if at is None or at[0] < begin else at[0] + 1
            begun = end - 1
            if wanted < end:
                wanted, begun = ledger.take_back(wanted, end)
            line.settimeout(0.0)
            stopped = number_from(line)
            line.settimeout(None)
            if stopped is not None:  # it was through before
                continue
            stopped = number_from(line)
            given = max(begin, wanted, begun + 1)
            # The one that it is at it may have begun before it could know; or it knew in time, and says so.
            assert stopped == given or stopped == begun == given - 1
            met_at.add(given - begin)
        assert ends_well(line, pid)


def test_records_that_are_read_while_others_are_written_are_whole() -> None:
    """Each carries its position and a checksum; every one that is seen is right, whatever is written meanwhile."""
    ledger = Ledger()

    def work(line: socket.socket) -> None:
        chance = random.Random(1)
        line.settimeout(0.0)
        position = 0
        while True:
            ledger.begin(position)
            for _ in range(chance.randrange(1, 40)):
                ledger.running(position)
                body = b"%d " % position + bytes([position % 251]) * chance.choice([0, 3, 100, 3000])
                if not ledger.record(bool(position % 3), crc32(body).to_bytes(4, "big") + body):
                    break
                position += 1
            if position % 64 == 0:
                try:
                    if not line.recv(1):
                        return
                except BlockingIOError:
                    pass
            position += 1

    line, pid = in_child(work)
    seen = looks = 0
    with closing(ledger):
        while seen < 20_000:
            looks += 1
            reached = ledger.peek()
            for position, (failed, data) in enumerate(
                reached.records if reached else (), reached.base if reached else 0
            ):
                assert crc32(data[4:]) == int.from_bytes(data[:4], "big"), "a record is torn"
                assert int(data[4:].split(b" ")[0]) == position, "a record is taken for another"
                assert failed == bool(position % 3)
                seen += 1
        assert ends_well(line, pid)


def test_since_when_an_item_runs_is_never_that_of_the_one_before() -> None:
    """While items follow one another at full speed, none is ever seen to have begun before it did."""
    ledger = Ledger()
    count = 30_000

    def work(line: socket.socket) -> None:
        begun = array("Q")
        for position in range(count):
            begun.append(monotonic_ns())
            ledger.running(position)
        ledger.begin(count)
        line.sendall(begun.tobytes())

    seen: dict[int, float] = {}
    line, pid = in_child(work)
    with closing(ledger), line.makefile("rb") as file:
        while ledger.read().base != count:
            at = ledger.at()
            if at is not None:
                seen[at[0]] = min(at[1], seen.get(at[0], at[1]))
        begun = array("Q", file.read(8 * count))
        assert ends_well(line, pid)
    assert seen
    assert all(since >= begun[position] / 1e9 for position, since in seen.items())
