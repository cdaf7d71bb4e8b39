"""`retry_on`, `backoff`, `limit` and `rate` mean the same whatever runs the items."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import option_works
import pytest
import server_works
import works
from test_every_approach import WAYS
from test_options import BY_PROCESSES, LIMITED, ONE_AT_A_TIME, run

import corewise
from corewise import errors

if TYPE_CHECKING:
    from pathlib import Path

FAST = [name for name in WAYS if name != "processes-spawn"]


@pytest.fixture(params=FAST)
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


# -- retry_on, backoff -------------------------------------------------------------------------------------------------


def test_what_is_refused_is_run_again_until_it_succeeds(way: str, tmp_path: Path) -> None:
    """As often as need be and no more; everything in its place."""
    count = 30
    times = [2 if number in (0, 3, 29) else 0 for number in range(count)]
    inputs = [str(tmp_path)] * count, range(count), times
    results = run(way, server_works.busy, *inputs, retry_on=server_works.Busy, backoff=0.01)
    assert results == list(range(count))
    assert (results.stats.retries, results.stats.items, results.stats.failures) == (6, count, 0)
    runs = [len((tmp_path / str(number)).read_text("ascii").split()) for number in range(count)]
    assert runs == [1 + each for each in times]


def test_other_failures_are_final(way: str, tmp_path: Path) -> None:
    """A class that is not named is not tried again."""
    with pytest.raises(server_works.Busy) as caught:
        run(way, server_works.busy, [str(tmp_path)] * 3, range(3), [0, 1, 0], retry_on=OSError)
    assert caught.value.__notes__[-1].startswith("item 1: ")
    assert (tmp_path / "1").read_text("ascii") == "x\n"


def test_a_function_may_name_the_seconds(way: str, tmp_path: Path) -> None:
    """Not before those are over, and soon after."""
    begin = time.perf_counter()
    inputs = [str(tmp_path)] * 3, range(3), [0, 2, 0]
    results = run(way, server_works.busy, *inputs, retry_on=lambda error: error.retry_after, backoff=0)
    assert results == [0, 1, 2]
    assert results.stats.retries == 2
    assert time.perf_counter() - begin >= 2 * server_works.RETRY_AFTER_S


def test_what_is_refused_too_often_fails(way: str, tmp_path: Path) -> None:
    """With its last error, and the number of attempts."""
    inputs = [str(tmp_path)] * 4, range(4), [0, 99, 0, 99]
    options = {"retry_on": (OSError, server_works.Busy), "retries": 2, "backoff": 0.01, "on_error": "return"}
    results = run(way, server_works.busy, *inputs, **options)
    assert [failed.index for failed in results.failures] == [1, 3]
    assert results[1].__notes__[-1] == "attempt 3 of 3"
    assert results.stats.retries == 4
    assert results.stats.failures == 2


def test_a_function_that_fails_ends_the_call(way: str, tmp_path: Path) -> None:
    """It is the caller's own mistake, and no item's."""
    with pytest.raises(ZeroDivisionError) as caught:
        run(way, server_works.busy, [str(tmp_path)], [0], [1], retry_on=lambda _: 1 / 0, on_error="return")
    assert caught.value.__notes__ == ["raised by retry_on"]


@pytest.mark.parametrize("way", LIMITED)
def test_a_wait_is_no_part_of_the_time_limit(way: str, tmp_path: Path) -> None:
    """0.2 s are allowed for the item, and it is run again after longer than that."""
    inputs = [str(tmp_path)] * 2, range(2), [1, 0]
    options = {"timeout": 0.2, "retries": 1, "retry_on": lambda _: 0.3, "backoff": 0}
    assert run(way, server_works.busy, *inputs, **options) == [0, 1]


@pytest.mark.parametrize("way", BY_PROCESSES)
def test_the_loss_of_a_worker_may_be_waited_out(way: str, tmp_path: Path) -> None:
    """It is an error like others; those that wait are not lost with it."""
    times = [1 if number in (2, 7) else 0 for number in range(10)]
    inputs = [str(tmp_path)] * 10, range(10), times, ["dies"] * 10
    results = run(way, option_works.flaky, *inputs, retry_on=errors.WorkerDied, backoff=0.05)
    assert results == list(range(10))
    deaths, retries = results.stats.worker_deaths, results.stats.retries
    if way not in ONE_AT_A_TIME:  # any of the items that ran there may have ended it, so all are run again
        assert 1 <= deaths <= 2 <= retries <= len(times)
    else:
        assert (deaths, retries) == (2, 2)


@pytest.mark.parametrize("way", ["threads", "asyncio", "auto"])
def test_a_server_that_is_not_there_is_given_up(way: str) -> None:
    """After the retries, with the error of the last one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionError) as caught:
        run(way, server_works.connect, [port] * 20, retry_on=ConnectionError, retries=2, backoff=0.001)
    assert caught.value.__notes__ == [f"item 0: {port}", "attempt 3 of 3"]


