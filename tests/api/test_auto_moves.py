"""An automatic run moves when the items say so, in mid-run, and starts others while a long item runs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import corewise
from corewise._api.auto import _UNSURE_S, Auto
from corewise._api.early import Early, _AllButOne
from corewise._types.choice import Choice
from corewise._types.measurement import Measurement
from corewise._work.chunk import Chunk
from corewise.errors import OptionError

MS = 20_000  # rounds of `spin` that take about a millisecond
FEW_CORES = corewise.cpu_count() < 2


def spin(rounds: int) -> int:
    """Compute in Python."""
    total = 0
    for number in range(rounds):
        total += number * number
    return total


def noted(folder: str, number: int, rounds: int) -> int:
    """Write down that an item was run, and by whom, and compute."""
    with (Path(folder) / "runs").open("a", encoding="ascii") as file:
        file.write(f"{number} {os.getpid()}-{threading.get_ident()}\n")
    return spin(rounds) + number


def light_until_thousand(number: int) -> int:
    """Compute from the thousandth item on, and return who did."""
    if number >= 1000:
        spin(10 * MS)
    return os.getpid()


def runs_in(folder: Path) -> tuple[Counter[int], set[str]]:
    """Return how often each item was run, and by which threads."""
    lines = [line.split() for line in (folder / "runs").read_text(encoding="ascii").splitlines()]
    return Counter(int(number) for number, _ in lines), {who for _, who in lines}


def meet(folder: str, number: int) -> int:
    """Wait, as item 0, until another item has been begun; as another one, say so."""
    if number:
        (Path(folder) / str(number)).touch()
        return number
    while not any((Path(folder) / str(other)).exists() for other in range(1, 8)):
        time.sleep(0.01)
    return number


def meet_computing(folder: str, number: int) -> int:
    """As `meet`, but computing instead of waiting: item 0 holds the GIL all the time."""
    if number:
        (Path(folder) / str(number)).touch()
        return os.getpid()
    while not any((Path(folder) / str(other)).exists() for other in range(1, 8)):
        spin(20 * MS)
    return os.getpid()


@pytest.mark.skipif(FEW_CORES, reason="there is nothing to choose")
@pytest.mark.parametrize("code", ["unsure", "no-gain"])
def test_what_the_first_items_leave_open_is_asked_of_the_next_few(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """All that are known by then are asked together; where nothing is open, only what comes later is."""
    choose, asked = Auto._choose, list[Measurement]()

    def plainly(auto: Auto, measured: Measurement) -> Choice:
        asked.append(measured)
        return choose(auto, measured).replace(approach="sync", workers=1, code=code)

    monkeypatch.setattr(Auto, "_choose", plainly)
    results = corewise.map(spin, [2 * MS] * 60)
    first, *later = asked
    together = bool(later) and later[0].items > first.items and later[0].first_s == first.first_s
    assert together == (code == "unsure" and first.wall_s < _UNSURE_S)
    assert len(asked) < 20
    assert (list(results), results.choice.approach) == ([spin(2 * MS)] * 60, "sync")


def test_others_run_while_a_first_item_waits(tmp_path: Path) -> None:
    """It would wait for ever otherwise."""
    assert corewise.map(meet, [str(tmp_path)] * 8, range(8)) == list(range(8))


@pytest.mark.parametrize("loads", ["csv, html.parser", "csv, html.parser, http.client, sqlite3, statistics"])
@pytest.mark.parametrize("items", ["range(60)", "(number for number in range(60))"])
def test_what_a_first_item_loads_is_no_computing_of_the_others(items: str, loads: str) -> None:
    """Calls that wait after the first of them has loaded its modules get threads for waiting, not for computing."""
    program = f"""if True:
        import time
        import corewise

        def ask(number):
            import {loads}
            time.sleep(0.03)
            return number

        results = corewise.map(ask, {items})
        assert list(results) == list(range(60))
        print(results.choice.approach, results.choice.workers)
    """
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    approach, workers = told.stdout.split()
    assert approach == "threads"
    assert int(workers) >= 25


@pytest.mark.skipif(FEW_CORES, reason="nobody else could compute")
def test_others_run_while_a_first_item_computes(tmp_path: Path) -> None:
    """In processes that are started beside it: it would compute for ever otherwise."""
    results = corewise.map(meet_computing, [str(tmp_path)] * 8, range(8))
    assert results[0] == os.getpid() not in results[1:]
    assert results.choice.approach == "processes"
    assert results.stats.items == 8


def test_a_first_item_that_fails_ends_what_was_started_beside_it(tmp_path: Path) -> None:
    """And is the failure that is raised."""

    def fails(number: int) -> int:
        meet(str(tmp_path), number)
        if not number:
            raise ValueError("the first")
        time.sleep(0.01)
        return number

    with pytest.raises(ValueError, match="the first") as caught:
        corewise.map(fails, range(8))
    assert caught.value.__notes__ == ["item 0: 0"]


def test_what_cannot_be_opened_beside_an_item_holds_nobody_up() -> None:
    """It counts as not begun, so that the caller decides by itself."""
    processes = Choice(approach="processes", workers=2, asked="auto", code="computes", why="")

    def fails(choice: Choice) -> Any:
        raise OSError("no descriptor left")

    run: Any = object()  # which is not touched before something is open
    early = Early(run, lambda: processes, lambda: None, fails)
    early.begin()
    assert early._thread is not None
    early._thread.join()
    assert not early.is_opening
    early.cancel()


@pytest.mark.skipif(FEW_CORES, reason="there is nothing to move to")
def test_threads_beside_an_item_are_given_no_more_than_they_are_worth() -> None:
    """They are worth less once the caller's item has ended; what is under way then is too much, and no debt."""
    taken: list[Chunk] = []
    approach: Any = SimpleNamespace(room=100, submit=taken.append, chunk_s=None, shares_chunks=False)
    some = _AllButOne(approach, most=3)
    for number in range(3):
        some.submit(Chunk(number, [number], star=False))
    some.most = 1
    assert some.room == 0


