"""The line between a parent and a worker, over real sockets: any size, both ways at once, and any end."""

from __future__ import annotations

import os
import select
import socket
import threading
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from lines import LIMIT_S, MEBIBYTE, PORTABLE, TRANSPORTS, next_messages, on_the_wire, open_line, pattern, receive

from corewise._transport import channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES = [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 8 * MEBIBYTE, 64 * MEBIBYTE]


@pytest.fixture(params=TRANSPORTS)
def line(request: pytest.FixtureRequest) -> Iterator[tuple[channel.ParentEnd, Any]]:
    """Open a line and give the parent's end and the worker's bare socket."""
    with open_line(request.param) as line:
        yield line


@pytest.fixture
def stream() -> Iterator[tuple[channel.ParentEnd, Any]]:
    """Open a line on which everything goes through the socket."""
    with open_line(PORTABLE) as line:
        yield line


def beside(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run the worker's part in a thread, and give what it returns or raises."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the test
            came.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, came


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_arrives_both_ways(line: tuple[channel.ParentEnd, Any], size: int) -> None:
    """The worker sends back what it got."""
    parent, theirs = line
    worker = channel.WorkerEnd(theirs)
    thread, came = beside(lambda: worker.send(worker.receive()))
    sent = pattern(size)
    parent.send(sent)
    assert receive(parent, 1) == [sent]
    assert not parent.backlog
    thread.join()
    assert came == [None]


def test_many_small_messages_in_one_read_are_told_apart(line: tuple[channel.ParentEnd, Any]) -> None:
    """Two hundred are there before the parent looks for the first time."""
    parent, theirs = line
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MEBIBYTE)
    frames = on_the_wire(*(("item", number, b"x" * (number % 7)) for number in range(200)))
    theirs.sendall(frames)
    messages, is_open = parent.receive()
    assert messages == [("item", number, b"x" * (number % 7)) for number in range(200)]
    assert is_open
    assert parent.receive() == ([], True)


def test_small_and_large_messages_in_any_mixture_keep_their_order(
    line: tuple[channel.ParentEnd, Any],
) -> None:
    """Both ways."""
    parent, theirs = line
    worker = channel.WorkerEnd(theirs)
    messages = [pattern(size) for size in (0, 3, 2 * MEBIBYTE, 1, 0, 70_000, 300_000, 5, MEBIBYTE, 2)]
    thread, came = beside(lambda: [worker.send(worker.receive()) for _ in messages])
    for message in messages:
        parent.send(message)
    assert receive(parent, len(messages)) == messages
    thread.join()
    assert came == [[None] * len(messages)]


def test_a_frame_may_be_split_at_every_byte(line: tuple[channel.ParentEnd, Any]) -> None:
    """The parent looks after each of its parts, and never waits."""
    parent, theirs = line
    messages = [("done", 0, [(False, b"result")], 0.25), ("ready",)]
    data = on_the_wire(*messages)
    first = len(on_the_wire(messages[0]))
    for cut in range(1, len(data)):
        theirs.sendall(data[:cut])
        before, is_open = parent.receive()
        assert is_open
        assert before == (messages[:1] if cut >= first else [])
        theirs.sendall(data[cut:])
        after, is_open = parent.receive()
        assert is_open
        assert before + after == messages


def test_a_large_frame_may_come_in_parts_of_any_size(line: tuple[channel.ParentEnd, Any]) -> None:
    """Also one that ends in the middle of the header of the next."""
    parent, theirs = line
    message = pattern(MEBIBYTE + 12_345)
    data = on_the_wire(message) * 2
    came: list[Any] = []
    at, sizes = 0, cycle([1, 5, 100_003, 7, 65_536, 1 << 17])
    while at < len(data):
        part = data[at : at + next(sizes)]
        theirs.sendall(part)
        at += len(part)
        came += parent.receive()[0]
    assert came == [message, message]


def test_the_parent_never_waits_for_a_worker_that_does_not_read(
    stream: tuple[channel.ParentEnd, Any],
) -> None:
    """What the socket does not take is kept, and sent on when there is room."""
    parent, theirs = stream
    messages = [pattern(3 * MEBIBYTE) + bytes([number]) for number in range(4)]
    for message in messages:
        parent.send(message)  # returns although nobody reads
    assert parent.backlog
    assert select.select([], [parent], [], 0)[1] == []
    worker = channel.WorkerEnd(theirs)
    thread, came = beside(lambda: [worker.receive() for _ in messages])
    while parent.backlog:
        assert select.select([], [parent], [], LIMIT_S)[1]
        parent.flush()
    thread.join()
    assert came == [messages]


