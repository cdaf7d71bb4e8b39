"""Comparisons of real functions: what is measured holds together, whatever else the machine does meanwhile."""

from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING, Any

import compared
import numpy as np
import pytest

import corewise
from corewise._report import document as documents

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = ["sync", "threads", "asyncio", "processes"]


def check(comparison: corewise.Comparison) -> None:
    """Check what holds for every comparison: a valid document with figures that fit each other."""
    assert documents.check(json.loads(comparison.to_json())) == comparison.document
    case = compared.case(comparison)
    for row in case["rows"]:
        if row["status"] != "ok":
            assert row["problem"]
            continue
        assert row["problem"] is None
        assert len(row["wall_s"]) == case["rounds"]
        assert 0 < row["wall_low_s"] <= row["wall_median_s"] <= row["wall_high_s"]
        assert (row["startup_s"] is not None) == (row["approach"] == "processes")
        assert row["startup_s"] is None or 0 < row["startup_s"] < row["wall_high_s"]
        assert row["cpu_s"] >= 0
        assert row["speedup"] == pytest.approx(case["rows"][0]["wall_median_s"] / row["wall_median_s"])
        assert row["peak_memory_bytes"] is None or row["peak_memory_bytes"] > 1 << 20
        assert row["verdict"]
        assert row["use_for"]
    assert case["rows"][0]["speedup"] == pytest.approx(1.0)
    assert comparison.best in [row["label"] for row in case["rows"] if row["status"] == "ok"]


def test_computing_that_holds_the_gil_is_compared() -> None:
    """All four run, and give the same sums; what holds the GIL keeps no more than one core busy in threads."""
    comparison = corewise.compare(compared.sum_of_squares, [50_000] * 4, repeat=1)
    check(comparison)
    assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok")
    assert compared.case(comparison)["difference"] is None
    rows = compared.rows(comparison)
    for label in ("sync", "threads", "asyncio"):
        assert rows[label]["cores_busy"] < 1.3


def test_computing_that_releases_the_gil_is_compared() -> None:
    """One mebibyte of hashing an item; whether threads gained depends on the machine, the results do not."""
    blocks = [bytes([number]) * (1 << 20) for number in range(6)]
    comparison = corewise.compare(compared.digest, blocks, repeat=1)
    check(comparison)
    assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok")
    assert compared.case(comparison)["difference"] is None


def test_waiting_is_compared_and_keeps_no_core_busy() -> None:
    """A machine that is busy may stretch the waits, and cannot make them compute."""
    comparison = corewise.compare(compared.wait, [0.05] * 4, async_fn=compared.wait_later, repeat=1)
    check(comparison)
    rows = compared.rows(comparison)
    assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok")
    assert rows["sync"]["wall_median_s"] >= 4 * 0.05
    assert all(row["cores_busy"] < 0.8 for row in rows.values() if row["approach"] != "processes")
    assert rows["asyncio"]["runs"] == "async function"
    assert rows["threads"]["runs"] == "function"


def test_a_coroutine_function_is_compared() -> None:
    """Elsewhere than in asyncio each call is run to its end, and the report says so."""
    comparison = corewise.compare(compared.wait_later, [0.001] * 6, repeat=1)
    check(comparison)
    assert compared.case(comparison)["kind"] == "coroutine function"
    runs = {label: row["runs"] for label, row in compared.rows(comparison).items()}
    assert runs == {**dict.fromkeys(ALL, "coroutine run to its end"), "asyncio": "async function"}


def test_a_plain_function_without_a_twin_is_wrapped_for_asyncio() -> None:
    """Which is said, and never recommended."""
    comparison = corewise.compare(compared.add, [1, 2, 3], [4, 5, 6], repeat=1)
    check(comparison)
    assert compared.rows(comparison)["asyncio"]["runs"] == "function wrapped in a coroutine"
    assert comparison.best != "asyncio"


@pytest.mark.parametrize("fn", [compared.add, compared.add_later])
def test_several_inputs_go_in_step(fn: Any) -> None:
    """The shortest ends; generators are read once, and every approach gets the same items."""

    def numbers() -> Iterator[int]:
        yield from (1, 2, 3, 4)

    comparison = corewise.compare(fn, numbers(), (number * 10 for number in range(3)), repeat=2)
    check(comparison)
    case = compared.case(comparison)
    assert (case["items"], case["items_run"], case["rounds"]) == (3, 3, 2)
    assert case["first_item"] == "(1, 0)"
    assert case["difference"] is None
    assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok")


def test_closures_lambdas_partials_methods_and_classes_are_compared() -> None:
    """Anything that can be called with an item."""
    offset = 7
    for fn in (
        lambda number: number + offset,
        functools.partial(compared.add, offset),
        [1, 2, 2].count,
        str,
        np.sqrt,
    ):
        comparison = corewise.compare(fn, [1, 2, 3], repeat=1)
        check(comparison)
        assert compared.statuses(comparison) == dict.fromkeys(ALL, "ok"), fn


