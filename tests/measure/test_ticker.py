"""What a look of the ticker says, and of what. Pure; what it meets in real work is in `test_nature_of_work`."""

from __future__ import annotations

import pytest

from corewise._measure.ticker import _fell_between, _uneven

GAP_S = 0.0001  # between two chunks


@pytest.mark.parametrize(
    ("due_s", "late_s", "gap_s", "chunk_s", "between"),
    [
        (0.0002, 0.0002, 0.0, 0.003, False),  # in the midst of a long chunk
        (0.0002, 0.00015, GAP_S, 0.00015, True),  # the next chunk began meanwhile
        (0.0002, 0.0001, GAP_S, None, True),  # the GIL was there before it did
        (0.0003, 0.0002, GAP_S, 0.00005, True),  # due before the end, but not awake by then
        (0.002, 0.0019, GAP_S, 0.0001, False),  # long before the end: the items held it until then
        (0.0052, 0.0051, GAP_S, 0.0051, False),  # the next chunk had to be made to give way
        (0.0003, 0.0003, GAP_S, 0.0008, False),  # due when that was long under way
    ],
)
def test_who_asks_between_two_chunks_meets_nothing_of_the_items(
    due_s: float, late_s: float, gap_s: float, chunk_s: float | None, *, between: bool
) -> None:
    """What lies there holds the GIL, and of ten looks at calls of 3 ms that let go of it one or two came then."""
    assert _fell_between(due_s, late_s, gap_s, chunk_s, 0.005) is between


@pytest.mark.parametrize("pause_s", [0.005, 0.01, 0.02])
@pytest.mark.parametrize("period_s", [0.005, 0.01, 0.02, 0.03])
def test_looks_keep_no_time_with_items(pause_s: float, period_s: float) -> None:
    """Whichever fifth of their period items compute in, of a hundred looks some twenty come then."""
    for first in (1, 50, 1000):
        at_s, met = 0.0, [0] * 5
        for look in range(first, first + 100):
            at_s += _uneven(pause_s, look)
            met[int(at_s % period_s / period_s * 5)] += 1
        assert min(met) >= 8, met
