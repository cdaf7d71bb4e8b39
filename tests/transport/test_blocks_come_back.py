"""Large buffers go through blocks of shared memory that are used again, and nobody notices but the clock."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from lines import (
    BLOCKS,
    KIBIBYTE,
    MEBIBYTE,
    TRANSPORTS,
    Beside,
    answering,
    ask,
    blocks_mapped,
    descriptors,
    open_line,
    receive,
    worker_process,
)

from corewise._transport import channel
from corewise._transport.line import BLOCK_FROM_BYTES

linux = pytest.mark.skipif(sys.platform != "linux", reason="blocks are Linux's")


def array(number: int, size: int = 80_000) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(size // 8, dtype=np.float64) + number


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("size", [0, 8, BLOCK_FROM_BYTES - 8, BLOCK_FROM_BYTES, 80_000, MEBIBYTE, 40 * MEBIBYTE])
def test_arrays_of_any_size_go_there_and_back(size: int, transport: str) -> None:
    """Several in a message, empty ones among them, and more messages than there are blocks."""
    with worker_process(answering(lambda arrays: [one * 2 for one in arrays]), transport) as parent:
        for number in range(5):
            sent = [array(number, size), array(1, 0), array(number + 1, size // 2), np.zeros((0, 3))]
            for got, one in zip(ask(parent, sent), sent, strict=True):
                np.testing.assert_array_equal(got, one * 2)
                assert got.shape == one.shape


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_arrays_of_any_layout_come_as_they_are(transport: str) -> None:
    """In the order of Fortran, in steps, turned round, read only, and of records."""
    base = np.arange(60_000, dtype=np.int32).reshape(200, 300)
    read_only = base + 1
    read_only.flags.writeable = False
    records = np.zeros(5000, dtype=[("name", "S10"), ("value", "f8")])
    records["value"] = np.arange(5000)
    sent = [np.asfortranarray(base), base[::2, ::3], base[::-1], base.T, read_only, records, base[5:6]]
    with worker_process(answering(lambda arrays: arrays), transport) as parent:
        for got, one in zip(ask(parent, sent), sent, strict=True):
            np.testing.assert_array_equal(got, one)
            assert got.flags.writeable == one.flags.writeable
            assert got.flags.f_contiguous == one.flags.f_contiguous or not one.flags.f_contiguous
    with open_line(transport) as (parent, _), pytest.raises(pickle.PicklingError, match="non-contiguous"):
        parent.send(Beside(memoryview(bytearray(MEBIBYTE))[::2]))


@linux
def test_a_block_is_used_again_for_every_message_that_fits() -> None:
    """Both ways; and neither side holds a descriptor of it, but for one in the worker."""
    own = sum("memfd:corewise" in one for one in descriptors())
    in_worker = answering(lambda one: (one + 1, sum("memfd:corewise" in fd for fd in descriptors())))
    with worker_process(in_worker) as parent:
        for number in range(100):
            got, held = ask(parent, array(number, 64 * KIBIBYTE + 8 * number))
            np.testing.assert_array_equal(got, array(number, 64 * KIBIBYTE + 8 * number) + 1)
            assert held == own + 1
        told = parent.statistics()
        assert (told.blocks_made, told.blocks_reused) == (1, 99)
        assert told.block_received_bytes >= 100 * 64 * KIBIBYTE
        assert parent.received_bytes == told.block_received_bytes + told.stream_received_bytes
        assert told.stream_received_bytes < 100 * KIBIBYTE
        assert sum("memfd:corewise" in one for one in descriptors()) == own
        assert blocks_mapped() == 2
    assert blocks_mapped() == 0


@linux
def test_a_large_pickle_goes_through_a_block_too() -> None:
    """Text, bytes and lists have no buffers, but may be as large."""
    sent = {"text": "ä" * MEBIBYTE, "bytes": b"b" * MEBIBYTE, "list": list(range(100_000)), "array": array(1)}
    with worker_process(answering(lambda one: one)) as parent:
        got = ask(parent, sent)
        np.testing.assert_array_equal(got.pop("array"), sent.pop("array"))
        assert got == sent
        assert parent.statistics().stream_sent_bytes < KIBIBYTE
        assert parent.statistics().stream_received_bytes < KIBIBYTE


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_a_worker_keeps_stays_as_it_was(transport: str) -> None:
    """The array, a view of it, a view of a view of its buffer, an object made on it: for good."""
    kept: list[Any] = []

    def keep(item: tuple[int, np.ndarray[Any, Any]]) -> list[bool]:
        number, one = item
        ways = [lambda: one, lambda: one[10:20], lambda: memoryview(memoryview(one)[10:])[5:], lambda: Holder(one.data)]
        if number % 5 < 4:
            kept.append((number, ways[number % 5]()))
        return [bool(np.all(np.isin(np.asarray(getattr(old, "data", old)), array(of)))) for of, old in kept]

    with worker_process(answering(keep), transport) as parent:
        for number in range(40):
            sent = array(number * 1_000_000)
            assert all(ask(parent, (number * 1_000_000, sent))), "what was kept has changed"
        for number in range(40):
            assert all(ask(parent, (number, array(number))))


class Holder:
    """Holds a buffer, and nothing tells it from other objects."""

    def __init__(self, data: memoryview) -> None:
        self.data = data


@linux
def test_a_block_with_a_view_left_never_comes_back_and_one_without_does() -> None:
    """Counted by the blocks that the parent has to make."""
    kept: dict[str, Any] = {}

    def serve(item: Any) -> int:
        word, one = item
        if word == "keep":
            kept["view"] = one[3:5]
        elif word == "drop":
            kept.clear()
        return int(one[0])

    with worker_process(answering(serve)) as parent:
        assert ask(parent, ("keep", array(1))) == 1
        for number in range(10):
            assert ask(parent, ("other", array(number))) == number
        assert parent.statistics().blocks_made == 2
        assert ask(parent, ("drop", array(5))) == 5
        for number in range(10):
            parent.send(("other", array(number)))
            parent.send(("other", array(number)))
            assert receive(parent, 2) == [number, number]
        assert parent.statistics().blocks_made <= 3


@linux
def test_a_ring_that_comes_back_to_life_keeps_its_memory() -> None:
    """Finalizers run before it is known whether what they belong to is really gone."""
    risen: list[Any] = []

    class Phoenix:
        def __init__(self, data: Any) -> None:
            self.data, self.ring = data, self

        def __del__(self) -> None:
            risen.append(self.data)

    def serve(one: Any) -> float:
        if not risen:
            Phoenix(one)
            del one
            import gc

            gc.collect()
            return float(risen[0][0])
        return float(risen[0][0])

    with worker_process(answering(serve)) as parent:
        assert [ask(parent, array(number)) for number in range(7, 12)] == [7.0] * 5


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_a_worker_writes_into_its_arguments_is_seen_by_nobody(transport: str) -> None:
    """Neither by the parent nor by the next message."""

    def spoil(one: np.ndarray[Any, Any]) -> float:
        before = float(one.sum())
        one[:] = -1.0
        return before

    with worker_process(answering(spoil), transport) as parent:
        for _ in range(10):
            sent = array(3)
            assert ask(parent, sent) == array(3).sum()
            np.testing.assert_array_equal(sent, array(3))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_results_are_the_receivers_own(transport: str) -> None:
    """They can be written to, stay as they are when others come, and outlive their worker."""
    sizes = [50_000, MEBIBYTE, 6 * MEBIBYTE]
    with worker_process(answering(lambda one: array(*one)), transport) as parent:
        got = [(number, size, ask(parent, (number, size))) for number in range(6) for size in sizes]
        for number, _, one in got:
            np.add(one, number, out=one)
        again = ask(parent, (1, MEBIBYTE))
    for number, size, one in got:
        np.testing.assert_array_equal(one, array(number, size) + number)
    np.testing.assert_array_equal(again, array(1, MEBIBYTE))
    if transport == BLOCKS:
        assert blocks_mapped() == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_part_of_an_argument_may_be_sent_back_while_it_is_still_held(transport: str) -> None:
    """The worker's own block is filled from the parent's."""
    last: list[Any] = []

    def half(one: np.ndarray[Any, Any]) -> Any:
        last[:] = [one[::2], *last[:1]]
        return last

    with worker_process(answering(half), transport) as parent:
        for number in range(6):
            got = ask(parent, array(number, 200_000))
            np.testing.assert_array_equal(got[0], array(number, 200_000)[::2])
            if number:
                np.testing.assert_array_equal(got[1], array(number - 1, 200_000)[::2])


@linux
def test_few_blocks_are_kept_and_idle_ones_are_given_up() -> None:
    """Of ever larger messages only the last ones stay, and of those nothing after many messages without."""
    with worker_process(answering(len)) as parent:
        for power in range(16, 24):
            assert ask(parent, array(0, 1 << power)) == (1 << power) // 8
        assert blocks_mapped() <= 5
        for _ in range(600):
            ask(parent, b"small")
        assert ask(parent, array(0)) == 10_000
        assert blocks_mapped() == 1


@linux
def test_several_messages_under_way_lie_in_blocks_of_their_own() -> None:
    """None is overwritten before it was read."""
    with worker_process(answering(lambda one: float(one.sum()))) as parent:
        for turn in range(5):
            for number in range(8):
                parent.send(array(turn * 10 + number))
            assert receive(parent, 8) == [array(turn * 10 + number).sum() for number in range(8)]
        # Those that came back beyond the few that are kept were dropped, so some were made anew.
        assert parent.statistics().blocks_made <= 8 * 5


@linux
def test_an_end_that_is_closed_holds_neither_memory_nor_descriptors() -> None:
    """Whatever was under way."""
    before = sorted(descriptors())
    for _ in range(20):
        with open_line() as (parent, theirs):
            worker = channel.WorkerEnd(theirs)
            for number in range(5):
                parent.send(array(number))
            assert worker.receive()[0] == 0
            worker.close()
    assert sorted(descriptors()) == before
    assert blocks_mapped() == 0


@linux
def test_a_worker_waits_for_the_parent_to_take_a_new_block_and_ends_if_it_goes() -> None:
    """By an error, as in any other send."""
    with open_line() as (parent, theirs):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                channel.WorkerEnd(theirs).send(array(1))
            except (EOFError, OSError):
                code = 7
            finally:
                os._exit(code)
        theirs.close()
        assert parent.fileno() >= 0
        parent.close()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
