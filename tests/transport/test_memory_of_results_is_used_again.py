"""Large results are copied into memory that earlier ones have left, and into no other that anybody still refers to."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lines import MEBIBYTE, answering, ask, worker_process

from corewise._transport import recycled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="blocks are Linux's")
SIZE = 8 * MEBIBYTE
SMALL = MEBIBYTE // 8


def array(number: int, size: int = SIZE) -> np.ndarray[Any, Any]:
    """Return an array that is told from every other."""
    return np.arange(size // 8, dtype=np.float64) + number


def resident_bytes() -> int:
    """Return the memory that this process has, without what its C library keeps of what was freed."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_result_lies_where_one_lay_that_is_gone() -> None:
    """Of the same size or a little less, so that no page has to be found anew."""
    with worker_process(answering(lambda item: array(*item))) as parent:
        places = set()
        for number in range(6):
            got = ask(parent, (number, SIZE - 8 * number))
            np.testing.assert_array_equal(got, array(number, SIZE - 8 * number))
            places.add(got.ctypes.data)
            del got
        assert len(places) == 1


def test_small_results_lie_where_others_lay_that_are_gone() -> None:
    """Those of one call where those of the last one were."""
    with worker_process(answering(lambda item: array(*item))) as parent:
        places = []
        for _ in range(3):
            got = [ask(parent, (number, SMALL)) for number in range(5)]
            assert [one[0] for one in got] == [0, 1, 2, 3, 4]
            places.append({one.ctypes.data for one in got})
            del got
        assert places[0] == places[1] == places[2]


def test_small_results_of_another_size_take_the_place_of_those_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is let go, and no more is kept than there is room for, however many results live on."""
    monkeypatch.setattr(recycled, "_PIECES_BYTES", 4 * SMALL)
    copies = recycled.Copies()
    for number in range(12):
        assert copies.copy(memoryview(bytes([number]) * (SMALL - number))).tobytes() == bytes([number]) * (
            SMALL - number
        )
        assert len(copies._pieces) == 1
    kept = [copies.copy(memoryview(bytes([number]) * SMALL)) for number in range(12)]
    assert len(copies._pieces) == 4
    assert [one[0] for one in kept] == list(range(12))
    copies.close()
    assert [one[-1] for one in kept] == list(range(12))


@pytest.mark.parametrize("size", [SIZE, SMALL])
@pytest.mark.parametrize(
    "view",
    [
        lambda one: one,
        lambda one: one[100:50_000],
        lambda one: memoryview(memoryview(one)[10:])[:50_000],
        lambda one: np.frombuffer(one.data, dtype=np.float64),
    ],
)
def test_a_result_that_is_kept_stays_as_it_is(view: Any, size: int) -> None:
    """Itself, or what was made of it: whatever comes later, and when the line is closed."""
    kept = []
    with worker_process(answering(lambda number: array(number, size))) as parent:
        for number in range(8):
            got = view(ask(parent, number))
            kept.append((got, np.array(got)))
            del got
            ask(parent, -number)
    for one, then in kept:
        np.testing.assert_array_equal(np.asarray(one), then)


@pytest.mark.parametrize("size", [SIZE, SMALL])
def test_a_ring_that_comes_back_to_life_keeps_its_result(size: int) -> None:
    """Nothing counts as gone because a finalizer has run."""
    risen: list[Any] = []

    class Phoenix:
        def __init__(self, data: Any) -> None:
            self.data, self.ring = data, self

        def __del__(self) -> None:
            risen.append(self.data)

    with worker_process(answering(lambda number: array(number, size))) as parent:
        Phoenix(ask(parent, 5))
        gc.collect()
        for number in range(3):
            assert ask(parent, number)[0] == number
        np.testing.assert_array_equal(risen[0], array(5, size))


def test_memory_is_let_go_with_the_last_line() -> None:
    """What results have left by then at once, and what is in use with its last view."""
    before = resident_bytes()
    with worker_process(answering(lambda number: array(number, 8 * SIZE))) as parent:
        kept = ask(parent, 1)
        ask(parent, 2)
        assert resident_bytes() - before > 14 * SIZE
    # A page or two of every kind may have come on; a result is far more.
    assert resident_bytes() - before < 10 * SIZE
    np.testing.assert_array_equal(kept, array(1, 8 * SIZE))
    del kept
    assert resident_bytes() - before < 2 * SIZE


def test_a_child_of_the_parent_has_its_results_for_itself() -> None:
    """Neither sees what the other writes, or what comes to the other later."""
    with worker_process(answering(array)) as parent:
        kept, gone = ask(parent, 3), ask(parent, 4)
        there, here = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.read(there, 1)
                code = 0 if kept[0] == 3.0 and gone[0] == 4.0 else 2
                kept[:] = gone[:] = -1.0
            finally:
                os._exit(code)
        del gone
        assert ask(parent, 6)[0] == 6.0
        os.write(here, b".")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        np.testing.assert_array_equal(kept, array(3))
        os.close(there)
        os.close(here)


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results that the caller keeps do not count for ever, and one that is too large is not kept at all."""
    monkeypatch.setattr(recycled, "_KEPT_BYTES", 3 * SIZE)
    with worker_process(answering(lambda item: array(*item))) as parent:
        kept = [ask(parent, (number, SIZE)) for number in range(5)]
        places = {ask(parent, (number, SIZE)).ctypes.data for number in range(5)}
        assert len(places) == 1
        before = resident_bytes()
        large = ask(parent, (1, 4 * SIZE))
        assert large[0] == 1
        del large
        assert resident_bytes() - before < 2 * SIZE + 5 * SIZE  # its block is there to stay
    assert [one[0] for one in kept] == [0, 1, 2, 3, 4]