@pytest.mark.parametrize(("remaining", "waited_s", "worth"), [(1, 0.006, False), (1, 0.01, True), (199, 0.001, True)])
def test_nothing_begins_beside_a_short_wait_before_few_items(remaining: int, waited_s: float, worth: bool) -> None:  # noqa: FBT001 - a parameter
    """To load what decides takes as long as what remains would."""
    run: Any = SimpleNamespace(source=SimpleNamespace(remaining=remaining))
    early = Early(run, lambda: None, lambda: None, lambda _: None)  # type: ignore[arg-type, return-value]
    assert early.is_worth_it(waited_s) == worth
    early.cancel()
    assert not early.is_worth_it(waited_s)


@pytest.mark.parametrize(("waited_s", "waits", "threads"), [(0.001, False, 1), (0.02, False, 10), (0.001, True, 60)])
def test_a_wait_is_worth_all_threads_once_an_item_did_nothing_else(
    waited_s: float,
    waits: bool,  # noqa: FBT001 - a parameter
    threads: int,
) -> None:
    """Until then items may compute behind it, and a flood of threads would hold the GIL."""
    probe: Any = SimpleNamespace(only_waits=waits, gauge=SimpleNamespace(running_s=lambda: waited_s))
    run: Any = object()
    early = Early(run, lambda: None, lambda: probe, lambda _: None)  # type: ignore[arg-type, return-value]
    assert early._worth(60) == threads
    early.cancel()


