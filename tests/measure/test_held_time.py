"""What a ticker met becomes CPU seconds that held the GIL: figures in, figures out."""

from __future__ import annotations

import pytest

from corewise._measure.held import HeldTime


def test_one_that_is_always_made_to_give_way_holds_it_all_the_time() -> None:
    """Pure Python: each time the ticker waits for a whole switch interval."""
    held = HeldTime()
    for _ in range(4):
        held.slept(0.010, 0.005, made_way=True)
    assert (held.seen_s, held.held_s) == (pytest.approx(0.04), pytest.approx(0.04))


def test_one_that_is_never_waited_for_does_not_hold_it() -> None:
    """C code that lets go of the GIL: the ticker gets it at once."""
    held = HeldTime()
    for _ in range(40):
        held.slept(0.0005, None, made_way=False)
    assert (held.seen_s, held.held_s) == (pytest.approx(0.02), 0.0)


def test_between_free_and_held_lies_a_half() -> None:
    """The pause began while it was free and ended while it was held, so half of the pause counts; the wait does."""
    held = HeldTime()
    held.slept(0.001, None, made_way=False)
    held.slept(0.004, 0.002, made_way=False)
    assert held.held_s == pytest.approx(0.002 + 0.001)


@pytest.mark.parametrize(("others", "counts"), [(3, True), (4, False)])
def test_one_look_of_many_counts_for_what_it_saw(others: int, counts: bool) -> None:  # noqa: FBT001 - a case
    """It may have met the moment between two items; a second one is no accident, and few looks are all there is."""
    held = HeldTime()
    held.slept(0.003, 0.0005, made_way=False)
    for _ in range(others):
        held.slept(0.003, None, made_way=False)
    seen_s = 0.003 * (1 + others)
    assert held.share(0.0) == pytest.approx((0.003 if counts else 0.0005) / seen_s)
    held.slept(0.003, 0.0005, made_way=False)
    assert held.share(0.0) == pytest.approx((0.003 + 0.0005 + 0.00125) / (seen_s + 0.003))


def test_after_it_was_given_up_of_itself_the_next_look_decides() -> None:
    """Whether what gave it up came back for it at once, or did something else, is not known."""
    held = HeldTime()
    held.slept(0.003, 0.003, made_way=False)
    held.slept(0.001, None, made_way=False)
    assert held.held_s == pytest.approx(0.003)


def test_what_does_not_compute_does_not_count() -> None:
    """A thread that sleeps, or stands in line for a core with the GIL in its hands, uses no CPU time."""
    held = HeldTime()
    held.slept(0.0, 0.004, made_way=True)
    held.slept(0.002, 0.5, made_way=True)
    assert (held.seen_s, held.held_s) == (pytest.approx(0.002), pytest.approx(0.002))


def test_a_look_while_nothing_is_computed_says_nothing() -> None:
    """Who waits for an answer leaves the GIL to anybody, whatever it does with the answer."""
    held = HeldTime()
    for _ in range(4):
        held.slept(0.002, None, made_way=False, idles=True)
    assert held.share(0.0, waits=True) is None
    held.slept(0.003, 0.001, made_way=True)
    held.slept(0.002, None, made_way=False, idles=True)  # what it computed before it waited, it did as it was seen to
    held.slept(0.005, None, made_way=False, idles=True)
    assert held.share(0.005, waits=True) == pytest.approx(1.0)
    assert held.share(0.006, waits=True) is None, "no more was seen"
    held.started = True
    assert held.share(0.006, waits=True) == 1.0, "it was asked for in vain at the beginning"


def test_one_look_that_met_no_gil_does_not_outweigh_one_that_did() -> None:
    """Few looks meet what waits at work, and one may come as it begins to wait; many that agree are believed."""
    held = HeldTime()
    held.slept(0.002, 0.001, made_way=False)
    held.slept(0.002, None, made_way=False)
    assert held.share(0.0, waits=True) > 0.6
    for _ in range(20):
        held.slept(0.002, None, made_way=False)
    assert held.share(0.0, waits=True) < 0.2


def test_a_look_at_what_stands_in_line_for_a_core_counts() -> None:
    """It computes nothing just then either, but it has the GIL, or not, as it had when it ran."""
    held = HeldTime()
    for _ in range(4):
        held.slept(0.002, None, made_way=False, idles=True)
    assert held.share(0.008) == 0.0


def test_nothing_is_said_about_what_was_not_looked_at() -> None:
    """A share needs enough of the computing to stand for all of it."""
    held = HeldTime()
    assert held.share(0.0) is None
    held.slept(0.002, 0.001, made_way=True)
    assert held.share(0.001) == pytest.approx(1.0)
    assert held.share(0.003) is None


def test_what_is_asked_for_again_at_once_is_held() -> None:
    """It looked free at each look, but to threads that do the same it would not be."""
    held = HeldTime()
    for _ in range(4):
        held.slept(0.001, None, made_way=False)
    assert held.share(0.004) == 0.0
    held.asked_again(3, 4)
    assert held.share(0.004) == pytest.approx(0.75)
    held.slept(0.004, None, made_way=False)
    held.asked_again(0, 4)
    assert held.share(0.004) == pytest.approx(0.375)  # only what came since then is judged by it


def test_a_call_that_ends_beside_a_look_now_and_then_has_let_go_of_the_gil() -> None:
    """Two of sixteen looks came when it was about to end; of as many who let go all the time, most want it back."""
    held = HeldTime()
    for chunk in range(8):
        for _ in range(2):
            held.slept(0.001, None, made_way=False)
        held.asked_again(chunk % 4 == 0, 2)
    assert held.share(0.016) == 0.0
    assert held.all_held_s == 0.0


def test_a_look_from_the_thread_s_own_core_does_not_tell_who_wants_the_gil_back() -> None:
    """Whoever is not on a core asks for nothing: what was seen meanwhile waits for a look that can tell."""
    held = HeldTime()
    for _ in range(2):
        held.slept(0.001, None, made_way=False)
    held.asked_again(0, 2, 6)
    for _ in range(2):
        held.slept(0.001, None, made_way=False)
    held.asked_again(2, 2)
    assert held.share(0.004) == pytest.approx(1.0)


def test_who_asked_beside_one_look_of_many_has_let_go_of_the_gil_whoever_took_its_core() -> None:
    """Once is by chance; the looks beside it could tell as well as that one."""
    held = HeldTime()
    for _ in range(6):
        held.slept(0.001, None, made_way=False)
    held.asked_again(1, 6, 5)
    assert held.share(0.006) == 0.0
