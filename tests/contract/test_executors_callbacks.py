"""Callbacks of futures: whatever they do, no worker and no other callback suffers."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from executor_kinds import ALL, IN_BACKGROUND, Gate, fit, make
from executor_works import OwnBaseError, double

if TYPE_CHECKING:
    from concurrent.futures import Future

every_kind = pytest.mark.parametrize("kind", ALL)
in_background = pytest.mark.parametrize("kind", IN_BACKGROUND)


@in_background
@pytest.mark.parametrize("error", [ValueError, SystemExit, OwnBaseError])
def test_what_a_callback_raises_is_logged_and_costs_nobody_anything(
    kind: str, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """The callback behind it is called, and the only worker lives."""
    called: SimpleQueue[Any] = SimpleQueue()

    def fail(_: Future[Any]) -> None:
        raise error("from a callback")

    with Gate() as gate, make(kind, 1) as executor:
        future = gate.hold(executor, kind)
        future.add_done_callback(fail)
        future.add_done_callback(called.put)
        gate.release(1)
        assert called.get() is future
        assert executor.submit(fit(kind, double), 4).result() == 8
    [logged] = [record.getMessage() for record in caplog.records if record.name == "concurrent.futures"]
    assert logged.startswith("exception calling callback for <")
    assert "from a callback" in caplog.text


@every_kind
def test_a_callback_of_a_decided_future_is_called_at_once(kind: str) -> None:
    """In the thread that adds it, to which what is no `Exception` is raised."""
    threads: list[int] = []

    def leave(_: Future[Any]) -> None:
        raise SystemExit(3)

    with make(kind, 1) as executor:
        future = executor.submit(fit(kind, double), 4)
        assert future.result() == 8
        future.add_done_callback(lambda _: threads.append(threading.get_ident()))
        assert threads == [threading.get_ident()]
        with pytest.raises(SystemExit):
            future.add_done_callback(leave)


@every_kind
def test_callbacks_can_submit(kind: str) -> None:
    """A hundred calls, each submitted by the callback of the one before."""
    last: SimpleQueue[int] = SimpleQueue()

    def go_on(future: Future[int]) -> None:
        number = future.result()
        if number == 100:
            last.put(number)
        else:
            executor.submit(fit(kind, _next), number).add_done_callback(go_on)

    with make(kind, 2) as executor:
        executor.submit(fit(kind, _next), 0).add_done_callback(go_on)
        assert last.get() == 100


def _next(number: int) -> int:
    return number + 1


@in_background
def test_a_callback_learns_that_its_future_was_cancelled(kind: str) -> None:
    """At once, in the thread that cancels."""
    called: list[bool] = []
    with Gate() as gate, make(kind, 1) as executor:
        gate.hold(executor, kind)
        gate.wait_for(1)
        waiting = [executor.submit(fit(kind, double), number) for number in range(20)]
        waiting[-1].add_done_callback(lambda future: called.append(future.cancelled()))
        assert waiting[-1].cancel()
        assert called == [True]
        gate.release(1)
