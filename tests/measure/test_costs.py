"""Costs of this machine: what is learnt from runs and from trials, and how it is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from corewise._measure import costs_file, known_costs
from corewise._measure.costs import MEASURED, Observed, Trials, calibrated, guessed, learn
from corewise._measure.known_costs import costs_of, learn_from

if TYPE_CHECKING:
    from pathlib import Path

    from corewise._types.measurement import Costs


def some(**changes: float) -> Costs:
    """Return costs, some of them given."""
    return guessed(4, has_gil=True, start_method="fork").replace(**changes)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have costs kept in a folder of the test's own; give the file."""
    monkeypatch.setenv("COREWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/costs.json"


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing known yet."""
    monkeypatch.setattr(known_costs, "_known", {})
    monkeypatch.setattr(known_costs, "_stored", {})


def test_fork_is_guessed_to_be_the_cheapest() -> None:
    """And a guess says that it is one."""
    start_s = {
        how: guessed(2, has_gil=True, start_method=how).worker_start_s for how in ("fork", "forkserver", "spawn")
    }
    assert start_s["fork"] < start_s["forkserver"] < start_s["spawn"]
    assert not some().measured


def test_runs_move_a_cost_to_where_it_belongs() -> None:
    """By little each time, all the way in the end, and both parts of a start alike."""
    costs = some(worker_start_s=0.002, worker_more_s=0.001)
    once = learn(costs, Observed(workers=3, startup_s=0.008))
    assert 0.002 < once.worker_start_s < 0.004
    for _ in range(30):
        costs = learn(costs, Observed(workers=3, startup_s=0.008))
    assert costs.worker_start_s == pytest.approx(0.004, rel=0.01)
    assert costs.worker_more_s == pytest.approx(0.002, rel=0.01)
    assert costs.measured


def test_one_strange_run_moves_it_by_little() -> None:
    """A minute in which the machine was stopped is nothing to learn from."""
    assert learn(some(), Observed(workers=2, startup_s=60.0)).worker_start_s < 2 * some().worker_start_s


def test_chunks_tell_what_the_caller_spends_on_them() -> None:
    """Their number, their items and their bytes together; the start is left alone."""
    costs = some(chunk_s=1e-4, process_item_s=1e-6, byte_s=1e-9)
    run = Observed(chunks=100, chunk_items=10_000, chunk_bytes=10_000_000, parent_s=0.015)
    learnt = learn(costs, run)
    assert learnt.chunk_s / costs.chunk_s == pytest.approx(0.5**0.3)
    assert learnt.byte_s / costs.byte_s == pytest.approx(0.5**0.3)
    assert learnt.worker_start_s == costs.worker_start_s


def test_a_run_without_workers_teaches_nothing() -> None:
    """The very same costs come back."""
    costs = some()
    assert learn(costs, Observed()) is costs


def test_trials_are_taken_apart_into_costs() -> None:
    """From sums that are made of known parts come those parts."""
    trials = Trials(
        start=lambda workers: 0.003 + 0.001 * (workers - 1),
        send=lambda chunks, items, size: chunks * (30e-6 + items * (2e-6 + size * 1e-9) - 2e-6),
        threads=lambda number: number * 50e-6,
        thread_items=lambda items: items * 0.2e-6,
        coroutines=lambda number: number * 12e-6,
    )
    costs = calibrated(some(), trials, time.perf_counter)
    assert costs.worker_start_s == pytest.approx(0.003)
    assert costs.worker_more_s == pytest.approx(0.001)
    assert costs.chunk_s == pytest.approx(30e-6)
    assert costs.process_item_s == pytest.approx(2e-6)
    assert costs.byte_s == pytest.approx(1e-9, rel=0.01)
    assert costs.thread_start_s == pytest.approx(50e-6)
    assert costs.thread_item_s == pytest.approx(0.2e-6)
    assert costs.coroutine_s == pytest.approx(12e-6)
    assert costs.measured


def test_calibration_ends_with_its_budget() -> None:
    """What could not be tried stays a guess, and nothing is begun behind the end."""
    now = [0.0]

    def threads(_: int) -> float:
        now[0] += 1.0
        return 8e-3

    def start(_: int) -> float:
        raise AssertionError("begun behind the end")

    costs = calibrated(some(), Trials(threads=threads, start=start), lambda: now[0], budget_s=0.3)
    assert costs.thread_start_s == pytest.approx(1e-3)
    assert costs.worker_start_s == some().worker_start_s
    assert now == [1.0]


def test_what_was_stored_is_found_again(cache: Path) -> None:
    """For the same interpreter and start method only; and the file is JSON."""
    costs = some(worker_start_s=0.0123, byte_s=1.5e-10)
    costs_file.store(costs, "fork")
    costs_file.store(some(worker_start_s=0.5), "spawn")
    found = costs_file.load(some(), "fork")
    assert found == costs.replace(measured=True)
    assert costs_file.load(some(), "spawn").worker_start_s == 0.5
    assert costs_file.load(some(), "forkserver") == some()
    assert costs_file.load(some().replace(cores=3), "fork").worker_start_s == some().worker_start_s
    assert costs_file.load(some().replace(has_gil=False), "fork").worker_start_s == some().worker_start_s
    document = json.loads(cache.read_text("utf-8"))
    assert document["figures"] == list(MEASURED)
    assert len(document) == 3


def test_the_latest_figures_replace_the_older(cache: Path) -> None:
    """One line for each kind of interpreter, however often it is stored, and a limit for their number."""
    for cores in range(1, 60):
        for start_s in (0.1, 0.2):
            costs_file.store(some(worker_start_s=start_s).replace(cores=cores), "fork")
    assert costs_file.load(some().replace(cores=59), "fork").worker_start_s == 0.2
    assert costs_file.load(some().replace(cores=1), "fork") == some().replace(cores=1)
    assert cache.stat().st_size < 8192
    assert [file.name for file in cache.parent.iterdir()] == ["costs.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:0],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("[0.0123", "[nan"),
        lambda text: text.replace("[0.0123", "[-1.0"),
        lambda text: text.replace("[0.0123", "[1e9"),
        lambda text: text.replace("[0.0123", "[0.1, 0.0123"),
        lambda text: text.replace("byte_s", "kilobyte_s"),
        lambda text: "\x00\xff" * len(text) * 100,
        lambda text: text[:12] + "5}\n",
    ],
)
def test_a_file_that_makes_no_sense_is_no_error(cache: Path, damage: object) -> None:
    """Guesses hold then, and the next to store makes it whole."""
    costs_file.store(some(worker_start_s=0.0123), "fork")
    assert callable(damage)
    damaged = damage(cache.read_text("utf-8"))
    assert damaged != cache.read_text("utf-8")
    cache.write_text(damaged, "latin-1")
    assert costs_file.load(some(), "fork") == some()
    costs_file.store(some(worker_start_s=0.0123), "fork")
    assert costs_file.load(some(), "fork").worker_start_s == 0.0123


def test_a_program_that_was_killed_while_it_wrote_is_no_hindrance(cache: Path) -> None:
    """What it has left is taken for another program that writes, and removed when that takes too long."""
    costs_file.store(some(worker_start_s=0.0123), "fork")
    left = cache.with_name("costs.json.new")
    left.write_text("{")
    costs_file.store(some(worker_start_s=0.5), "fork")
    assert costs_file.load(some(), "fork").worker_start_s == 0.0123
    os.utime(left, (1.0, 1.0))
    for _ in range(2):
        costs_file.store(some(worker_start_s=0.5), "fork")
    assert costs_file.load(some(), "fork").worker_start_s == 0.5
    assert [file.name for file in cache.parent.iterdir()] == ["costs.json"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_a_pipe_in_its_place_holds_nobody_up(cache: Path) -> None:
    """Nobody writes to it, and to open it would wait for ever."""
    cache.parent.mkdir()
    os.mkfifo(cache)
    assert costs_file.load(some(), "fork") == some()
    costs_file.store(some(worker_start_s=0.0123), "fork")
    assert costs_file.load(some(), "fork").worker_start_s == 0.0123


def test_programs_that_store_at_the_same_time_leave_a_whole_file(cache: Path) -> None:
    """Whoever comes second may store nothing; what is read meanwhile is all of one or all of another."""
    program = (
        "import sys\n"
        "from corewise._measure import costs_file\n"
        "from corewise._measure.costs import guessed\n"
        "costs = guessed(4, has_gil=True, start_method='fork').replace(worker_start_s=float(sys.argv[1]))\n"
        "for _ in range(300): costs_file.store(costs, 'fork')\n"
    )
    costs_file.store(some(worker_start_s=1.0), "fork")
    programs = [subprocess.Popen([sys.executable, "-c", program, text]) for text in ("2.0", "3.0")]
    seen = set()
    while any(one.poll() is None for one in programs):
        seen.add(costs_file.load(some(), "fork").worker_start_s)
    assert [one.returncode for one in programs] == [0, 0]
    assert seen <= {1.0, 2.0, 3.0}
    assert costs_file.load(some(), "fork").worker_start_s in {2.0, 3.0}
    assert [file.name for file in cache.parent.iterdir()] == ["costs.json"]


def test_the_first_call_of_all_goes_by_guesses_and_writes_nothing(cache: Path, forgotten: None) -> None:
    """It is asked for in memory from then on."""
    costs = costs_of(4, has_gil=True, start_method="fork")
    assert costs == some()
    assert not cache.parent.exists()
    costs_file.store(some(worker_start_s=0.5), "fork")
    assert costs_of(4, has_gil=True, start_method="fork") is costs


def test_runs_correct_what_the_next_program_finds(
    cache: Path, forgotten: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written at the first, and again when it has moved by a tenth."""
    run = Observed(workers=1, startup_s=0.004)
    first = learn_from(run, some(), "fork")
    assert first.worker_start_s > some().worker_start_s
    assert costs_file.load(some(), "fork") == first
    written = cache.stat().st_mtime_ns
    for _ in range(20):
        last = learn_from(run, some(), "fork")
    assert cache.stat().st_mtime_ns > written
    assert costs_of(4, has_gil=True, start_method="fork") is last
    assert costs_file.load(some(), "fork").worker_start_s == pytest.approx(last.worker_start_s, rel=0.1)
    monkeypatch.setattr(costs_file, "store", lambda *_: pytest.fail("written for nothing"))
    learn_from(run, last, "fork")


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("COREWISE_CACHE", str(tmp_path / "cache"))
    costs_file.store(some(), "fork")
    assert costs_file.load(some(), "fork") == some()


def test_it_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("COREWISE_CACHE", "off")
    costs_file.store(some(worker_start_s=0.0123), "fork")
    assert costs_file.load(some(), "fork") == some()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere another variable says where")
def test_it_is_kept_where_the_user_keeps_such_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that XDG_CACHE_HOME names, unless it is a relative one, or else ~/.cache."""
    monkeypatch.delenv("COREWISE_CACHE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    costs_file.store(some(), "fork")
    assert (tmp_path / "xdg/corewise/costs.json").is_file()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    costs_file.store(some(), "fork")
    assert (tmp_path / "home/.cache/corewise/costs.json").is_file()