def test_both_sides_may_send_at_once_more_than_the_sockets_hold(
    stream: tuple[channel.ParentEnd, Any],
) -> None:
    """The worker is blocked in its send until the parent reads, and the parent has not finished its own."""
    parent, theirs = stream
    worker = channel.WorkerEnd(theirs)
    one, other = pattern(32 * MEBIBYTE), pattern(32 * MEBIBYTE)[::-1]
    thread, came = beside(lambda: (worker.send(one), worker.receive())[1])
    parent.send(other)
    assert parent.backlog
    assert receive(parent, 1) == [one]
    while parent.backlog:
        assert select.select([], [parent], [], LIMIT_S)[1]
        parent.flush()
    thread.join()
    assert came == [other]


@pytest.mark.parametrize("sent", [1, 8, 16, 20, 100_000])
def test_a_worker_that_goes_in_the_middle_of_a_frame_has_said_what_came_before(
    line: tuple[channel.ParentEnd, Any], sent: int
) -> None:
    """Whole messages are kept, the torn one is not, and the end of the line is told with them."""
    parent, theirs = line
    theirs.sendall(on_the_wire("whole") + on_the_wire(pattern(200_000))[:sent])
    theirs.close()
    assert receive(parent) == ["whole"]
    assert next_messages(parent) == ([], False)
    assert parent.receive() == ([], False)


@pytest.mark.parametrize("unread", [False, True])
def test_sending_to_a_worker_that_is_gone_says_so(line: tuple[channel.ParentEnd, Any], *, unread: bool) -> None:
    """By OSError, whether it had read all before or not."""
    parent, theirs = line
    if unread:
        parent.send([pattern(30_000)] * 200)
    theirs.close()
    with pytest.raises(OSError, match=r"."):
        parent.send("anybody there?")
    if unread:
        with pytest.raises(OSError, match=r"."):
            parent.flush()
    assert parent.receive() == ([], False)


@pytest.mark.parametrize("sent", [0, 1, 15, 16, 40])
def test_a_parent_that_goes_is_end_of_file_to_the_worker(line: tuple[channel.ParentEnd, Any], sent: int) -> None:
    """Between frames and in the midst of one."""
    parent, theirs = line
    worker = channel.WorkerEnd(theirs)
    parent._sock.sendall(on_the_wire("whole") + on_the_wire(b"x" * 100)[:sent])
    parent.close()
    assert worker.receive() == "whole"
    with pytest.raises(EOFError):
        worker.receive()
    with pytest.raises(OSError, match=r"."):
        worker.send("anybody there?")


def test_a_parent_that_goes_with_unread_messages_is_end_of_file_too(
    line: tuple[channel.ParentEnd, Any],
) -> None:
    """The kernel resets such a connection, which is another error."""
    parent, theirs = line
    worker = channel.WorkerEnd(theirs)
    worker.send("never read")
    parent.close()
    with pytest.raises(EOFError):
        worker.receive()


def test_a_worker_is_told_of_a_parent_that_goes_while_it_waits(
    stream: tuple[channel.ParentEnd, Any],
) -> None:
    """And while it is blocked in a send."""
    parent, theirs = stream
    worker = channel.WorkerEnd(theirs)
    thread, came = beside(lambda: worker.send(pattern(16 * MEBIBYTE)))
    assert select.select([parent], [], [], LIMIT_S)[0]
    parent.close()
    thread.join()
    assert isinstance(came[0], OSError)
    other, theirs_too = channel.pair()
    with theirs_too:
        waiting = channel.WorkerEnd(theirs_too)
        thread, came = beside(waiting.receive)
        other.close()
        thread.join()
    assert isinstance(came[0], EOFError)


def test_an_end_may_be_closed_twice(line: tuple[channel.ParentEnd, Any]) -> None:
    """And has no descriptor any more."""
    parent, _ = line
    descriptor = parent.fileno()
    parent.close()
    parent.close()
    assert parent.fileno() == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
