"""Under a scope, a buffer that many messages refer to travels once, and each message has it for itself."""

from __future__ import annotations

import gc
import sys
from contextlib import ExitStack
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
    worker_process,
)

from corewise._transport.blocks import ONCE_FROM_BYTES, Once

linux = pytest.mark.skipif(sys.platform != "linux", reason="blocks are Linux's")


def array(number: int, size: int = 2 * MEBIBYTE) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(size // 8, dtype=np.float64) + number


def spoil(one: np.ndarray[Any, Any]) -> float:
    """Return what came, and write over it."""
    before = float(one.sum())
    if one.flags.writeable:
        one[:] = -1.0
    return before


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("known", [False, True])
def test_every_message_has_what_was_sent(transport: str, *, known: bool) -> None:
    """To several workers, each of which writes over it, with other messages between."""
    shared = array(3)
    with ExitStack() as stack:
        parents = [stack.enter_context(worker_process(answering(spoil), transport)) for _ in range(3)]
        scope = stack.enter_context(Once({id(shared)} if known else ()))
        for number in range(4):
            for parent in parents:
                assert ask(parent, shared, once=scope) == array(3).sum()
                assert ask(parent, array(number), once=scope) == array(number).sum()
        np.testing.assert_array_equal(shared, array(3))
        sent = sum(parent.statistics().block_sent_bytes for parent in parents)
        if transport == BLOCKS:
            assert sent == (12 if known else 13) * shared.nbytes
        else:
            assert sent == 0


@linux
def test_all_references_within_one_message_are_apart() -> None:
    """As they would be if each item of a chunk had been sent by itself."""
    shared = array(1)

    def one_after_the_other(packed: list[Beside]) -> list[float]:
        return [spoil(np.frombuffer(one.data)) for one in packed]

    with worker_process(answering(one_after_the_other)) as parent, Once({id(shared)}) as scope:
        assert ask(parent, [Beside(shared) for _ in range(4)], once=scope) == [shared.sum()] * 4
        assert parent.statistics().block_sent_bytes == 0


@linux
@pytest.mark.parametrize("make", [np.asfortranarray, lambda one: one[:, 1:].copy()[:, :], lambda one: one.T])
def test_arrays_of_any_layout_are_known_again(make: Any) -> None:
    """Though each sending makes new objects for those in the order of Fortran."""
    shared = make(array(1).reshape(512, 512))
    with worker_process(answering(lambda one: one)) as parent, Once() as scope:
        for _ in range(5):
            np.testing.assert_array_equal(ask(parent, shared, once=scope), shared)
        assert parent.statistics().block_sent_bytes == shared.nbytes


@linux
def test_slices_of_the_same_size_are_not_taken_for_each_other() -> None:
    """Nor views of one array that begin elsewhere, nor an array that cannot be written to for another that can."""
    whole = bytearray(array(1, 8 * MEBIBYTE).tobytes())
    parts = [memoryview(whole)[at : at + 2 * MEBIBYTE] for at in range(0, 8 * MEBIBYTE, 2 * MEBIBYTE)]
    with worker_process(answering(lambda one: (bytes(one.data), memoryview(one.data).readonly))) as parent:
        with Once() as scope:
            for _ in range(3):
                for part in parts:
                    assert ask(parent, Beside(part), once=scope) == (bytes(part), False)
                    assert ask(parent, Beside(part.toreadonly()), once=scope) == (bytes(part), True)
        assert parent.statistics().block_sent_bytes == len(whole)


@linux
def test_memory_that_was_freed_and_used_again_is_not_taken_for_what_was_there() -> None:
    """An array made for one message often lies where that of the last message lay."""
    with worker_process(answering(lambda one: float(one[0]))) as parent, Once() as scope:
        places = set()
        for number in range(60):
            one = array(number)
            places.add(one.__array_interface__["data"][0])
            assert ask(parent, one, once=scope) == number
            assert ask(parent, one, once=scope) == number
            del one
        assert len(places) < 60, "nothing lay where something else had been, so this shows nothing"
        gc.collect()
        assert sum("memfd:corewise" in one for one in descriptors()) <= len(places)


@linux
def test_small_buffers_are_sent_each_time() -> None:
    """A block of its own would cost more than the copy."""
    small, large = array(1, ONCE_FROM_BYTES - 8), array(2, ONCE_FROM_BYTES)
    with worker_process(answering(spoil)) as parent, Once() as scope:
        for _ in range(4):
            assert ask(parent, small, once=scope) == small.sum()
            assert ask(parent, large, once=scope) == large.sum()
        assert parent.statistics().block_sent_bytes == 4 * small.nbytes + large.nbytes


@linux
def test_a_scope_that_is_closed_holds_nothing_on_either_side() -> None:
    """The worker learns of it at once, without a message; what its user keeps stays as it was."""
    before = sorted(descriptors())
    shared = array(1)
    kept: list[Any] = []

    def serve(item: Any) -> Any:
        word, one = item
        if word == "keep":
            kept.append(one)
        held = sum("memfd:corewise" in fd for fd in descriptors())
        return held, [float(one.sum()) for one in kept]

    with worker_process(answering(serve)) as parent:
        for turn in range(5):
            with Once({id(shared)}) as scope:
                held, sums = ask(parent, ("keep" if turn == 0 else "use", shared), once=scope)
                assert sums == [shared.sum()]
            held, sums = ask(parent, ("look", array(9, 80 * KIBIBYTE)))
            assert sums == [shared.sum()]
            assert held <= 2, "one of what the user keeps, one of the block that the array came in"
            scope.close()
        assert parent.statistics().block_sent_bytes == 5 * 80 * KIBIBYTE
    assert sorted(descriptors()) == before
    assert blocks_mapped() == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_scope_may_outlive_its_lines(transport: str) -> None:
    """As when a worker dies in the midst of a call and another takes its place."""
    shared = array(1)
    with Once({id(shared)}) as scope:
        for _ in range(3):
            with worker_process(answering(spoil), transport) as parent:
                assert ask(parent, shared, once=scope) == shared.sum()
                assert ask(parent, shared, once=scope) == shared.sum()
    if transport == BLOCKS:
        assert blocks_mapped() == 0
