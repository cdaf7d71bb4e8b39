"""How many items may fail before the call stops."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from shuffled import Shuffled, new_run

from corewise._dispatch.failures import ENOUGH_FOR_A_SHARE, Failures
from corewise.errors import TooManyFailures


@given(st.sets(st.integers(0, 59)), st.integers(0, 60), st.integers(0, 1 << 30))
def test_a_number_of_failures_is_allowed_and_not_one_more(bad: set[int], allowed: int, seed: int) -> None:
    """The call stops with the first failure beyond it."""
    run = new_run(range(60), on_error="return", max_failures=allowed)
    approach = Shuffled(seed, bad, keep_going=True)
    if len(bad) <= allowed:
        run.go(approach, 2)
        assert len(run.results()) == 60
        return
    with pytest.raises(TooManyFailures) as caught:
        run.go(approach, 2)
    error = caught.value
    assert error.failed == len(error.failures) > allowed
    assert {failed.index for failed in error.failures} <= bad
    assert error.__cause__ is error.failures[0].error
    assert f"{error.failed} of {error.finished} items failed" in str(error)
    assert error.finished == len(approach.ran)


@given(st.sets(st.integers(0, 59)), st.floats(0, 1), st.integers(0, 1 << 30))
def test_a_share_of_failures_is_judged_over_all_items_in_the_end(bad: set[int], allowed: float, seed: int) -> None:
    """With fewer items than tell anything, it is exactly the share of all."""
    run = new_run(range(60), on_error="return", max_failures=allowed)
    approach = Shuffled(seed, bad, keep_going=True)
    if len(bad) <= allowed * 60:
        run.go(approach, 2)
        assert len(run.results()) == 60
    else:
        with pytest.raises(TooManyFailures):
            run.go(approach, 2)


def test_a_share_of_an_endless_input_is_judged_once_it_means_something() -> None:
    """Every third item fails and a tenth may: that is seen after a hundred items."""
    run = new_run(iter(range(1_000_000)), on_error="return", max_failures=0.1, chunksize=1)
    approach = Shuffled(1, range(0, 1_000_000, 3), keep_going=True)
    with pytest.raises(TooManyFailures) as caught:
        run.go(approach, 2)
    assert ENOUGH_FOR_A_SHARE <= caught.value.finished < 2 * ENOUGH_FOR_A_SHARE


def test_a_share_that_cannot_be_met_any_more_ends_the_call_early() -> None:
    """Of 50 items 5 may fail: with the sixth failure the others need not be run."""
    run = new_run(range(50), on_error="return", max_failures=0.1, chunksize=1)
    approach = Shuffled(1, range(50), keep_going=True, most=1)
    with pytest.raises(TooManyFailures):
        run.go(approach, 1)
    assert len(approach.ran) == 6


def test_items_that_are_tried_again_do_not_count_until_they_have_failed_for_good() -> None:
    """Each fails once, and none may fail."""
    run = new_run(range(50), on_error="return", max_failures=0, retries=1)
    run.go(Shuffled(1, dict.fromkeys(range(50), 1), keep_going=True), 2)
    assert run.results() == [-item for item in range(50)]


def test_of_very_many_failures_the_first_are_kept_and_all_are_counted() -> None:
    """A stream must not grow by what fails."""
    failures = Failures(kept=3)
    for _ in range(10):
        failures.add(object())  # type: ignore[arg-type]  # only counted here
    assert failures.count == 10
    assert len(failures._kept) == 3