@pytest.mark.parametrize(
    ("before", "after", "busy", "moves"),
    [(0.0, 0.1, False, False), (0.0, 0.6, False, True), (0.0, 0.1, True, True), (1.0, 1.0, True, False)],
    ids=["a wait", "a wait, and computing", "others compute", "computing without the GIL"],
)
def test_threads_opened_beside_a_wait_are_left_if_that_mostly_computed(
    before: float,
    after: float,
    busy: bool,  # noqa: FBT001 - a parameter
    moves: bool,  # noqa: FBT001 - a parameter
) -> None:
    """The first item was at its wait when they were chosen, and ended before anybody could see them take turns."""
    opened: Any = SimpleNamespace(workers_started=3)
    chosen = Choice(approach="threads", workers=9, asked="auto", code="waits", why="")
    measured = corewise.advise(spin, [MS] * 3).choice.measurement
    assert measured is not None
    chosen = chosen.replace(measurement=measured.replace(wall_s=1.0, cpu_s=before))
    auto: Any = Auto.__new__(Auto)
    auto._workers = auto._limit = None
    auto._run = SimpleNamespace(source=SimpleNamespace(taken=3), outstanding=SimpleNamespace(items=2))
    auto._early = SimpleNamespace(
        taken_over=lambda: opened, choice=chosen, decided_s=1.0, looks_busy=lambda: busy, cancel=lambda **_: None
    )
    auto._first_item = SimpleNamespace(
        ended=lambda choice, *_: choice.replace(measurement=measured.replace(wall_s=1.0, cpu_s=after))
    )
    assert auto.taken_over() is not None
    assert auto._compute == moves


def test_light_items_first_and_heavy_ones_behind_them(tmp_path: Path) -> None:
    """The heavy ones do not all stay in the caller; each is run once."""
    light, heavy = 2000, 100
    rounds = [1] * light + [10 * MS] * heavy
    results = corewise.map(noted, [str(tmp_path)] * len(rounds), range(len(rounds)), rounds)
    assert results == [spin(one) + number for number, one in enumerate(rounds)]
    runs, by = runs_in(tmp_path)
    assert runs == Counter(range(light + heavy))
    assert len(by) > 1


@pytest.mark.skipif(FEW_CORES, reason="nothing is gained by others on one core")
def test_heavy_items_in_the_chunk_of_light_ones_are_not_all_run_here() -> None:
    """A thousand trivial items are one chunk; those of 10 ms behind them, in the same chunk, are cut off from it."""
    results = corewise.map(light_until_thousand, range(1200))
    assert set(results[:1000]) == {os.getpid()}
    assert len([pid for pid in results[1000:] if pid != os.getpid()]) > 10


def test_heavy_items_first_and_light_ones_behind_them(tmp_path: Path) -> None:
    """Whatever it is run by, each item is run once."""
    rounds = [30 * MS] * 2 + [1] * 500
    results = corewise.map(noted, [str(tmp_path)] * len(rounds), range(len(rounds)), rounds)
    assert results == [spin(one) + number for number, one in enumerate(rounds)]
    assert runs_in(tmp_path)[0] == Counter(range(len(rounds)))


@pytest.mark.parametrize("way", ["_waits_and_computes", "_try_without"])
def test_a_run_whose_last_items_are_under_way_moves_no_more(way: str) -> None:
    """And says what it was run by: that nothing remained to be chosen for is no choice."""
    auto: Any = Auto.__new__(Auto)
    measured = corewise.advise(spin, [MS] * 3).choice.measurement
    auto.choice = choice = Choice(approach="threads", workers=7, asked="auto", code="", why="").replace(
        measurement=measured
    )
    auto._run = SimpleNamespace(remaining=0)
    assert getattr(auto, way)(*(("threads", 0.1) if way == "_try_without" else (None,))) is False
    assert auto.choice is choice


