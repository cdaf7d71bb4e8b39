"""Whether to stay awake for an answer."""

from __future__ import annotations

from corewise._transport.patience import Patience


def test_one_stays_awake_as_long_as_that_is_of_use() -> None:
    """Each vain try is followed by more waits that are slept through; one that is not begins anew."""
    patience = Patience()

    def sleeps_before_the_next_try() -> int:
        return next(number for number in range(1000) if patience.stays_awake())

    for _ in range(5):
        assert patience.stays_awake()
        patience.ended(in_time=True)
    vain = []
    for _ in range(9):
        vain.append(sleeps_before_the_next_try())
        patience.ended(in_time=False)
    assert vain == [0, 1, 2, 4, 8, 16, 32, 64, 64]
    assert sleeps_before_the_next_try() == 64
    patience.ended(in_time=True)
    assert patience.stays_awake()
