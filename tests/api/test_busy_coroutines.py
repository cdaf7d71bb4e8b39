"""An automatic map of coroutines leaves one event loop for processes with a loop each, or has a reason not to."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import corewise

ITEMS = 300


def burn(seconds: float) -> None:
    """Compute so long, by the clock of this thread: a busy machine makes it no shorter."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def wait_and_compute(number: int) -> tuple[int, int]:
    """Wait, and compute half as long: so there is no doubt that several at once suit a process."""
    await asyncio.sleep(0.006)
    burn(0.003)
    return number, os.getpid()


async def wait_and_log(path: str, number: int) -> int:
    """Do the same and leave a line; fail now and then."""
    await asyncio.sleep(0.002)
    burn(0.003)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"%d\n" % number)
    os.close(fd)
    if number % 100 == 99:
        raise ValueError(number)
    return number


class Client:
    """Stands for one with open connections."""

    async def get(self, number: int) -> tuple[int, int]:
        """Stand for a request."""
        return await wait_and_compute(number)


client = Client()


async def by_client(number: int) -> tuple[int, int]:
    """Use a client of this process."""
    return await client.get(number)


async def only_wait(number: int) -> int:
    """Compute nothing."""
    await asyncio.sleep(0.005)
    return number


needs_two_cores = pytest.mark.skipif(corewise.cpu_count() < 2, reason="one core")


@needs_two_cores
def test_a_busy_loop_is_helped_by_processes() -> None:
    """The first calls are run in the caller, the others not; each once, in order; and the choice says why."""
    results = corewise.map(wait_and_compute, range(ITEMS))
    assert [number for number, _ in results] == list(range(ITEMS))
    by_process = Counter(pid for _, pid in results)
    assert 0 < by_process.pop(os.getpid()) < ITEMS
    choice = results.choice
    assert (choice.approach, choice.asked) == ("processes", "auto")
    assert choice.workers == len(by_process) == results.stats.workers
    assert choice.per_worker > 1
    assert f"with {choice.per_worker} calls at once each" in str(choice)
    assert results.stats.items == ITEMS


@needs_two_cores
def test_nothing_is_run_twice_and_failures_stay_in_their_places(tmp_path: Path) -> None:
    """Also of what was begun in the loop when it was left."""
    path = str(tmp_path / "log")
    results = corewise.map(wait_and_log, [path] * ITEMS, range(ITEMS), on_error="return")
    lines = Path(path).read_text(encoding="ascii").split()
    assert Counter(map(int, lines)) == Counter(range(ITEMS))
    assert [one.index for one in results.failures] == list(range(99, ITEMS, 100))
    assert [one for one in results if isinstance(one, int)] == [n for n in range(ITEMS) if n % 100 != 99]
    assert results.choice.approach == "processes"


async def wake_together_and_log(path: str) -> None:
    """Wait as long as all others do, compute, and leave a line that says where."""
    await asyncio.sleep(0.05)
    burn(0.005)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"%d\n" % os.getpid())
    os.close(fd)


@needs_two_cores
def test_processes_help_before_a_long_turn_of_the_loop_is_over(tmp_path: Path) -> None:
    """A hundred calls that wake up together are one turn: it is not waited for."""
    path = str(tmp_path / "log")
    corewise.map(wake_together_and_log, [path] * ITEMS)
    pids = [int(line) for line in Path(path).read_text(encoding="ascii").split()]
    last_of_loop = len(pids) - 1 - pids[::-1].index(os.getpid())
    assert set(pids[:last_of_loop]) > {os.getpid()}


async def only_compute(number: int) -> tuple[int, int]:
    """Wait for nothing."""
    burn(0.005)
    return number, os.getpid()


@needs_two_cores
def test_coroutines_that_never_wait_are_shared_out_though_the_loop_has_them_all() -> None:
    """They are fewer than a loop takes at once, and would be one turn of it."""
    results = corewise.map(only_compute, range(80))
    assert [number for number, _ in results] == list(range(80))
    assert 0 < sum(pid == os.getpid() for _, pid in results) < 80
    assert results.choice.approach == "processes"


def refuse_elsewhere(pid: int) -> None:
    """Fail in every process but one."""
    if os.getpid() != pid:
        raise LookupError("not here")


@needs_two_cores
def test_what_goes_wrong_in_the_middle_of_a_turn_is_raised() -> None:
    """It is the caller who hears of it, and no task of the loop."""
    with pytest.raises(LookupError, match="not here"):
        corewise.map(wake_together_and_log, [os.devnull] * ITEMS, initializer=refuse_elsewhere, initargs=(os.getpid(),))


@pytest.mark.parametrize(
    ("fn", "options"),
    [
        (only_wait, {}),
        (by_client, {}),
        (wait_and_compute, {"workers": 20}),
        (wait_and_compute, {"timeout": 30}),
        (wait_and_compute, {"approaches": ("sync", "asyncio")}),
        (wait_and_compute, {"approach": "asyncio"}),
    ],
)
def test_one_loop_is_kept_where_something_speaks_for_it(fn: Any, options: dict[str, Any]) -> None:
    """It is not busy; what it uses belongs to it; or that was asked for."""
    results = corewise.map(fn, range(60), **options)
    assert [one if isinstance(one, int) else one[0] for one in results] == list(range(60))
    assert results.choice.approach == "asyncio"
    if fn is not only_wait:
        assert {pid for _, pid in results} == {os.getpid()}