@pytest.mark.parametrize("verb", ["amap", "astream"])
@pytest.mark.parametrize("way", ["asyncio", "threads", "processes-fork", "auto"])
def test_in_a_loop_what_is_refused_waits_without_holding_it_up(verb: str, way: str, tmp_path: Path) -> None:
    """A heart beats on."""
    from awaited import collect, heart

    inputs = [str(tmp_path)] * 8, range(8), [1, 0, 1, 0, 0, 0, 0, 1]

    async def main() -> None:
        async with heart() as beating:
            options = {"retry_on": lambda _: 0.15, "backoff": 0}
            assert await collect(verb, way, server_works.busy, *inputs, **options) == list(range(8))
        assert len(beating.pauses_s) > 20

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["amap", "astream"])
def test_cancelling_ends_a_wait(verb: str) -> None:
    """At once, however long it would have been."""
    from awaited import collect

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await collect(verb, "asyncio", server_works.always_busy, range(3), retry_on=lambda _: 600)

    begin = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - begin < 60


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent there")
@pytest.mark.parametrize("way", FAST)
def test_ctrl_c_ends_a_wait(way: str, tmp_path: Path) -> None:
    """With the caller's one traceback."""
    fn = "later" if way == "asyncio" else "plain"
    program = tmp_path / "program.py"
    program.write_text(
        "import corewise\n"
        "def plain(number):\n"
        "    raise OSError(number)\n"
        "async def later(number):\n"
        "    raise OSError(number)\n"
        "def said(error):\n"
        "    print('waits', flush=True)\n"
        "    return 600\n"
        "if __name__ == '__main__':\n"
        f"    corewise.map({fn}, range(2), retry_on=said, **{WAYS[way]!r})\n"
    )
    running = subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "waits\n"
    running.send_signal(signal.SIGINT)
    _, shown = running.communicate(timeout=60)
    assert shown.rstrip().endswith("KeyboardInterrupt")
    if way != "asyncio":  # which shows what was cancelled as well
        assert shown.count("Traceback") == 1


def test_an_endless_stream_goes_on_while_items_wait() -> None:
    """In bounded memory: items are read only so far ahead."""
    read = itertools.count()

    tried: list[int] = []

    def refuse_once(number: int) -> int:
        if number == 50 and number not in tried:
            tried.append(number)
            raise server_works.Busy
        return number

    options = {"retry_on": lambda _: 0.3, "backoff": 0, "buffer": 200}
    with corewise.stream(refuse_once, read, approach="threads", workers=2, **options) as results:
        for expected, number in zip(range(500), results, strict=False):
            assert number == expected
    assert tried == [50]
    assert next(read) <= 500 + 200 + 1


@pytest.mark.parametrize("buffer", [1, 3])
@pytest.mark.parametrize("approach", ["sync", "threads", "asyncio", "processes"])
def test_a_stream_with_hardly_any_room_waits_too(approach: str, buffer: int, tmp_path: Path) -> None:
    """What waits for its retry is all that there is room for."""
    fn: Any = option_works.flaky_later if approach == "asyncio" else option_works.flaky
    inputs = [str(tmp_path)] * 8, range(8), [0, 2, 0, 0, 1, 1, 0, 1], ["raises"] * 8
    options = {"retries": 2, "backoff": 0.01, "buffer": buffer, "approach": approach}
    assert list(corewise.stream(fn, *inputs, **options)) == list(range(8))


def test_in_an_event_loop_of_ours_other_tasks_go_on_meanwhile() -> None:
    """Such as those that keep a connection alive."""
    beats: list[float] = []
    tasks: list[asyncio.Task[None]] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.005)

    async def refused_once(number: int) -> int:
        if not tasks:
            tasks.append(asyncio.create_task(beat()))
            raise server_works.Busy
        tasks[0].cancel()
        return number

    corewise.map(refused_once, [7], approach="asyncio", retry_on=lambda _: 0.4, backoff=0)
    assert len(beats) >= 10


# -- limit -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("approach", ["sync", "threads", "asyncio", "auto", "processes"])
def test_there_are_never_more_calls_at_once(approach: str, limit: int, tmp_path: Path) -> None:
    """By whatever runs them; counted by the calls themselves."""
    fn: Any = server_works.at_once_later if approach == "asyncio" else server_works.at_once
    results = corewise.map(fn, [str(tmp_path)] * 24, range(24), approach=approach, limit=limit)
    assert max(results) <= limit
    assert results.choice.workers <= limit
    if approach in {"threads", "asyncio"}:
        assert max(results) == limit


def test_automatic_runs_beside_a_long_item_keep_to_it(tmp_path: Path) -> None:
    """The first item waits in the caller while threads are opened: it counts."""
    results = corewise.map(server_works.at_once_long, [str(tmp_path)] * 12, range(12), limit=2)
    assert max(results) <= 2


