"""The recommendation is the fastest approach, or a simpler one that is as fast; its reason quotes the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given

from corewise._report.words import figures
from corewise._report.words.annotate import annotate
from report import made_up, samples
from report.samples import around, case, machine, row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corewise._types.comparison import Case, Machine, Recommendation, Row

PLAIN = row("sync", around(2.0), 0.99)


def recommended(rows: Sequence[Row], **changes: object) -> Recommendation:
    """Return what is recommended for these rows."""
    choice = case("a case", rows, words_for=machine(), **changes)["recommendation"]
    assert choice is not None
    return choice


def test_the_fastest_is_recommended_with_its_figures() -> None:
    """The reason holds both times, the gain, the cores, and a word on the others."""
    choice = annotate(samples.holding_the_gil(), machine())["recommendation"]
    assert choice == {
        "approach": "processes:2",
        "reason": "1.02 s against 2.01 s plainly, 1.97 times faster on 2 cores; processes:4 just as fast but no "
        "simpler; threads kept 1.0 core busy (0.99×); asyncio 1.00×, since nothing awaits.",
    }


def test_a_tie_goes_to_the_simpler_approach() -> None:
    """Sync before asyncio before threads before processes, and fewer workers before more."""
    fast = {"busy": 1.9, "workers": 2}
    threads, processes = row("threads", around(1.04), **fast), row("processes", around(1.0), **fast)  # type: ignore[arg-type]
    coroutines = row("asyncio", around(1.03), 1.9, workers=2, runs="async function")
    assert recommended([PLAIN, processes, threads])["approach"] == "threads"
    assert recommended([PLAIN, processes, threads, coroutines])["approach"] == "asyncio"
    assert recommended([row("sync", around(1.02)), processes, threads])["approach"] == "sync"
    four, two = row("processes:4", around(1.0), 1.9), row("processes:2", around(1.03), 1.9)
    assert recommended([PLAIN, four, two])["approach"] == "processes:2"


def test_a_tie_is_at_most_10_per_cent_wide() -> None:
    """Beyond 5 % the rounds must overlap, beyond 10 % not even that makes a tie."""
    processes = row("processes", [1.0, 1.0, 1.5], 1.9, workers=2)
    within, beyond = row("threads", [1.0, 1.08, 1.1], 1.9), row("threads", [1.0, 1.12, 1.2], 1.9)
    apart = row("threads", [1.07, 1.08, 1.09], 1.9)
    assert recommended([PLAIN, within, processes])["approach"] == "threads"
    assert recommended([PLAIN, beyond, processes])["approach"] == "processes"
    assert recommended([PLAIN, apart, row("processes", around(1.0), 1.9)])["approach"] == "processes"


def test_one_round_makes_a_wider_tie() -> None:
    """What its verdict calls no faster is not recommended for being so."""
    rows = [row("sync", 2.0), row("threads", 1.87, 1.0, workers=2)]
    assert recommended(rows)["approach"] == "sync"


def test_a_plain_function_in_an_event_loop_is_not_recommended() -> None:
    """Even where it was fastest by chance: nothing in it could have been faster than the plain run."""
    wrapped = row("asyncio", around(1.5), runs="function wrapped in a coroutine")
    assert recommended([PLAIN, wrapped])["approach"] == "sync"


def test_an_approach_whose_results_differ_is_not_recommended() -> None:
    """However fast it is; the reason says why it was left out."""
    choice = recommended(
        [PLAIN, row("processes", around(1.0), 1.9), row("threads", around(1.5), 1.4)],
        difference={**samples.differing()["difference"], "approach": "processes"},  # type: ignore[dict-item]
    )
    assert choice["approach"] == "threads"
    assert choice["reason"].endswith("processes left out, since its results differ.")


def test_every_approach_that_differs_is_left_out() -> None:
    """Only the first difference is shown, but each row knows whether its own results differed."""
    differing = {"differs": True}
    choice = recommended(
        [
            {**PLAIN, "differs": False},
            {**row("processes:2", around(1.0), 1.9), **differing},  # type: ignore[typeddict-item]
            {**row("processes:4", around(0.9), 1.9), **differing},  # type: ignore[typeddict-item]
            {**row("threads", around(1.5), 1.4), "differs": False},
        ],
        difference={**samples.differing()["difference"], "approach": "processes:2"},  # type: ignore[dict-item]
    )
    assert choice["approach"] == "threads"
    assert (
        "processes:2 left out, since its results differ; processes:4 left out, since its results differ"
        in (choice["reason"])
    )


def test_work_that_gains_nothing_is_run_plainly() -> None:
    """The reason says so and what the others cost instead."""
    choice = annotate(samples.too_small(), machine())["recommendation"]
    assert choice is not None
    assert choice["approach"] == "sync"
    assert choice["reason"].startswith("Run it plainly: 2.1 ms, and nothing was faster; threads kept 1.0 core busy")
    assert "processes took 19 ms, 13 ms of it start-up" in choice["reason"]


def test_a_small_gain_is_not_worth_a_change() -> None:
    """Sync is recommended although threads were 3 % faster, and the reason admits it."""
    choice = recommended([PLAIN, row("threads", around(1.94), 1.0, workers=2)])
    assert choice["approach"] == "sync"
    assert "threads took 1.94 s, too small a difference to be worth a change" in choice["reason"]


def test_without_a_plain_run_the_fastest_is_recommended_with_a_reservation() -> None:
    """Its gain is not known, and the reason says that too."""
    rows = [samples.failed_row("sync", "out of time"), row("threads", around(2.0)), row("processes", around(1.0), 1.9)]
    choice = recommended(rows)
    assert choice["approach"] == "processes"
    assert "without a plain run its gain is not known" in choice["reason"]


def test_a_gain_that_may_be_chance_is_recommended_with_a_reservation() -> None:
    """The fastest median wins, but the reason says that the rounds overlap."""
    choice = recommended([PLAIN, row("threads", [1.0, 1.33, 2.1], 1.9, workers=2)])
    assert choice["approach"] == "threads"
    assert "though the rounds overlap, so repeat it before relying on it" in choice["reason"]


def test_a_gain_on_a_busy_machine_is_recommended_with_a_reservation() -> None:
    """Other programs may have made the difference."""
    rows = [row("sync", around(2.0), 0.5, queued_s=1.0), row("processes", around(1.2), 1.2, workers=2, queued_s=0.9)]
    assert "though on a busy machine, so repeat it before relying on it" in recommended(rows)["reason"]


def test_nothing_is_recommended_where_nothing_ran() -> None:
    """A case of failures has no recommendation."""
    rows = [samples.failed_row(label, "it broke") for label in ("sync", "threads")]
    assert case("broken", rows, words_for=machine())["recommendation"] is None


@given(made=made_up.cases(), here=made_up.MACHINES)
def test_the_recommended_row_is_never_beaten(made: Case, here: Machine) -> None:
    """No trusted approach is more than 5 % faster, or 10 % where the rounds overlap or there is only one."""
    choice = annotate(made, here)["recommendation"]
    differing = made["difference"]["approach"] if made["difference"] else None
    able = [one for one in made["rows"] if figures.ran(one) and not one.get("differs", one["label"] == differing)]
    able = [one for one in able if one["runs"] != figures.WRAPPED] or able
    assume(able)
    assert choice is not None
    best = next(one for one in able if one["label"] == choice["approach"])
    fastest = min(able, key=lambda one: one["wall_median_s"] or 0.0)
    ratio = best["wall_median_s"] / fastest["wall_median_s"]  # type: ignore[operator]
    overlapping = best["wall_low_s"] <= fastest["wall_high_s"]  # type: ignore[operator]
    once = min(len(best["wall_s"]), len(fastest["wall_s"])) == 1
    assert ratio <= (1.10 if overlapping or once else 1.05)


def test_an_async_twin_is_recommended_by_its_name() -> None:
    """Where it is the best, and nowhere else."""
    made = samples.waiting()
    choice = annotate(made, machine())["recommendation"]
    without = annotate({**made, "async_function": None}, machine())["recommendation"]
    assert choice is not None
    assert without is not None
    start = "200 ms against 3.02 s plainly, 15.1 times faster with 16 at once"
    assert choice["reason"].startswith(f"{start}, by works.fetch_async")
    assert without["reason"].startswith(f"{start};")
    assert "fetch_async" not in without["reason"]
