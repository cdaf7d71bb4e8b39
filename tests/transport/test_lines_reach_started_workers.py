"""The worker's end travels to processes started by every method, and both ends use the same transport."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from lines import BLOCKS, PORTABLE, TRANSPORTS, ask, open_line, receive, spawned

from corewise._transport import channel, portable
from corewise._transport.blocks import Once


def double(theirs: Any) -> None:
    """Serve one line until its end."""
    end = channel.WorkerEnd(theirs)
    while (item := end.receive()) is not None:
        end.send(item * 2)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_line_goes_to_a_worker_started_by(method: str, transport: str) -> None:
    """Large arrays too, and one that is sent once."""
    with open_line(transport) as (parent, theirs):
        process = spawned(double, theirs, method=method)
        theirs.close()
        once = np.arange(400_000)
        with Once({id(once)}) as scope:
            for size in (0, 10, 10_000, 400_000):
                np.testing.assert_array_equal(ask(parent, np.arange(size)), np.arange(size) * 2)
                np.testing.assert_array_equal(ask(parent, once, once=scope), once * 2)
        told = parent.statistics()
        assert (told.block_sent_bytes > 0) == (told.block_received_bytes > 0) == (transport == BLOCKS)
        parent.send(None)
        process.join()
        assert process.exitcode == 0
        process.close()


def test_the_end_is_closed_with_its_block() -> None:
    """As a socket of the standard library is."""
    parent, theirs = channel.pair()
    with theirs as same:
        assert same is theirs
    assert theirs.fileno() == -1
    assert parent.receive() == ([], False)
    parent.close()


@pytest.mark.parametrize(("value", "expected"), [("", sys.platform != "linux"), (PORTABLE, True)])
def test_the_environment_asks_for_the_portable_transport(
    value: str, *, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time anew."""
    monkeypatch.setenv(portable.VARIABLE, value)
    assert portable.in_use() is expected


def test_another_value_is_an_error_that_names_the_one_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than a test run over the wrong transport."""
    monkeypatch.setenv(portable.VARIABLE, "portabel")
    with pytest.raises(ValueError, match=r"'portabel'.*'portable'"):
        channel.pair()


def test_a_line_stays_what_it_was_made_as(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment of the worker says, as that of an old fork server may."""
    with open_line(PORTABLE) as (parent, theirs):
        monkeypatch.setenv(portable.VARIABLE, "")
        worker = channel.WorkerEnd(theirs)
        worker.send(b"x" * 100_000)
        assert receive(parent) == [b"x" * 100_000]
        assert worker.statistics().block_sent_bytes == 0


def test_a_worker_loads_neither_socket_nor_pickle_for_its_line() -> None:
    """They take longer to load than a forked worker takes to start."""
    program = (
        "import sys; import corewise._transport.channel; print(*{'socket', 'pickle', 'ctypes', 're'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, env=paths())
    assert ran.stdout.split() == []


def paths() -> dict[str, str]:
    """Return an environment in which the package is found without `site`."""
    import corewise

    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(corewise.__file__))}  # noqa: PTH120