def test_advice_and_choices_reckon_with_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the predictions are for so many, and what the environment forces keeps to it."""
    advice = corewise.advise(works.wait, [0.01] * 200, limit=3)
    assert max(one.workers for one in advice.estimates) <= 3
    assert corewise.map(works.square_later, range(20), limit=3).choice.workers == 3
    assert corewise.map(works.square, range(20), limit=1).choice.approach == "sync"
    monkeypatch.setenv("COREWISE_APPROACH", "threads")
    assert corewise.map(works.square, range(20), limit=3).choice.workers == 3


def test_a_limit_bounds_and_workers_fix() -> None:
    """Both at once are a contradiction only if the number is above the limit."""
    assert corewise.map(works.square, [2], approach="threads", workers=2, limit=2) == [4]
    with pytest.raises(errors.OptionError, match="workers=3 are more than limit=2 allows"):
        corewise.map(works.square, [2], approach="threads", workers=3, limit=2)


# -- rate --------------------------------------------------------------------------------------------------------------


def test_calls_begin_evenly(way: str) -> None:
    """Not sooner than the rate allows, whatever runs them."""
    rate, count = 100, 30
    begin = time.monotonic()
    results = run(way, server_works.now, range(count), rate=rate)
    took_s = time.monotonic() - begin
    assert took_s >= (count - 2) / rate
    times = sorted(results)
    # A busy machine makes any call late, the first one too, but hardly all of them by the same time.
    assert times[-1] - times[0] >= 0.5 * count / rate
    assert results.stats.items == count


def test_retries_count_as_calls() -> None:
    """Each knocks at the server."""
    times: list[float] = []

    def refuse(number: int) -> int:
        times.append(time.monotonic())
        if len(times) <= 10:
            raise server_works.Busy
        return number

    corewise.map(refuse, range(5), approach="threads", rate=50, retry_on=server_works.Busy, backoff=0)
    assert len(times) == 15
    assert max(times) - min(times) >= 13 / 50


def test_long_calls_overlap_although_they_begin_one_by_one() -> None:
    """A rate is no limit."""
    begin = time.perf_counter()
    results = corewise.map(works.wait, [0.3] * 20, approach="threads", rate=100)
    assert results.stats.items == 20
    assert time.perf_counter() - begin < 20 * 0.3


def test_a_stream_of_unknown_length_ends_without_waiting_for_a_call_that_never_comes() -> None:
    """The end of the input is looked for before the time of the next call."""
    begin = time.perf_counter()
    assert list(corewise.stream(works.square, iter([3]), rate=0.01)) == [9]
    assert time.perf_counter() - begin < 50


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limit": 0}, "limit must be a whole number of at least 1, not 0"),
        ({"rate": 0}, "rate must be a number of calls a second above 0"),
        ({"rate": float("inf")}, "rate must be"),
        ({"rate": 5, "chunksize": 10}, "each item is handed out alone"),
        ({"backoff": 1}, "needs retries, or retry_on"),
        ({"backoff": -1, "retries": 1}, "backoff must be a number of seconds of at least 0"),
        ({"retry_on": 503}, "retry_on must be a class of exceptions"),
        ({"retry_on": KeyboardInterrupt}, "retry_on must be a class of exceptions"),
        ({"retry_on": (ValueError, "busy")}, "retry_on must be a class of exceptions"),
        ({"retry_on": ()}, "retry_on must be a class of exceptions"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    """Before anything runs."""
    with pytest.raises(errors.OptionError, match=words):
        corewise.map(works.square, [1], **options)


# -- a server with little room -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["map", "stream", "amap", "astream"])
@pytest.mark.parametrize("way", ["threads", "asyncio", "auto"])
def test_a_server_with_little_room_is_asked_less(verb: str, way: str) -> None:
    """It has room for eight calls at once and refuses the others: that is found, so most calls are not refused."""
    room = server_works.Room(8)
    fn: Any = room.ask_later if way == "asyncio" else room.ask
    options = {"approach": way, "retry_on": server_works.Busy, "backoff": 0.004, "retries": 100}
    values, retries = server_works.by_verb(verb, fn, range(400), **options)
    assert values == list(range(400))
    # Without that there were 900 with threads and 1,600 or more with the others; with it 60 and 300.
    assert retries <= (300 if way == "threads" else 800)
    assert room.calls == 400 + retries


def test_a_number_that_is_fixed_stays() -> None:
    """Nothing is adapted where `workers` is given."""
    room = server_works.Room(2)
    options = {"approach": "threads", "workers": 4, "retry_on": server_works.Busy, "backoff": 0, "retries": 1000}
    values, retries = server_works.by_verb("map", room.ask, range(60), **options)
    assert values == list(range(60))
    assert retries >= 30
