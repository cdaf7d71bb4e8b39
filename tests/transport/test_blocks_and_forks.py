"""A process that is forked from either side shares no memory with it that somebody writes to, and closes its ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lines import TRANSPORTS, answering, ask, blocks_mapped, descriptors, receive, worker_process

from corewise._transport.blocks import Once

if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise._transport import channel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and /proc")
SIZE = 20_000


def array(number: int) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(SIZE, dtype=np.float64) + number


class Child:
    """A forked process that looks at something each time it is asked.

    Args:
        look: what it runs, with what it was asked; returns a number.
    """

    def __init__(self, look: Callable[[int], float]) -> None:
        asking, self._ask = os.pipe()
        self._answer, answering = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._ask)  # or it would wait for itself when its parent is gone
            os.close(self._answer)
            try:
                while word := os.read(asking, 1):
                    os.write(answering, str(float(look(word[0]))).encode())
            finally:
                os._exit(1)
        os.close(asking)
        os.close(answering)

    def ask(self, word: int) -> float:
        """Have it look."""
        os.write(self._ask, bytes([word]))
        return float(os.read(self._answer, 100))

    def end(self) -> None:
        """Let it end."""
        os.close(self._ask)
        os.close(self._answer)
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("once", [False, True])
def test_a_child_of_a_worker_sees_the_item_as_it_was(transport: str, *, once: bool) -> None:
    """It goes on reading after the worker has overwritten it, let go of it, and got others."""
    children: list[Child] = []

    def serve(item: Any) -> Any:
        word, one = item
        if word == "fork":
            children.append(Child(lambda _: float(one.sum())))
            one[:] = -1
            return children[0].ask(0)
        return children[0].ask(0)

    sent = np.concatenate([array(5)] * 20)
    with worker_process(answering(serve), transport) as parent, Once({id(sent)}) as scope:
        assert ask(parent, ("fork", sent), once=scope if once else None) == sent.sum()
        for number in range(10):
            assert ask(parent, ("look", sent + number)) == sent.sum(), "the child saw another message"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_a_child_of_a_worker_writes_is_its_own(transport: str) -> None:
    """The worker goes on with what it has, and its parent gets blocks back as ever."""

    def serve(one: np.ndarray[Any, Any]) -> tuple[float, float]:
        def spoil(_: int) -> float:
            one[:] = 1
            return float(one.sum())

        child = Child(spoil)
        theirs = child.ask(0)
        child.end()
        return theirs, float(one.sum())

    with worker_process(answering(serve), transport) as parent:
        for number in range(10):
            assert ask(parent, array(number)) == (SIZE, array(number).sum())


def test_blocks_that_were_kept_from_a_fork_are_let_go_in_the_end() -> None:
    """On both sides: no more blocks are mapped after many forks than after one."""

    def serve(one: np.ndarray[Any, Any]) -> tuple[float, int, int]:
        child = Child(lambda _: 0.0)
        child.ask(0)
        child.end()
        return float(one.sum()), blocks_mapped(), sum("memfd:corewise" in one for one in descriptors())

    with worker_process(answering(serve)) as parent:
        seen = []
        for number in range(12):
            total, *held = ask(parent, array(number))
            assert total == array(number).sum()
            seen.append((*held, blocks_mapped()))
    assert max(seen[4:]) <= max(seen[:4])


def test_a_child_of_the_parent_holds_no_block() -> None:
    """Neither mapped nor by descriptor; and the parent's lines go on."""
    shared = np.concatenate([array(1)] * 10)
    with worker_process(answering(lambda one: one + 1)) as parent, Once({id(shared)}) as scope:
        for number in range(3):
            parent.send(array(number))
        receive(parent, 3)
        ask(parent, shared, once=scope)
        assert blocks_mapped() > 0
        child = Child(lambda _: blocks_mapped() + sum("memfd:corewise" in one for one in descriptors()))
        assert child.ask(0) == 0
        child.end()
        np.testing.assert_array_equal(ask(parent, array(4)), array(5))
        np.testing.assert_array_equal(ask(parent, shared, once=scope), shared + 1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_function_that_forks_and_returns_twice_answers_once(transport: str) -> None:
    """The child has no line to answer on."""

    def serve(end: channel.WorkerEnd) -> None:
        me = os.getpid()
        one = end.receive()
        pid = os.fork()
        try:
            end.send((os.getpid() == me, one))
        except OSError:
            os._exit(9)
        end.send(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    with worker_process(serve, transport) as parent:
        parent.send(array(1))
        (mine, came), code = receive(parent, 2)
        assert mine
        np.testing.assert_array_equal(came, array(1))
        assert code == 9
