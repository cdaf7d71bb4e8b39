"""Whether to stay awake for an answer."""

from __future__ import annotations

from corewise._transport.patience import AWAKE_S, Patience


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


def test_two_who_sleep_find_out_that_it_pays_to_stay_awake() -> None:
    """Whoever tries it alone has to wait for the other one to be woken, and yet that is in time."""
    busy_s, woken_s = 17e-6, 30e-6
    caller, worker = Patience(), Patience()
    for side in (caller, worker):
        for _ in range(10):
            side.ended(in_time=False)
    for _ in range(30):  # they do not try at the same time by chance
        assert not worker.stays_awake()
    awake = 0
    for _ in range(300):
        caller_awake, worker_awake = caller.stays_awake(), worker.stays_awake()
        answer_s = busy_s + (0 if worker_awake else woken_s) + (0 if caller_awake else woken_s)
        if caller_awake:
            caller.ended(in_time=answer_s < AWAKE_S)
        if worker_awake:
            worker.ended(in_time=busy_s + (0 if caller_awake else woken_s) < AWAKE_S)
        awake = awake + 1 if caller_awake and worker_awake else 0
    assert awake > 100
