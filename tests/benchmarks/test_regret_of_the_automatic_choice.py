"""The suite that tells what the automatic choice loses: its arithmetic, its table, and what it lets count."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that imports a module of the benchmarks' folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_regret_is_the_time_by_that_of_the_best_fixed_choice(benchmark: Any) -> None:
    """Medians are compared, so one slow round of anybody changes nothing; who could not run it takes no part."""
    regret = benchmark("_choice_regret")
    fixed = {"plain loop": [1.0, 1.0, 1.0], "8 threads": [0.5, 9.0, 0.4], "Pool, chunks": []}
    verdict = regret.judge(fixed, [0.6, 0.6, 7.0], [])
    assert (verdict.best, verdict.best_s, verdict.auto_s) == ("8 threads", 0.5, 0.6)
    assert verdict.regret == pytest.approx(1.2)


def test_a_wrong_outcome_has_no_regret_however_fast_it_was(benchmark: Any) -> None:
    """Nor has one that failed, or one with nothing to compare it with."""
    regret = benchmark("_choice_regret")
    assert regret.judge({"plain loop": [1.0]}, [0.1], [], right=False).regret is None
    assert regret.judge({"plain loop": [1.0]}, [], []).regret is None
    assert regret.judge({"plain loop": []}, [1.0], []).regret is None


def test_a_prediction_is_compared_with_its_own_round(benchmark: Any) -> None:
    """The median of the rounds' errors counts, not the error of their medians."""
    regret = benchmark("_choice_regret")
    verdict = regret.judge({"plain loop": [1.0]}, [1.0], [(1.0, 2.0), (3.0, 3.0), (1.2, 1.0)])
    assert verdict.off == pytest.approx(0.0)
    assert regret.judge({"plain loop": [1.0]}, [1.0], []).off is None


def verdicts(regret: Any, regrets: dict[str, float | None], off: float | None = 0.1) -> Any:
    """Return verdicts of such regrets."""
    return {
        name: regret.Verdict(best="plain loop", best_s=1.0, auto_s=one, regret=one, off=off)
        for name, one in regrets.items()
    }


def test_the_mean_of_ratios_is_the_geometric_one(benchmark: Any) -> None:
    """Twice as slow at one work and twice as fast at another make 1; counted from 1 on, they do not."""
    regret = benchmark("_choice_regret")
    summary = regret.summarize(verdicts(regret, {"slow": 2.0, "fast": 0.5}), set())
    assert summary.mean == pytest.approx(1.0)
    assert summary.floored_mean == pytest.approx(2**0.5)
    assert (summary.worst, summary.above, summary.met) == ("slow", ["slow"], False)


def test_tiny_works_and_those_without_a_regret_are_not_in_the_mean(benchmark: Any) -> None:
    """What is tiny has a rule of its own; a missing figure is no figure."""
    regret = benchmark("_choice_regret")
    summary = regret.summarize(verdicts(regret, {"tiny": 40.0, "right": 1.05, "failed": None}), {"tiny"})
    assert (summary.works, summary.worst, summary.above) == (1, "right", [])
    assert summary.mean == pytest.approx(1.05)
    assert summary.met is True
    assert regret.summarize({}, set()).met is None


@pytest.mark.parametrize(
    ("regrets", "off", "wrong"),
    [
        ({"a": 1.2, "b": 1.2}, 0.1, False),
        ({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 1.0, "f": 1.51}, 0.1, False),
        ({"a": 1.0}, 0.3, False),
        ({"a": 1.0}, None, False),
        ({"a": 1.0}, 0.1, True),
    ],
    ids=["mean", "worst", "predictions off", "no predictions", "a wrong outcome"],
)
def test_one_thing_that_is_missed_misses_the_target(
    benchmark: Any, regrets: dict[str, float | None], off: float | None, *, wrong: bool
) -> None:
    """The mean, the worst, the predictions and the outcomes are asked for, each by itself."""
    regret = benchmark("_choice_regret")
    assert regret.summarize(verdicts(regret, {"a": 1.0}), set()).met is True
    assert regret.summarize(verdicts(regret, regrets, off), set(), wrong=wrong).met is False


def test_tiny_work_may_cost_a_tenth_and_100_microseconds(benchmark: Any) -> None:
    """The fixed part is for the short ones, the tenth for the long ones."""
    regret = benchmark("_choice_regret")
    assert regret.tiny_met(300e-6, 429e-6)
    assert not regret.tiny_met(300e-6, 431e-6)
    assert regret.tiny_met(12e-3, 13.2e-3)
    assert not regret.tiny_met(12e-3, 13.4e-3)


def test_choices_far_behind_take_no_further_part(benchmark: Any) -> None:
    """The best one stays, and whoever may still turn out to be it."""
    regret = benchmark("_choice_regret")
    assert regret.still_in({"plain loop": 1.0, "8 threads": 0.4, "Pool, chunks": 0.79}, 2.0) == {
        "8 threads",
        "Pool, chunks",
    }
    assert regret.still_in({}, 2.0) == set()


def test_equal_results_have_one_digest_and_others_another(benchmark: Any) -> None:
    """Type, order, shape and content count; identity does not."""
    import numpy as np

    digest = benchmark("_choice_digest").digest
    text = "a" * 3
    assert digest([text, text]) == digest(["aaa", "".join("aaa")])
    assert digest({"a": [1, (2.5, None)]}) == digest({"a": [1, (2.5, None)]})
    assert digest(np.arange(4.0)) == digest(np.arange(4.0).copy())
    different: list[Any] = [
        1,
        1.0,
        True,
        "1",
        b"1",
        [1],
        (1,),
        {1: 1},
        np.arange(4.0),
        np.arange(4.0).reshape(2, 2),
        [1, 2],
        [2, 1],
    ]
    assert len({digest(one) for one in different}) == len(different)
    with pytest.raises(TypeError, match="no digest of a object"):
        digest(object())