def test_a_prediction_is_made_anew_when_items_have_become_others() -> None:
    """Of three heavy items the first decision made a minute for six hundred."""
    results = corewise.map(spin, [100 * MS] * 3 + [MS // 10] * 600)
    assert results.choice.estimates[0].seconds > 10
    assert results.stats.predicted_s is not None
    assert results.stats.predicted_s < 5


def test_what_turns_out_to_be_over_at_once_is_not_foretold() -> None:
    """Neither as the hours that the first item let expect, nor to the microsecond."""
    results = corewise.map(spin, [100 * MS] + [1] * 90, approaches=("sync", "threads"))
    assert results.stats.predicted_s is None
    assert results.stats.chosen_s == 0


def test_a_first_call_that_fills_a_cache_is_no_reason_to_choose() -> None:
    """What it took would be hours for all of them; the second of so many tells that it will not."""
    cache: list[int] = []

    def cached(number: int) -> int:
        if not cache:
            cache.append(spin(60 * MS))
        return cache[0] + number

    results = corewise.map(cached, range(3000))
    assert results.choice.code == "nothing-left"
    assert results == [cache[0] + number for number in range(3000)]
    assert len(cache) == 1


@pytest.mark.skipif(FEW_CORES, reason="there is nothing to choose")
def test_a_first_call_that_takes_longer_than_the_others_does_not_hide_them() -> None:
    """A quarter of it each is worth a choice, which then goes by two of them at least."""
    results = corewise.map(spin, [25 * MS] + [6 * MS] * 210)
    assert results.choice.code != "nothing-left"
    assert results.choice.measurement is not None
    assert results.choice.measurement.items >= 2


def test_results_that_are_dear_to_send_come_all_the_same() -> None:
    """Also where processes were tried and left again."""

    def much(number: int) -> Any:
        spin(2 * MS)
        return np.full(500_000, number)

    results = corewise.map(much, range(40))
    assert [int(array[0]) for array in results] == list(range(40))


def test_what_happened_stands_beside_what_was_predicted() -> None:
    """For what remained when the choice was made; of waits, which other processes do not slow down."""
    results = corewise.map(time.sleep, [0.02] * 40)
    assert results.choice.approach == "threads"
    assert results.choice.estimates
    assert results.stats.predicted_s == results.choice.estimates[0].seconds
    assert 0 < results.stats.chosen_s < results.stats.wall_s
    assert corewise.map(abs, [1, -2]).stats.predicted_s is None


def pid(rounds: int) -> int:
    """Return where it was run."""
    spin(rounds)
    return os.getpid()


def test_an_approach_that_is_not_allowed_is_not_chosen() -> None:
    """Whatever it would gain."""
    assert set(corewise.map(pid, [5 * MS] * 60, approaches=("sync", "threads"))) == {os.getpid()}
    chosen = corewise.map(time.sleep, [0.005] * 60, approaches=("sync", "processes")).choice
    assert chosen.approach in ("sync", "processes")
    assert corewise.map(pid, [1], approaches=["processes"]).choice.approach == "processes"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"approaches": "threads"}, "must be a list of approaches"),
        ({"approaches": []}, "must be a list of approaches"),
        ({"approaches": ["fibers"]}, "approaches must be one of"),
        ({"approaches": ["threads", "processes"]}, "'sync' must be among"),
        ({"approaches": ["sync", "threads"], "approach": "processes"}, "is not among"),
        ({"approaches": ["sync", "threads"], "timeout": 1}, "'processes' must be among"),
    ],
)
def test_approaches_that_make_no_sense_are_refused(asked: dict[str, Any], message: str) -> None:
    """Before anything is run."""
    with pytest.raises(OptionError, match=message):
        corewise.map(pytest.fail, [1], **asked)


@pytest.mark.skipif(FEW_CORES, reason="there is nothing to move to")
def test_a_prediction_is_made_anew_where_threads_compute() -> None:
    """As their items tell how long those to come take, just as those of processes do."""
    block = bytes(1 << 20)

    def checks(rounds: int) -> int:
        return sum(zlib.crc32(block) for _ in range(rounds))

    for _ in range(5):
        results = corewise.map(checks, [100] * 3 + [1] * 4000, approaches=("sync", "threads"))
        if results.choice.code != "proved-slower":  # beside others that keep the cores busy
            break
    assert results.choice.approach == "threads"
    assert results.stats.predicted_s is None or results.stats.predicted_s < results.choice.estimates[0].seconds / 5
