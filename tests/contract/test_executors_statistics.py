"""Statistics, time limits, views and initializers of every executor."""

from __future__ import annotations

import concurrent.futures
import math
from typing import Any

import pytest
from executor_kinds import ALL, IN_BACKGROUND, WITH_LIMITS, Gate, fit, make
from executor_works import INITIALIZED, double, fail_at_three, fail_to_initialize, initialize, initialized

from corewise.errors import OptionError

every_kind = pytest.mark.parametrize("kind", ALL)
in_background = pytest.mark.parametrize("kind", IN_BACKGROUND)
with_limits = pytest.mark.parametrize("kind", WITH_LIMITS)
without_limits = pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in WITH_LIMITS])
with_initializer = pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "asyncio"])


@every_kind
def test_statistics_count_each_outcome(kind: str) -> None:
    """As soon as the future tells it."""
    with make(kind, 2) as executor:
        assert executor.statistics().submitted == 0
        for number in range(5):
            future = executor.submit(fit(kind, fail_at_three), number)
            assert future.exception() is None or number == 3
        statistics = executor.statistics()
        assert (statistics.finished, statistics.failed, statistics.cancelled, statistics.timed_out) == (4, 1, 0, 0)
        assert (statistics.queued, statistics.running, statistics.submitted) == (0, 0, 5)
        assert statistics.max_workers == (1 if kind == "sync" else 2)
        assert statistics.worker_deaths == 0


@in_background
def test_statistics_tell_what_runs_and_what_waits(kind: str) -> None:
    """While both workers are held up."""
    with Gate() as gate, make(kind, 2) as executor:
        for _ in range(5):
            gate.hold(executor, kind)
        gate.wait_for(2)
        statistics = executor.statistics()
        assert (statistics.workers, statistics.idle_workers) == (2, 0)
        assert statistics.running == 2
        assert statistics.queued == 3
        gate.release(5)
    statistics = executor.statistics()
    assert (statistics.finished, statistics.running, statistics.queued) == (5, 0, 0)


@in_background
def test_statistics_count_what_was_cancelled(kind: str) -> None:
    """Before it began."""
    with Gate() as gate, make(kind, 1) as executor:
        gate.hold(executor, kind)
        gate.wait_for(1)
        waiting = [executor.submit(fit(kind, double), number) for number in range(20)]
        assert waiting[-1].cancel()
        gate.release(1)
    statistics = executor.statistics()
    assert (statistics.finished, statistics.cancelled, statistics.submitted) == (20, 1, 21)


@without_limits
def test_a_time_limit_that_cannot_be_held_is_refused(kind: str) -> None:
    """At once, with the reason and with what can; None is no limit."""
    with pytest.raises(OptionError, match="ProcessExecutor"):
        make(kind, timeout=1)
    with make(kind) as executor:
        with pytest.raises(OptionError, match="ProcessExecutor"):
            executor.options(timeout=1)
        assert executor.options(timeout=None).submit(fit(kind, double), 4).result() == 8


@every_kind
@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, "1", True])
def test_a_senseless_time_limit_is_refused(kind: str, timeout: Any) -> None:
    """It must be a positive number of seconds."""
    with pytest.raises(OptionError, match="timeout must be a positive number"):
        make(kind, timeout=timeout)
    with make(kind) as executor, pytest.raises(OptionError, match="timeout must be a positive number"):
        executor.options(timeout=timeout)


@with_limits
def test_a_call_that_takes_too_long_is_ended(kind: str) -> None:
    """TimeoutError; the place is free again, and other calls are not touched."""
    with Gate() as gate, make(kind, 2) as executor:
        endless = gate.hold(executor.options(timeout=0.05), kind)
        patient = gate.hold(executor, kind)
        with pytest.raises(TimeoutError):
            endless.result()
        gate.release(2)
        assert patient.result() == "passed"
        assert executor.submit(fit(kind, double), 4).result() == 8
        statistics = executor.statistics()
        assert (statistics.failed, statistics.timed_out, statistics.finished) == (1, 1, 2)


@with_limits
def test_the_limit_of_the_constructor_holds_for_every_call_without_another(kind: str) -> None:
    """A view can take it away; time spent waiting for a worker does not count."""
    with Gate() as gate, make(kind, 1, timeout=0.3) as executor:
        patient = gate.hold(executor.options(timeout=None), kind)
        gate.wait_for(1)
        endless = gate.hold(executor, kind)
        assert concurrent.futures.wait([endless], timeout=0.6).done == set()
        gate.release(1)
        assert patient.result() == "passed"
        with pytest.raises(TimeoutError):
            endless.result()


@every_kind
def test_a_view_shares_the_executor(kind: str) -> None:
    """Queue, statistics and end; so it can be handed to whoever takes an executor."""
    executor = make(kind, 2)
    with executor.options(timeout=None) as view:
        assert isinstance(view, concurrent.futures.Executor)
        assert list(view.map(fit(kind, double), range(5))) == [0, 2, 4, 6, 8]
        assert view.options(timeout=None).submit(fit(kind, double), 4).result() == 8
        assert view.statistics() == executor.statistics()
        assert executor.statistics().finished == 6
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(fit(kind, double), 4)


@with_initializer
def test_an_initializer_is_called_before_the_first_call(kind: str) -> None:
    """With its arguments."""
    INITIALIZED.clear()
    with make(kind, 1, initializer=initialize, initargs=("ready",)) as executor:
        assert [executor.submit(initialized).result() for _ in range(2)] == [["ready"]] * 2


@with_initializer
def test_an_initializer_that_fails_breaks_the_executor(kind: str) -> None:
    """Every call ends in BrokenExecutor, and nothing hangs."""
    with make(kind, 1, initializer=fail_to_initialize) as executor:
        for _ in range(3):
            with pytest.raises(concurrent.futures.BrokenExecutor):
                executor.submit(double, 4).result()
