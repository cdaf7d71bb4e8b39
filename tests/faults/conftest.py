"""The fault matrix: what every test of it is given, and what it is held to when it is over."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from signposts import Signpost

import corewise
import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Faults are made and watched by what Linux offers: pidfds, /proc, limits.
if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]

START_METHODS = ["fork", "forkserver", "spawn"]


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a process, a descriptor or named shared memory behind."""
    request.getfixturevalue("process_wide_helpers")
    before = observe.holdings()
    yield
    if left := observe.left_since(before):
        observe.abort(observe.workers().keys() - before.processes.keys())
        pytest.fail("\n".join(left), pytrace=False)


@pytest.fixture(params=START_METHODS)
def start_method(request: pytest.FixtureRequest) -> str:
    """Name a start method."""
    return str(request.param)


@pytest.fixture
def open_executor() -> Iterator[Callable[..., corewise.ProcessExecutor]]:
    """Give a function that opens executors; after a test that failed they are ended by force."""
    opened: list[corewise.ProcessExecutor] = []
    own = set(observe.workers())

    def open_one(workers: int = 2, start_method: str | None = None, **options: Any) -> corewise.ProcessExecutor:
        context = multiprocessing.get_context(start_method) if start_method else None
        opened.append(corewise.ProcessExecutor(workers, mp_context=context, **options))
        return opened[-1]

    yield open_one
    for executor in opened:
        executor.shutdown(wait=False, cancel_futures=True)
    # What does not end now was left by a test that failed: it may be asleep or stopped.
    observe.wait_until_gone(set(observe.workers()) - own)
    outlived = set(observe.workers()) - own
    for pid in outlived:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for executor in opened:
        executor.shutdown(wait=True)
    if outlived:
        pytest.fail(f"workers that should have ended had to be killed: {sorted(outlived)}", pytrace=False)


@pytest.fixture
def says(tmp_path: Path) -> Iterator[Signpost]:
    """Give a signpost at which workers say something."""
    signpost = Signpost(tmp_path / "says")
    yield signpost
    signpost.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Signpost]:
    """Give a signpost at which workers wait."""
    signpost = Signpost(tmp_path / "gate")
    yield signpost
    signpost.close()
