"""What a worker's function frees of large memory stays with the worker, up to a limit."""

from __future__ import annotations

import sys

import pytest
from lines import MEBIBYTE, answering, ask, worker_process

from corewise._transport.heap import Heap

SIZE = 48 * MEBIBYTE


class Library:
    """Takes parameters, as `mallopt` does."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.told: list[tuple[int, int]] = []

    def __call__(self, parameter: int, value: int) -> int:
        """Take one, or refuse it."""
        self.told.append((parameter, value))
        return int(self.takes)


def test_the_largest_is_expected_and_three_times_as_much_kept() -> None:
    """Once told, nothing smaller changes it."""
    library = Library(takes=True)
    heap = Heap(library, most_bytes=1 << 30)
    for size in (50 * MEBIBYTE, 40 * MEBIBYTE, 50 * MEBIBYTE, 70 * MEBIBYTE):
        heap.expect(size)
    (_, first), (_, kept), (_, second), (_, more) = library.told
    assert 50 * MEBIBYTE < first < 51 * MEBIBYTE
    assert 70 * MEBIBYTE < second < 71 * MEBIBYTE
    assert (kept, more) == (3 * first, 3 * second)


def test_no_more_is_kept_than_a_part_of_the_machine() -> None:
    """What is too large goes back to the system, as it would without us."""
    library = Library(takes=True)
    Heap(library, most_bytes=150 * MEBIBYTE).expect(51 * MEBIBYTE)
    assert library.told == []


def test_a_library_that_refuses_is_left_as_it_is() -> None:
    """Its own rule then goes on to hold, so the other parameter is not touched either."""
    library = Library(takes=False)
    Heap(library, most_bytes=1 << 30).expect(SIZE)
    assert len(library.told) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_a_worker_finds_its_pages_only_once() -> None:
    """Each page that has to be found is a fault; of 48 MiB these are 12,288, or 24 where the pages are huge."""
    import ctypes
    import resource

    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        pytest.skip("another C library")
    library.gnu_get_libc_version.restype = ctypes.c_char_p
    if tuple(map(int, library.gnu_get_libc_version().split(b"."))) < (2, 35):
        pytest.skip("takes no such value")

    def made(number: int) -> tuple[int, bytes]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        data = bytes([number]) * SIZE
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, data

    with worker_process(answering(made)) as parent:
        faults = []
        for number in range(6):
            count, data = ask(parent, number)
            assert data == bytes([number]) * SIZE
            faults.append(count)
    assert faults[0] >= 24
    assert max(faults[3:]) < faults[0] / 4, faults
