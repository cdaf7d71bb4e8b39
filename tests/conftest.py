"""Limits and checks that hold for every test.

- A test that takes longer than its limit fails, and every stack is shown: those of this process's threads, and those
  of every worker, which is ended by SIGABRT so that `faulthandler` prints them.
- A test of the contract must leave nothing behind: no process, no descriptor, no named shared memory.
"""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import observe
from corewise._measure import recalled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

TESTS = Path(__file__).parent
OF_THE_CONTRACT = (TESTS / "conformance", TESTS / "contract", TESTS / "engine")

# A stuck test may swallow the exception that ends it, so it is raised again after this time (a guess).
INSIST_AFTER_S = 5.0

TRUE_STDERR = pytest.StashKey[int]()

# Beside busy neighbours one example may take any time; what is really too slow meets the limit of its test.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


def pytest_configure(config: pytest.Config) -> None:
    """Let workers print their stacks when they are aborted, without a core file each; and let Ctrl-C be heard."""
    os.environ["PYTHONFAULTHANDLER"] = "1"
    os.environ.setdefault("COREWISE_CACHE", "off")  # tests neither learn from a busy machine nor teach it to others
    config.stash[TRUE_STDERR] = os.dup(2)  # before output is captured
    # What a shell starts in the background ignores Ctrl-C, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        import resource

        _, hard_limit = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard_limit))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give back what `pytest_configure` took."""
    os.close(config.stash[TRUE_STDERR])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test` runs on every Python it finds."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in OF_THE_CONTRACT):
            item.add_marker(pytest.mark.contract)
        elif item.path.is_relative_to(TESTS / "faults"):
            item.add_marker(pytest.mark.faults)


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what is there for good: some hundred thousand objects of tests.

    Each collection would look at all of them, in every forked worker too, where to be looked at is to be copied.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Generator[None, object, object]:
    """Make the limit of a test show the stacks of all threads and workers, and insist."""
    outcome = yield
    fail_test = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    if callable(fail_test):

        def show_stacks_and_fail(number: int, frame: FrameType | None) -> None:
            __tracebackhide__ = True
            if observe.AVAILABLE:
                observe.abort(observe.workers())
            fail_test(number, frame)

        signal.signal(signal.SIGALRM, show_stacks_and_fail)
        # In C, so that it speaks even while the main thread holds the GIL in foreign code.
        faulthandler.register(signal.SIGALRM, file=item.config.stash[TRUE_STDERR], all_threads=True, chain=True)
        limit_s, _ = signal.getitimer(signal.ITIMER_REAL)
        signal.setitimer(signal.ITIMER_REAL, limit_s, INSIST_AFTER_S)
    return outcome


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer() -> None:
    """Give SIGALRM back in the order it was taken."""
    if hasattr(signal, "SIGALRM"):
        faulthandler.unregister(signal.SIGALRM)


@pytest.fixture(scope="session")
def process_wide_helpers() -> None:
    """Start what is started once and kept until the process ends, lest its first user seem to leave it behind.

    - The fork server and the resource tracker of the standard library: two processes and two pipes.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        process = multiprocessing.get_context("forkserver").Process(target=os.getpid)
        process.start()
        process.join()
        process.close()


@pytest.fixture(autouse=True)
def nothing_recalled() -> None:
    """Have no call depend on what an earlier test has told of its function."""
    recalled.forget()


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test of the contract that leaves a process, a descriptor or named shared memory behind."""
    if not observe.AVAILABLE or request.node.get_closest_marker("contract") is None:
        yield
        return
    request.getfixturevalue("process_wide_helpers")
    before = observe.holdings()
    yield
    if left := observe.left_since(before):
        observe.abort(observe.workers().keys() - before.processes.keys())
        pytest.fail("\n".join(left), pytrace=False)
