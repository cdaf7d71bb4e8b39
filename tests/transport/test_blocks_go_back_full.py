"""Large results lie in the blocks of their arguments, and a block that comes back is used before another is made."""

from __future__ import annotations

import os
import random
import select
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lines import LIMIT_S, MEBIBYTE, answering, ask, blocks_mapped, receive, worker_process
from test_blocks_and_forks import Child

import corewise

if TYPE_CHECKING:
    from corewise._transport import channel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="blocks are Linux's")


def array(number: int, size: int = 2 * MEBIBYTE) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(size // 8, dtype=np.float64) + number


def test_a_result_no_larger_than_its_argument_needs_no_block_of_its_own() -> None:
    """One block is enough for all that goes to and fro, a large pickle included."""
    with worker_process(answering(lambda one: (one[:200_000] + 1, "x" * MEBIBYTE))) as parent:
        for number in range(10):
            got, text = ask(parent, np.concatenate([array(number)] * 2))
            np.testing.assert_array_equal(got, array(number + 1)[:200_000])
            assert len(text) == MEBIBYTE
            got[:] = -1.0
        assert blocks_mapped() == 1
        assert (parent.statistics().blocks_made, parent.statistics().blocks_reused) == (1, 9)


def test_an_executor_needs_one_block_for_each_worker() -> None:
    """Nothing of the engine's refers to an argument any more when the result is sent."""
    before = blocks_mapped()
    with corewise.ProcessExecutor(1) as executor:
        for number in range(5):
            got = executor.submit(np.add, array(number), 1).result()
            np.testing.assert_array_equal(got, array(number + 1))
        assert blocks_mapped() == before + 1


def test_a_result_that_is_larger_lies_in_a_block_of_the_workers() -> None:
    """And the argument's block goes back empty."""
    with worker_process(answering(lambda one: np.concatenate([one, one]))) as parent:
        for number in range(5):
            got = ask(parent, array(number))
            np.testing.assert_array_equal(got, np.concatenate([array(number)] * 2))
        assert parent.statistics().blocks_made == 1
        assert blocks_mapped() == 2


def test_the_block_of_an_argument_that_is_kept_is_not_written_to() -> None:
    """Nor is that of one that is returned, or of which a view is."""
    kept: list[Any] = []

    def answer(item: tuple[int, Any]) -> Any:
        way, one = item
        kept.append((one[0], one) if way == 0 else (0.0, np.zeros(1)))
        assert all(old[0] == first for first, old in kept), "what was kept has changed"
        return one + 1 if way < 2 else one[::-1] if way == 2 else one

    with worker_process(answering(answer)) as parent:
        for number in range(12):
            got = ask(parent, (number % 4, array(number)))
            expected = (array(number) + 1, array(number) + 1, array(number)[::-1], array(number))[number % 4]
            np.testing.assert_array_equal(got, expected)


def test_a_child_of_the_worker_does_not_see_the_result() -> None:
    """It was forked while the item was in use, so that what it sees is the item for good."""
    children: list[Child] = []

    def answer(one: Any) -> Any:
        total = float(one.sum())
        if not children:
            children.append(Child(lambda _: float(one.sum())))
        return np.full_like(one, children[0].ask(0)), total

    with worker_process(answering(answer)) as parent:
        for number in range(5):
            got, total = ask(parent, array(number))
            assert total == array(number).sum()
            assert got[0] == got[-1] == array(0).sum()


def test_a_block_that_is_on_its_way_back_is_used_before_another_is_made() -> None:
    """What says so is left where it is: whoever waits for the answers is told that there are some."""
    answered, tell = os.pipe()

    def serve(end: channel.WorkerEnd) -> None:
        while True:
            end.send(float(end.receive().sum()))
            os.write(tell, b".")

    with worker_process(serve) as parent:
        for number in range(6):
            parent.send(array(number))
            assert os.read(answered, 1) == b"."
        assert parent.statistics().blocks_made == 1
        assert select.select([parent], [], [], 0.0)[0], "nothing is left to be read"
        assert receive(parent, 6) == [array(number).sum() for number in range(6)]
        assert ask(parent, array(7)) == array(7).sum()
        assert parent.statistics().blocks_made == 1
    os.close(answered)
    os.close(tell)


@pytest.mark.parametrize("seed", range(4))
def test_looking_ahead_never_counts_a_block_twice(seed: int) -> None:
    """Sent and read in any order, results small and large: each is of its own message, and blocks do not pile up."""
    draw = random.Random(seed)

    def answer(item: tuple[bool, Any]) -> Any:
        large, one = item
        return one * 2 if large else float(one[0] + one[-1])

    with worker_process(answering(answer)) as parent:
        under_way: list[tuple[bool, int]] = []
        most = 0
        for number in range(120):
            if len(under_way) < 6 and draw.random() < 0.6:
                under_way.append((draw.random() < 0.5, number))
                parent.send((under_way[-1][0], array(number)))
                most = max(most, len(under_way))
                if draw.random() < 0.5:
                    select.select([parent], [], [], LIMIT_S)
            elif under_way:
                for got in receive(parent):
                    large, sent = under_way.pop(0)
                    expected = array(sent) * 2 if large else float(array(sent)[0] + array(sent)[-1])
                    np.testing.assert_array_equal(got, expected)
        told = parent.statistics()
        assert told.blocks_made + told.blocks_reused > 40
        assert blocks_mapped() <= most + 3 + 4  # what is under way, the few that are kept, and the worker's own
