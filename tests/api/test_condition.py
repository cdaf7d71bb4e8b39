"""The condition under which futures are decided: it waits as the standard one does, and no Ctrl-C leaves it locked."""

from __future__ import annotations

import os
import signal
import threading
from time import monotonic

import pytest

from corewise._api.executors.condition import Condition


def test_who_waits_is_notified_by_another_thread() -> None:
    """By `wait` and by `wait_for`, and holds the lock again then, as often as before."""
    condition, said = Condition(), []

    def say() -> None:
        with condition:
            said.append("now")
            condition.notify_all()

    with condition, condition:
        thread = threading.Thread(target=say)
        thread.start()
        assert condition.wait_for(lambda: said)
        assert said == ["now"]
        assert not is_free(condition)
    thread.join()
    assert is_free(condition)


def test_one_of_those_who_wait_is_notified_and_the_others_run_out_of_time() -> None:
    """In the order in which they came."""
    condition, woken = Condition(), []
    waits = threading.Semaphore(0)

    def wait(limit_s: float) -> None:
        with condition:
            waits.release()
            woken.append(condition.wait(limit_s))

    first = threading.Thread(target=wait, args=(20.0,))
    first.start()
    waits.acquire()
    other = threading.Thread(target=wait, args=(0.01,))
    with condition:  # so the first one waits
        other.start()
        condition.notify()
    first.join()
    other.join()
    assert sorted(woken) == [False, True]


def test_who_does_not_hold_the_lock_can_neither_wait_nor_notify() -> None:
    """As with the standard one."""
    condition = Condition()
    with pytest.raises(RuntimeError, match="un-acquired"):
        condition.wait(0.0)
    with pytest.raises(RuntimeError, match="un-acquired"):
        condition.notify()


def test_no_time_is_no_wait() -> None:
    """Nor is less than none."""
    condition, begin = Condition(), monotonic()
    with condition:
        assert not condition.wait(0.0)
        assert not condition.wait(-1.0)
    assert monotonic() - begin < 10


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_ctrl_c_ends_a_wait_without_end_and_leaves_it_unlocked() -> None:
    """It is raised where it is pressed, in the main thread."""
    condition = Condition()
    this = threading.get_ident()

    def press() -> None:
        with condition:  # so the main thread waits
            pass
        signal.pthread_kill(this, signal.SIGINT)

    def wait() -> None:
        with condition:
            thread.start()
            condition.wait()

    thread = threading.Thread(target=press)
    with pytest.raises(KeyboardInterrupt):
        wait()
    thread.join()
    assert is_free(condition)
    assert not condition._waiters


def test_what_was_left_locked_can_be_let_go() -> None:
    """Only by the thread that has it; by another that is no error, and does nothing."""
    condition = Condition()
    condition.acquire()
    condition.acquire()
    thread = threading.Thread(target=condition.let_go)
    thread.start()
    thread.join()
    assert not is_free(condition)
    condition.let_go()
    assert is_free(condition)
    condition.let_go()


def test_a_standard_one_can_be_made_one_while_it_is_held() -> None:
    """As it is for the futures of a standard pool of threads."""
    condition = threading.Condition()
    with condition:
        condition.__class__ = Condition
        assert not is_free(condition)
    assert is_free(condition)
    with condition:
        assert not is_free(condition)


def is_free(condition: threading.Condition) -> bool:
    """Whether another thread can have the lock."""
    free: list[bool] = []

    def take() -> None:
        free.append(condition.acquire(blocking=False))
        if free[0]:
            condition.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return free[0]
