"""Waiting for any of many descriptors: the same from epoll and from the standard library's selectors."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine import poller as pollers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corewise._engine.poller import Poller

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes are watched")

KINDS = [pollers._Selector, *([pollers._Epoll] if sys.platform == "linux" else [])]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    """Make a poller of each kind."""
    with closing(request.param()) as made:
        yield made


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Make two ends of a line."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def test_nothing_is_told_of_what_has_nothing_to_tell(poller: Poller, ends: Ends) -> None:
    """At once, or after a while."""
    assert poller.wait(0.0) == []
    poller.add(ends[0].fileno(), "line")
    assert poller.wait(0.0) == []
    assert poller.wait(0.01) == []
    assert poller.wait(-1.0) == []


def test_what_can_be_read_is_told_until_it_is_read(poller: Poller, ends: Ends) -> None:
    """With what was said of it when it was added."""
    data = object()
    poller.add(ends[0].fileno(), data)
    ends[1].sendall(b"!")
    assert poller.wait(None) == [(data, True, False)]
    assert poller.wait(None) == [(data, True, False)]
    ends[0].recv(1)
    assert poller.wait(0.0) == []


def test_the_other_end_s_end_can_be_read(poller: Poller, ends: Ends) -> None:
    """As end of file, or as an error; and so can the last word before it."""
    poller.add(ends[0].fileno(), "line")
    ends[1].sendall(b"!")
    ends[1].close()
    ((_, read, _),) = poller.wait(None)
    assert read
    assert ends[0].recv(10) == b"!"
    ((_, read, _),) = poller.wait(None)
    assert read


def test_room_to_write_is_told_only_while_it_is_asked_for(poller: Poller, ends: Ends) -> None:
    """And both at once where both are so."""
    number = ends[0].fileno()
    poller.add(number, "line")
    poller.watch_writing(number, "line", on=True)
    assert poller.wait(None) == [("line", False, True)]
    ends[1].sendall(b"!")
    assert poller.wait(None) == [("line", True, True)]
    poller.watch_writing(number, "line", on=False)
    assert poller.wait(None) == [("line", True, False)]


def test_no_room_to_write_is_none(poller: Poller, ends: Ends) -> None:
    """A full line has room when the other side has read."""
    ends[0].settimeout(0.0)
    sent = 0
    try:
        while True:
            sent += ends[0].send(bytes(1 << 16))
    except BlockingIOError:
        pass
    poller.add(ends[0].fileno(), "line")
    poller.watch_writing(ends[0].fileno(), "line", on=True)
    assert poller.wait(0.0) == []
    while sent:
        sent -= len(ends[1].recv(sent))
    assert poller.wait(None) == [("line", False, True)]


def test_all_that_have_news_are_told_at_once(poller: Poller) -> None:
    """And those that were removed are told no more, while others come in their place."""
    pairs = [socket.socketpair() for _ in range(20)]
    try:
        for number, (ours, theirs) in enumerate(pairs):
            poller.add(ours.fileno(), number)
            theirs.sendall(b"!")
        assert {data for data, _, _ in poller.wait(None)} == set(range(20))
        for ours, _ in pairs[:10]:
            poller.remove(ours.fileno())
        assert {data for data, _, _ in poller.wait(None)} == set(range(10, 20))
        poller.add(pairs[0][0].fileno(), "again")
        assert {data for data, _, _ in poller.wait(None)} == {"again", *range(10, 20)}
    finally:
        for ours, theirs in pairs:
            ours.close()
            theirs.close()


def test_a_wait_is_ended_from_another_thread(poller: Poller) -> None:
    """It tells nothing then; and a call that comes before the wait is not lost."""
    poller.wake()
    assert poller.wait(None) == []
    assert poller.wait(0.0) == []
    found: list[Any] = []
    for _ in range(50):
        waiting = threading.Thread(target=lambda: found.append(poller.wait(None)))
        waiting.start()
        poller.wake()
        waiting.join()
    assert found == [[]] * 50


def test_any_number_of_calls_end_one_wait(poller: Poller) -> None:
    """Whoever calls is never kept, though nobody listens."""
    for _ in range(10_000):
        poller.wake()
    assert poller.wait(None) == []
    while poller.wait(0.0):
        pytest.fail("a call is no news of anything")


def test_what_is_added_while_another_thread_waits_is_waited_for(poller: Poller, ends: Ends) -> None:
    """A worker may be started while the pool is waited for."""
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(poller.wait(None)))
    waiting.start()
    poller.add(ends[0].fileno(), "line")
    ends[1].sendall(b"!")
    waiting.join()
    assert found == [[("line", True, False)]]


def test_its_own_descriptor_tells_of_news(poller: Poller, ends: Ends) -> None:
    """So that an event loop can watch it, and it can be closed twice."""
    import select

    poller.add(ends[0].fileno(), "line")
    outer = select.poll()
    if poller.fileno() < 0:
        pytest.skip("this system has no such descriptor")
    outer.register(poller.fileno(), select.POLLIN)
    assert outer.poll(0) == []
    ends[1].sendall(b"!")
    assert outer.poll()
    ends[0].recv(1)
    assert outer.poll(0) == []
    poller.wake()
    assert outer.poll()
    poller.close()


def test_a_forked_child_does_not_share_it(poller: Poller, ends: Ends) -> None:
    """What the child does with its copies of the descriptors changes nothing here."""
    poller.add(ends[0].fileno(), "line")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if poller_is_closed(poller) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    ends[1].sendall(b"!")
    assert poller.wait(None) == [("line", True, False)]


def poller_is_closed(poller: Poller) -> bool:
    """Whether nothing can be waited for any more."""
    try:
        poller.wait(0.0)
    except (ValueError, RuntimeError, OSError, TypeError):
        return True
    return False


def test_an_eager_wait_that_is_in_vain_ends_when_its_time_is_up(poller: Poller, ends: Ends) -> None:
    """And one for which something is there tells it."""
    poller.add(ends[0].fileno(), "line")
    assert poller.wait(0.001, eager=True) == []
    ends[1].sendall(b"!")
    assert poller.wait(None, eager=True) == [("line", True, False)]
