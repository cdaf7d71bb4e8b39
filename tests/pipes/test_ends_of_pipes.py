"""When there is nobody left to send, who waits is told so: whoever was killed, and whoever else holds the ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
import observe
from corewise._transport.pipes import ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from corewise import Connection

METHODS = multiprocessing.get_all_start_methods()


def started(target: Callable[..., Any], *args: Any, method: str = "fork") -> corewise.Process:
    """Start a process."""
    process = corewise.Process(target=target, args=args, start_method=method)
    process.start()
    return process


def gone(*processes: corewise.Process) -> None:
    """Leave nothing of them."""
    for process in processes:
        process.kill()
        process.join()
        process.close()


def says_and_waits(end: Connection) -> None:
    """Send a sign of life, and wait for what does not come."""
    end.send("here")
    end.recv()


def sends_for_ever(end: Connection) -> None:
    """Send arrays until there is nobody to receive them."""
    while True:
        end.send(np.ones(1_000_000))


def receives_for_ever(end: Connection, came: list[Any]) -> None:
    """Receive until there is nobody to send."""
    while True:
        came.append(end.recv())


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_peer_is_the_end_although_this_process_holds_its_end_as_well(method: str) -> None:
    """With the standard library that waits for ever: whoever hands an end to a child has to close it."""
    mine, its_own = corewise.Pipe()
    with mine, its_own:
        process = started(says_and_waits, its_own, method=method)
        assert mine.recv() == "here"
        process.kill()
        with pytest.raises(EOFError):
            mine.recv()
        gone(process)


def test_a_killed_peer_is_the_end_although_a_process_forked_later_lives() -> None:
    """That one was not passed the end, so it does not hold it."""
    mine, its_own = corewise.Pipe()
    another, passed = corewise.Pipe()
    with mine, another, passed:
        process = started(says_and_waits, its_own)
        later = started(says_and_waits, passed)
        its_own.close()
        assert (mine.recv(), another.recv()) == ("here", "here")
        process.kill()
        with pytest.raises(EOFError):
            mine.recv()
        assert later.is_alive()
        gone(process, later)


def test_a_peer_that_is_killed_while_it_sends_has_sent_whole_messages() -> None:
    """And then comes the end, at whatever moment it was."""
    for kills_after in (0, 1, 3, 6):
        mine, its_own = corewise.Pipe()
        with mine:
            process = started(sends_for_ever, its_own)
            its_own.close()
            came = [mine.recv() for _ in range(kills_after)]
            process.kill()
            with pytest.raises(EOFError):
                receives_for_ever(mine, came)
            assert all((array == 1).all() for array in came)
            gone(process)


def test_a_sender_whose_reader_is_killed_is_told() -> None:
    """Also one that waits for room."""
    mine, its_own = corewise.Pipe()
    with mine:
        process = started(says_and_waits, its_own)
        its_own.close()
        assert mine.recv() == "here"
        os.kill(process.pid or 0, signal.SIGSTOP)
        failed: list[BaseException] = []

        def send() -> None:
            try:
                sends_for_ever(mine)
            except BrokenPipeError as error:
                failed.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        process.kill()
        sender.join(10)
        assert len(failed) == 1
        gone(process)


def test_nobody_is_told_of_an_end_while_another_process_holds_the_other_end() -> None:
    """Nor while another thread of this one might send."""
    mine, its_own = corewise.Pipe()
    with mine, its_own:
        process = started(says_and_waits, its_own)
        assert mine.recv() == "here"
        assert not ends.nobody_else_holds(its_own.fileno())
        gone(process)
        assert ends.nobody_else_holds(its_own.fileno())
        let_go = threading.Event()
        thread = threading.Thread(target=let_go.wait)
        thread.start()
        assert not ends.nobody_else_holds(its_own.fileno())
        let_go.set()
        thread.join()


IN_MAIN: list[Connection] = []


class Holder:
    """Keeps an end somewhere inside."""

    def __init__(self, end: Connection) -> None:
        self.inside = {"deep": [(end,)]}

    def use(self) -> str:
        """Send by it."""
        self.inside["deep"][0][0].send("from inside")
        return "used"


def uses_global() -> str:
    """Send by an end that stands in a global variable."""
    IN_MAIN[0].send("from a global")
    return "used"


@pytest.mark.parametrize("how", ["argument", "attribute", "closure", "global"])
def test_what_a_forked_process_leads_to_is_passed_to_it(how: str) -> None:
    """In whatever way its function comes to the end."""
    mine, its_own = corewise.Pipe()
    with mine, its_own:
        IN_MAIN[:] = [its_own]
        targets: dict[str, Callable[..., Any]] = {
            "argument": lambda end: end.send("x") or "used",
            "attribute": Holder(its_own).use,
            "closure": lambda: its_own.send("x") or "used",
            "global": uses_global,
        }
        process = corewise.Process(
            target=targets[how], args=(its_own,) if how == "argument" else (), start_method="fork"
        )
        process.start()
        assert process.result(10) == "used"
        assert mine.poll(5)
        IN_MAIN.clear()
        process.join()
        process.close()


def test_an_end_that_was_not_passed_says_so() -> None:
    """It is closed in the process, as if that had been spawned."""
    mine, its_own = corewise.Pipe()
    with mine, its_own:
        hidden = {str(id(its_own)): its_own}

        def use() -> None:
            found = next(one for known in ends._let_go.values() if (one := known()) is not None)
            found.send(1)

        process = started(use)
        with pytest.raises(OSError, match="not passed to this process: hand it over as an argument"):
            process.result(10)
        assert hidden
        gone(process)


def test_messages_cross_between_processes_of_every_start_method() -> None:
    """Both ends handed away."""
    one, other = corewise.Pipe()
    with one, other:
        asking = started(_asks, one, method="spawn")
        answering = started(_answers, other, method="forkserver")
    assert asking.result(15) == [1024, 81, 1]
    assert answering.result(15) == "goodbye"
    gone(asking, answering)


def _asks(end: Connection[tuple[int, int], int]) -> list[int]:
    answers = []
    for question in ((2, 10), (3, 4), (5, 0)):
        end.send(question)
        answers.append(end.recv())
    end.close()
    return answers


def _answers(end: Connection[int, tuple[int, int]]) -> str:
    try:
        while True:
            base, power = end.recv()
            end.send(base**power)
    except EOFError:
        return "goodbye"


def test_several_processes_send_by_the_same_end() -> None:
    """Every message arrives whole, and in the order of its sender."""
    mine, theirs = corewise.Pipe(duplex=False)
    with mine, theirs:
        processes = [started(_counts, theirs, number) for number in range(4)]
        came: dict[int, list[int]] = {number: [] for number in range(4)}
        for _ in range(4 * 60):
            number, count, array = mine.recv()
            came[number].append(count)
            assert (array == number).all()
        assert came == {number: list(range(60)) for number in range(4)}
        gone(*processes)


def _counts(end: Connection, number: int) -> None:
    for count in range(60):
        end.send((number, count, np.full((100, 20_000)[count % 2], number)))


def test_a_forked_child_shares_no_block_with_its_parent() -> None:
    """Both send by the same end after the fork; neither writes where the other does."""
    mine, theirs = corewise.Pipe(duplex=False)
    with mine, theirs:
        theirs.send(np.zeros(100_000))  # makes a block, which the fork inherits
        mine.recv()
        process = started(lambda: [theirs.send(np.full(100_000, 1.0)) for _ in range(50)])
        threading.Thread(target=lambda: [theirs.send(np.full(100_000, 2.0)) for _ in range(50)]).start()
        came = [mine.recv() for _ in range(100)]
        assert all((array == array[0]).all() for array in came)
        assert sorted(array[0] for array in came) == [1.0] * 50 + [2.0] * 50
        gone(process)


def test_nothing_is_left_of_pipes_that_are_dropped() -> None:
    """No descriptor, although nobody has closed them."""
    before = observe.holdings()
    for _ in range(20):
        mine, its_own = corewise.Pipe()
        mine.send(np.ones(100_000))
        its_own.recv()
    del mine, its_own
    assert observe.left_since(before) == []


def test_few_descriptors_are_enough() -> None:
    """With none to spare large messages come in pieces, or are lost, and it says so."""

    def with_few() -> list[str]:
        import resource

        mine, its_own = corewise.Pipe()
        said = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        taken: list[int] = []
        with pytest.raises(OSError, match="Too many open files"):
            taken.extend(iter(lambda: os.dup(0), -1))
        sender = threading.Thread(target=mine.send, args=(np.full(100_000, 3),))  # no block can be made
        sender.start()
        said.append(str(its_own.recv().sum()))
        sender.join()
        os.close(taken.pop())  # the sender can make one, and the receiver cannot take it
        mine.send(np.full(100_000, 4))
        try:
            its_own.recv()
        except OSError as error:
            said.append(str(error))
        mine.send("small ones go on")
        said.append(its_own.recv())
        return said

    process = started(with_few)
    assert process.result(15) == [
        "300000",
        "no descriptor was left in this process for a large message, which is lost",
        "small ones go on",
    ]
    gone(process)
