"""The gauge over real items: what it counts, whom it disturbs, what it leaves behind."""

from __future__ import annotations

import _thread
import hashlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corewise._engine.method import pick_start_method
from corewise._machine.native_threads import why_not_fork
from corewise._measure.clocks import ThreadClocks
from corewise._measure.gauge import LONG_WAIT_S, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corewise._types.measurement import Measurement

HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")


@pytest.fixture
def gauge() -> Iterator[Gauge]:
    """Give a gauge, and close it."""
    one = Gauge()
    yield one
    one.close()


def how_many(kind: str) -> int:
    """Return how many descriptors (``"fd"``) or threads (``"task"``) this process has."""
    return len(list(Path("/proc/self", kind).iterdir()))


def compute(seconds: float) -> None:
    """Compute in Python for so many CPU seconds."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def run(gauge: Gauge, fn: Callable[[Any], Any], *chunks: list[Any]) -> Measurement:
    """Run chunks and return what was measured."""
    for chunk in chunks:
        gauge.end(len(list(map(fn, gauge.begin(chunk)))))
    return gauge.measurement(remaining=7)


def test_items_and_seconds_are_counted(gauge: Gauge) -> None:
    """Only while a chunk runs: what lies between two does not count."""
    gauge.end(len(list(map(time.sleep, gauge.begin([0.02])))))
    time.sleep(0.2)
    measured = run(gauge, time.sleep, [0.004, 0.004, 0.012])
    assert (measured.items, measured.remaining) == (4, 7)
    assert measured.first_s == pytest.approx(0.02, abs=0.018)
    assert 0.04 <= measured.wall_s < 0.2
    assert measured.longest_s >= 0.012
    assert measured.deviation_s > 0.001
    assert measured.cpu_share < 0.5


def test_items_of_a_chunk_come_as_they_are(gauge: Gauge) -> None:
    """Whichever way they are timed: alone, the first apart, one by one, all together."""
    for chunk in ([5], [1, 2, 3], list(range(100)), list(range(5000)), [0]):
        assert list(gauge.begin(chunk)) == chunk
        gauge.end(len(chunk))
    for chunk in ([0.0001], [0.0001] * 3):
        list(map(time.sleep, gauge.begin(chunk)))
        gauge.end(len(chunk))
    assert gauge.measurement(None).items == 5109


def test_an_item_that_raises_is_counted(gauge: Gauge) -> None:
    """The time up to then was spent; `end` is all that has to be called."""
    run(gauge, time.sleep, [0.001])
    pending = gauge.begin([0.0, 0.01, "no number", 0.0])
    with pytest.raises(TypeError):
        list(map(time.sleep, pending))
    gauge.end(3)
    measured = gauge.measurement(1)
    assert measured.items == 4
    assert measured.longest_s >= 0.009


def test_an_end_without_a_beginning_changes_nothing(gauge: Gauge) -> None:
    """So it may stand in a `finally`."""
    gauge.end(3)
    assert gauge.measurement(None).items == 0


@ONLY_LINUX
def test_nothing_stands_in_the_way_of_a_fork_afterwards(gauge: Gauge) -> None:
    """Workers can be forked at once, as what the gauge has started ends before a fork; and no descriptor is left."""
    if why_not_fork() is not None:
        pytest.skip("this process has other threads")
    before = how_many("fd")
    for seconds in (0.0, 0.0015) * 25:
        gauge.end(len(list(map(compute, gauge.begin([seconds])))))
        gauge.measurement(None)
        assert pick_start_method("auto") == "fork"
        assert why_not_fork() is None
    gauge.close()
    assert how_many("fd") == before


@ONLY_LINUX
def test_a_function_may_fork_while_it_is_watched(gauge: Gauge) -> None:
    """The ticker has gone by then: Python 3.12 and later would warn, and tests take warnings for errors."""

    def forks(_: int) -> int:
        compute(0.01)
        threads = how_many("task")
        pid = os.fork()
        if pid == 0:
            os._exit(how_many("task"))
        assert threads > 1
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    if why_not_fork() is not None:
        pytest.skip("this process has other threads")
    assert list(map(forks, gauge.begin([1]))) == [1]
    gauge.end(1)
    assert gauge.measurement(None).held_s is not None


def test_nobody_meets_the_ticker(gauge: Gauge) -> None:
    """It is no thread of the `threading` module."""
    before = threading.active_count()

    def count(_: int) -> int:
        compute(0.02)
        return threading.active_count()

    assert list(map(count, gauge.begin([1, 2]))) == [before, before]
    gauge.end(2)


@ONLY_LINUX
def test_it_ends_by_itself_when_no_item_runs(gauge: Gauge) -> None:
    """A consumer that takes its time with a result is not disturbed by it."""
    gauge.end(len(list(map(compute, gauge.begin([0.01])))))
    end = time.monotonic() + 5
    while _thread._count() > threading.active_count() - 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert _thread._count() == threading.active_count() - 1
    gauge.end(len(list(map(compute, gauge.begin([0.02])))))
    assert gauge.measurement(None).held_share == pytest.approx(1.0 if HAS_GIL else 0.0, abs=0.5)


def test_it_can_be_asked_while_an_item_runs() -> None:
    """The decision need not wait for the end of a first item that lasts long."""
    seen: list[tuple[Measurement, float]] = []
    gauge = Gauge(when_long=lambda: seen.append((gauge.so_far(9), gauge.running_s())), long_s=0.05)
    list(map(compute, gauge.begin([0.5])))
    gauge.end(1)
    gauge.close()
    ((measured, running_s),) = seen
    assert (measured.items, measured.remaining) == (1, 9)
    assert 0.05 <= measured.wall_s <= running_s < 5.0
    assert measured.cpu_share > 0.5
    if HAS_GIL:
        assert measured.held_share == pytest.approx(1.0, abs=0.3)
    assert gauge.running_s() == 0.0


def test_whoever_is_told_of_a_long_item_may_ask_to_be_told_again() -> None:
    """As what remains may not be worth anything yet."""
    seen: list[float] = []

    def tell() -> bool:
        seen.append(gauge.running_s())
        return len(seen) > 1

    gauge = Gauge(when_long=tell)
    run(gauge, time.sleep, [0.3])
    gauge.close()
    assert len(seen) == 2
    assert seen[0] < seen[1]


@pytest.mark.skipif(not HAS_GIL, reason="nobody holds it")
@pytest.mark.parametrize("again", [False, True])
def test_to_be_told_of_a_long_item_blinds_nobody(*, again: bool) -> None:
    """However often: who has the GIL is looked at all the same. What is told at once lets go of it for nothing."""
    data = bytes(1 << 24)

    def hashes(times: int) -> None:
        for _ in range(times):
            hashlib.sha256(data).digest()

    gauge = Gauge(when_long=lambda: not again)
    measured = run(gauge, hashes, [30])
    gauge.close()
    assert measured.held_share == pytest.approx(0.0, abs=0.2)
    seen_s, _ = gauge.seen
    assert seen_s > 0.5 * measured.cpu_s


def test_an_item_that_waits_is_seen_to_wait_while_it_does() -> None:
    """And short items before it do not hide it."""
    seen: list[Measurement] = []

    def tell() -> bool:
        seen.append(gauge.so_far(None))
        return gauge.running_s() > 0.1  # on a busy machine short items may last for a while

    gauge = Gauge(when_long=tell, long_s=1.0)
    measured = run(gauge, time.sleep, [0.0], [0.0, 0.3])
    gauge.close()
    assert (seen[-1].items, measured.items) == (3, 3)
    assert seen[-1].cpu_share < 0.5
    assert LONG_WAIT_S < seen[-1].longest_s < measured.longest_s


@pytest.mark.skipif(not HAS_GIL, reason="nobody holds it")
@ONLY_LINUX
def test_waits_do_not_make_computing_look_free(gauge: Gauge) -> None:
    """Most looks find the GIL free, as most of the time nothing is computed; what is computed holds it."""

    def wait_and_compute(_: int) -> None:
        time.sleep(0.008)
        compute(0.002)

    measured = run(gauge, wait_and_compute, *([number] for number in range(20)))
    assert 0.1 < measured.cpu_share < 0.5
    assert measured.held_share is None or measured.held_share > 0.6


@pytest.mark.skipif(not HAS_GIL, reason="nobody holds it")
@ONLY_LINUX
def test_items_that_come_in_time_with_the_looks_are_met_at_work(gauge: Gauge) -> None:
    """What lasts long is looked at every 20 ms; items of just 10 ms were met while they waited, each time."""

    def wait_and_compute(_: int) -> None:
        begin = time.perf_counter()
        time.sleep(0.008)
        while time.perf_counter() - begin < 0.01:
            pass

    measured = run(gauge, wait_and_compute, *([number] for number in range(60)))
    assert measured.held_share is not None
    assert measured.held_share > 0.6


def test_it_follows_to_another_thread(gauge: Gauge) -> None:
    """A stream may be read by one thread first and by another one then; both are measured."""
    run(gauge, compute, [0.01])
    other = threading.Thread(target=lambda: gauge.end(len(list(map(compute, gauge.begin([0.02]))))))
    other.start()
    other.join()
    measured = gauge.measurement(0)
    assert measured.items == 2
    assert measured.cpu_s == pytest.approx(0.03, abs=0.01)


def test_a_function_may_change_the_switch_interval(gauge: Gauge) -> None:
    """How long one waits for the GIL changes with it; that one has to wait does not."""

    def changes(seconds: float) -> None:
        sys.setswitchinterval(1e-4)
        compute(seconds)

    before = sys.getswitchinterval()
    try:
        measured = run(gauge, changes, [0.03], [0.03])
    finally:
        sys.setswitchinterval(before)
    assert measured.cpu_share > 0.5
    if HAS_GIL:
        held = measured.held_share
        assert held is not None
        assert held > 0.5


def test_threads_of_the_function_are_not_its_own_cpu_time(gauge: Gauge) -> None:
    """What they compute counts as that of hidden threads, and the item as waiting for it."""

    def starts_one(seconds: float) -> None:
        helper = threading.Thread(target=compute, args=(seconds,))
        helper.start()
        helper.join()

    measured = run(gauge, starts_one, [0.05])
    assert measured.cpu_share < 0.5
    assert measured.native_cpu_s == pytest.approx(0.05, abs=0.02)
    own_s = measured.wall_s - measured.queued_s
    assert measured.native_cores == pytest.approx(measured.native_cpu_s / own_s)


def test_the_ticker_is_no_hidden_thread(gauge: Gauge) -> None:
    """Its own CPU time is taken off."""
    measured = run(gauge, compute, [0.1])
    assert measured.native_cpu_s < 0.01


@pytest.mark.skipif(not HAS_GIL, reason="there is none")
def test_short_items_say_nothing_about_the_gil(gauge: Gauge) -> None:
    """Below a millisecond nothing was looked at, and nothing is said."""
    assert run(gauge, abs, [1], [2, 3]).held_s is None


def test_without_a_gil_none_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build without one says so by itself."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    gauge = Gauge()
    measured = run(gauge, compute, [0.02])
    gauge.close()
    assert (measured.held_s, measured.held_share) == (0.0, 0.0)


def test_where_no_thread_can_be_started_all_else_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the GIL is not looked at."""

    def refuses(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    name = "start_joinable_thread" if sys.version_info >= (3, 13) else "start_new_thread"
    monkeypatch.setattr(_thread, name, refuses)
    gauge = Gauge()
    measured = run(gauge, compute, [0.005], [0.03])
    gauge.close()
    assert measured.cpu_share > 0.5
    assert measured.held_s is None or not HAS_GIL


def test_where_the_system_tells_little_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock of other threads, no place in line, no count of switches: as on systems that are not Linux."""
    from corewise._measure import clocks, ticker

    def has_none(_: int) -> int:
        raise OSError

    monkeypatch.setattr(time, "pthread_getcpuclockid", has_none, raising=False)
    monkeypatch.setattr(clocks, "get_native_id", lambda: 0)
    monkeypatch.setattr(ticker, "_loaded", True)
    monkeypatch.setattr(ticker, "_usage", None)
    gauge = Gauge()
    measured = run(gauge, compute, [0.05], [0.05])
    gauge.close()
    assert measured.queued_s == 0.0
    assert measured.cpu_s == pytest.approx(0.1, abs=0.03)
    if HAS_GIL:
        assert measured.held_share is not None
        assert measured.held_share > 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is opened elsewhere")
def test_a_look_that_comes_after_the_end_leaves_nothing_open() -> None:
    """The ticker may be about to look when the items are over."""
    clocks = ThreadClocks()
    before = len(list(Path("/proc/self/fd").iterdir()))
    clocks.close()
    clocks.look_at_line()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@ONLY_LINUX
@pytest.mark.parametrize("waits", [True, False], ids=["waits", "computes"])
def test_who_waits_for_the_gil_does_not_sleep(gauge: Gauge, *, waits: bool) -> None:
    """While another thread asks, an item that computes waits for the GIL; one that waits, for something else."""
    says = threading.Event()
    told: list[bool] = []

    def run_item(_: int) -> None:
        says.set()
        end = time.monotonic() + 10
        while not told and time.monotonic() < end:
            if waits:
                time.sleep(0.2)

    def ask() -> None:
        says.wait()
        time.sleep(0.01)
        told.append(gauge.sleeps())

    asking = threading.Thread(target=ask)
    asking.start()
    run(gauge, run_item, [0])
    asking.join()
    assert told == [waits]