def test_a_prediction_stands_beside_what_it_was_made_for(benchmark: Any) -> None:
    """That is the rest of the run from then on; where nothing was predicted, the whole of it."""
    chosen = SimpleNamespace(approach="processes", workers=2, code="computes", why="")
    of_choice = benchmark("_choice_one")._of_choice
    told = of_choice(SimpleNamespace(choice=chosen, stats=SimpleNamespace(wall_s=1.5, chosen_s=1.2, predicted_s=1.1)))
    assert (told["predicted_s"], told["happened_s"]) == (1.1, 1.2)
    told = of_choice(SimpleNamespace(choice=chosen, stats=SimpleNamespace(wall_s=1.5, chosen_s=0.0, predicted_s=None)))
    assert (told["predicted_s"], told["happened_s"]) == (None, 1.5)


def row(**auto: Any) -> dict[str, Any]:
    """Return a work's part of the document."""
    return {
        "items": 12000,
        "tiny": False,
        "verdict": {"best": "8 threads", "best_s": 0.5, "auto_s": 0.6, "regret": 1.2, "off": -0.1},
        "auto": {"chose": ["threads, 8", "threads, 8"], "right": True, "predicted_s": 0.54, "happened_s": 0.6} | auto,
    }


def test_a_line_of_the_table_says_what_was_chosen_and_what_came_of_it(benchmark: Any) -> None:
    """A choice that was not the same in all rounds shows; a wrong outcome and a failure have no regret beside them."""
    table = benchmark("_choice_table")
    line = table.work_line("json", row(chose=["threads, 8", "processes, 2", "threads, 8"]))
    expected = "json 12,000 8 threads 500 ms 600 ms threads, 8 / processes, 2 1.20 540 ms, 600 ms (-10%)"
    assert " ".join(line.split()) == expected
    wrong = table.work_line("json", row(right=False))
    assert "WRONG" in wrong
    assert "1.20" not in wrong
    failed = row()
    failed["auto"] = {"missing": "over 9 s"}
    assert table.work_line("json", failed).split()[-4:] == ["–", "over", "9", "s"]


def test_the_summary_names_what_was_missed(benchmark: Any) -> None:
    """Works left out, failed, wrong or above the limit stand there by name."""
    program, table = benchmark("choice"), benchmark("_choice_table")
    slow = row()
    slow["verdict"] = slow["verdict"] | {"regret": 3.0}
    document = program.document({"json": row(), "blas": slow, "seen": row(right=False)}, {}, ["sqlite"])
    text = "\n".join(table.summary_lines(document))
    assert "left out, as the budget was spent: sqlite" in text
    assert "WRONG outcomes by auto: seen" in text
    assert "worst blas, 3.00" in text
    assert "above 1.5: blas" in text
    assert text.endswith("NOT MET")


def test_every_work_can_be_found_by_the_interpreter_that_runs_it(benchmark: Any) -> None:
    """Names are those of one module each, and no module takes a name from another."""
    works = benchmark("_choice_works")
    assert len(works.WORKS) == sum(len(importlib.import_module(name).WORKS) for name in set(works.MODULES.values()))
    assert len(works.WORKS) >= 28


def test_each_way_gives_the_results_of_the_plain_loop_or_says_that_it_is_none(benchmark: Any) -> None:
    """All of them are run for real, at a small work."""
    one, ways = benchmark("_choice_one"), benchmark("_choice_ways")
    answers = {way: one.run_one("_choice_computing", "tiny_20", way) for way in ways.WAYS}
    assert {way for way, answer in answers.items() if "missing" in answer} == {"asyncio", "asyncio, 100 at once"}
    assert len({answer["digest"] for answer in answers.values() if "missing" not in answer}) == 1
    assert answers[ways.AUTO]["approach"] == "sync"


def test_a_coroutine_function_runs_every_way(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that cannot await run an event loop for each call."""
    one, ways, work = benchmark("_choice_one"), benchmark("_choice_ways"), benchmark("_choice_work")
    coroutines = benchmark("_choice_coroutines")
    few = work.Work("few", work.over(coroutines.wait_1ms, range(16)))
    monkeypatch.setitem(coroutines.WORKS, "few", few)
    answers = {way: one.run_one("_choice_coroutines", "few", way) for way in ways.WAYS}
    assert [way for way, answer in answers.items() if "missing" in answer] == []
    assert len({answer["digest"] for answer in answers.values()}) == 1


def test_a_lost_effect_is_another_outcome(benchmark: Any) -> None:
    """What calls leave behind is compared like a result: not all of it arrives from another process."""
    one, ways = benchmark("_choice_one"), benchmark("_choice_ways")
    plain = one.run_one("_choice_shapes", "argument_changed", ways.PLAIN)
    elsewhere = one.run_one("_choice_shapes", "argument_changed", "Pool, chunks")
    assert plain["digest"] != elsewhere["digest"]


def test_what_a_way_cannot_run_is_said(benchmark: Any) -> None:
    """It is left out with its reason, and the suite goes on."""
    answer = benchmark("_choice_one").run_one("_choice_shapes", "captured_lock", "Pool, chunks")
    assert list(answer) == ["missing"]
    assert "local object" in str(answer["missing"])
