"""Why a worker ended, in words that a user can act on."""

from __future__ import annotations

import pickle
import signal

import pytest

from corewise._engine.deaths import death
from corewise._engine.worker import LINE_LOST


@pytest.mark.parametrize(
    ("exitcode", "reason"),
    [
        (0, "it exited with code 0"),
        (3, "it exited with code 3"),
        (-9, "killed by SIGKILL"),
        (-11, "killed by SIGSEGV (segmentation fault, usually in a C extension)"),
        (-15, "killed by SIGTERM"),
        (-99, "killed by signal 99"),
        (None, "how it ended is unknown"),
    ],
)
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX names them")
def test_the_end_is_named(exitcode: int | None, reason: str) -> None:
    """Exit codes as such, signals by name with what they usually mean."""
    error = death(4711, exitcode, out_of_memory=False, line_closed=False)
    assert error.reason == reason
    assert (error.pid, error.exitcode, error.out_of_memory) == (4711, exitcode, False)
    assert str(error) == f"the worker process 4711 was lost while it ran this item: {reason}"


@pytest.mark.parametrize(
    ("exitcode", "counted", "expected"), [(-9, True, True), (-9, False, False), (-11, True, False), (1, True, False)]
)
def test_want_of_memory_is_named_only_where_the_kernel_killed(exitcode: int, *, counted: bool, expected: bool) -> None:
    """A segmentation fault beside somebody else's out-of-memory kill is still a segmentation fault."""
    error = death(1, exitcode, out_of_memory=counted, line_closed=False)
    assert error.out_of_memory == expected
    assert ("out-of-memory" in error.reason) == expected


@pytest.mark.parametrize(("exitcode", "line_closed"), [(LINE_LOST, False), (-9, True)])
def test_a_closed_line_is_told_from_a_kill(exitcode: int, *, line_closed: bool) -> None:
    """The kill was ours then, and the function's doing comes first."""
    error = death(1, exitcode, out_of_memory=False, line_closed=line_closed)
    assert "closed the connection" in error.reason
    assert "SIGKILL" not in error.reason


def test_a_death_travels_whole() -> None:
    """A map inside a worker may raise it."""
    error = death(7, -9, out_of_memory=True, line_closed=False)
    error.add_note("item 3: 3")
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.pid, again.exitcode, again.out_of_memory) == (error.reason, 7, -9, True)
    assert str(again) == str(error)
