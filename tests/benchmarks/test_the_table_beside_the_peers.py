"""The table that sets the process engine beside its peers: its verdicts, and whether its bounds can be reached."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that imports a module of the benchmarks' folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_less_is_better_for_seconds_and_more_for_bytes_a_second(benchmark: Any) -> None:
    """The ratio is above 1 where ours is the better figure, whichever way the unit goes."""
    rows = benchmark("_rows")
    seconds = rows.judge(rows.ROWS["round_trip"], {"corewise": 50e-6, "Pool": 150e-6, "mpire": 120e-6})
    assert (seconds.best, seconds.met) == ("mpire", True)
    assert seconds.times == pytest.approx(2.4)
    speed = rows.judge(rows.ROWS["arrays_in_out"], {"corewise": 4e9, "Pool": 1e9, "joblib": 0.5e9})
    assert (speed.best, speed.met) == ("Pool", False)
    assert speed.times == pytest.approx(4.0)


def test_a_target_that_names_peers_is_judged_against_those_alone(benchmark: Any) -> None:
    """A row with two targets is met only when both are, each against whom it names."""
    rows = benchmark("_rows")
    figures = {"corewise": 5e9, "joblib": 1e9, "Pool": 0.5e9, "Ray": 9e9}
    assert rows.judge(rows.ROWS["arrays_in"], figures).reached == pytest.approx((5.0, 10.0))
    assert rows.judge(rows.ROWS["arrays_in"], figures).met is True
    assert rows.judge(rows.ROWS["arrays_in"], figures | {"Pool": 0.7e9}).met is False


def test_a_missing_figure_gives_no_verdict(benchmark: Any) -> None:
    """Without ours, or without the peers that a target names, nothing is said to be met or missed."""
    rows = benchmark("_rows")
    assert rows.judge(rows.ROWS["futures"], {"Pool": 1.0}).met is None
    assert rows.judge(rows.ROWS["futures"], {"corewise": 1.0}).met is None
    assert rows.judge(rows.ROWS["array_to_all"], {"corewise": 1.0, "Pool": 0.1}).met is None


def test_a_bound_of_uneven_work_needs_no_peer(benchmark: Any) -> None:
    """A target that is a figure of its own is judged by ours alone."""
    rows = benchmark("_rows")
    assert rows.judge(rows.ROWS["one_giant"], {"corewise": 1.03}).met is True
    assert rows.judge(rows.ROWS["one_giant"], {"corewise": 1.05}).met is False


@pytest.mark.parametrize("work", ["heavy_tail", "sorted_up", "sorted_down", "one_giant"])
def test_the_bound_of_uneven_work_can_be_reached_in_order(benchmark: Any, work: str) -> None:
    """Two workers that take the items in order and lose no time end within 0.3 % of the bound."""
    works = benchmark("_works")
    items = getattr(works, work)()
    assert sum(items) == pytest.approx(2.0)
    assert works.lower_bound_s(items, 2) == pytest.approx(1.0), "what two bare processes measure is half of the work"
    assert works.in_order_s(items, 2) / works.lower_bound_s(items, 2) < 1.003


def test_every_row_has_something_that_measures_it(benchmark: Any) -> None:
    """A row is the whole program, a work of uneven items (perhaps with warm workers), or a function of the child."""
    rows, one, works = benchmark("_rows"), benchmark("_one"), benchmark("_works")
    others = [name for name in rows.ROWS if name != "start" and not hasattr(one, name)]
    assert [name for name in others if not hasattr(works, name.removesuffix(one.WARM))] == []


def test_what_a_library_cannot_do_is_said(benchmark: Any) -> None:
    """A library without futures says so instead of failing its round."""
    one = benchmark("_one")
    assert one.main_one("futures", "plain loop", 1.0) == {"missing": "no futures"}


def test_a_round_of_ours_gives_right_results(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child measures a real map by real workers and checks what it returned."""
    one = benchmark("_one")
    monkeypatch.setattr(one, "TINY", 3000)
    answer = one.main_one("tiny_map", "corewise", 1.0)
    assert answer["items"] == 3000
    assert answer["figure"] > 0