def test_workers_are_those_asked_for_by_each_label() -> None:
    """A number behind the colon, or the one for all, or the default."""
    comparison = corewise.compare(
        compared.wait,
        [0.001] * 12,
        approaches=["processes:3", "processes:1", "threads:5", "threads", "sync:9"],
        workers=2,
        repeat=1,
    )
    check(comparison)
    rows = compared.rows(comparison)
    assert list(rows) == ["sync", "processes:3", "processes:1", "threads:5", "threads"]
    assert {label: row["workers"] for label, row in rows.items()} == {
        "sync": 1,
        "processes:3": 3,
        "processes:1": 1,
        "threads:5": 5,
        "threads": 2,
    }


@pytest.mark.parametrize("asked", [["threads"], ("processes", "sync"), [], iter(["asyncio", "asyncio"])])
def test_the_plain_loop_is_always_run_and_comes_first(asked: Any) -> None:
    """Each approach once, in the order asked for."""
    names = list(dict.fromkeys(["sync", *asked])) if not hasattr(asked, "__next__") else ["sync", "asyncio"]
    comparison = corewise.compare(abs, [1, 2], approaches=asked, repeat=1)
    check(comparison)
    assert list(compared.rows(comparison)) == names


def test_rounds_asked_for_are_run_whatever_the_budget() -> None:
    """Three times the budget is over long before the last round, and still every trial may run to its end."""
    comparison = corewise.compare(compared.wait, [0.2] * 3, approaches=["threads"], repeat=4, budget=0.8)
    check(comparison)
    assert compared.statuses(comparison) == {"sync": "ok", "threads": "ok"}
    assert compared.case(comparison)["rounds"] == 4


def test_a_short_budget_runs_a_share_of_the_items_and_says_so() -> None:
    """A hundred waits of 50 ms would take 5 s each; two seconds for two approaches give each some twenty."""
    comparison = corewise.compare(compared.wait, [0.05] * 100, approaches=["threads"], budget=2)
    check(comparison)
    case = compared.case(comparison)
    assert case["items"] == 100
    assert 2 <= case["items_run"] <= 20
    (note,) = [note for note in case["notes"] if note["code"] == "share"]
    assert f"{case['items_run']} of 100 items" in note["text"]


def test_what_is_compared_is_named() -> None:
    """By its module and name, or as one likes."""
    comparison = corewise.compare(compared.add, [1], [2], approaches=[], repeat=1)
    assert compared.case(comparison)["name"] == "compared.add"
    named = corewise.compare(lambda x: x, [1], approaches=[], repeat=1, name="identity", about="Does nothing.")
    assert (compared.case(named)["name"], compared.case(named)["about"]) == ("identity", "Does nothing.")
    assert "<lambda>" in compared.case(named)["function"]


def test_a_comparison_is_drawn_stored_and_shown(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """On the terminal, as JSON and as a page; all from the one document."""
    comparison = corewise.compare(compared.add, [1, 2], [3, 4], approaches=["threads"], repeat=1)
    comparison.show(width=80)
    assert "threads" in capsys.readouterr().out
    assert comparison.to_json(tmp_path / "found.json") == (tmp_path / "found.json").read_text(encoding="utf-8")
    assert documents.load(tmp_path / "found.json") == comparison.document
    assert comparison.to_html(tmp_path / "found.html") == (tmp_path / "found.html").read_text(encoding="utf-8")
    assert repr(comparison) == f"<Comparison of compared.add: 2 approaches, best {comparison.best}>"


def test_events_come_in_order_and_tell_each_trial() -> None:
    """A case begins, warms up, runs its trials one after the other in changing order, and ends."""
    told: list[corewise.Trial] = []
    corewise.compare(compared.wait, [0.25, 0.01], approaches=["threads", "processes"], repeat=3, progress=told.append)
    kinds = [event.kind for event in told if event.kind != "waiting"]
    assert kinds == ["case", "warm-up", *["started", "finished"] * 9, "end"]
    trials = [(event.round, event.approach) for event in told if event.kind == "started"]
    names = ["sync", "threads", "processes"]
    assert trials == [(turn, names[(turn - 1 + place) % 3]) for turn in (1, 2, 3) for place in range(3)]
    running = None
    for event in told:
        if event.kind in ("started", "finished"):
            assert (event.kind == "started") == (running is None)
            running = event.approach if event.kind == "started" else None
        if event.kind == "waiting" and running is not None:
            assert event.approach == running
        assert (event.wall_s is not None) == (event.kind == "finished")
        assert event.budget_s == 30.0
    assert "waiting" in [event.kind for event in told], "a clock on the screen must tick while a trial runs"
    moments = [event.elapsed_s for event in told]
    assert moments == sorted(moments)


def test_trials_run_in_a_process_of_their_own() -> None:
    """Which is not this one, and is another one than the workers of the approach "processes"."""
    assert corewise.map(lambda _: os.getppid(), [1], approach="processes") == [compared.TESTS]
    seen = corewise.compare(lambda _: compared.approach(), [1, 2], repeat=1)
    difference = compared.case(seen)["difference"]
    assert difference is not None
    assert (difference["expected"], difference["approach"]) == ("'sync'", "threads")
