"""Verdicts follow from the figures: the same name with other figures gets other words."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from corewise._report.words.annotate import annotate
from report import made_up, samples
from report.samples import around, case, machine, row

if TYPE_CHECKING:
    from corewise._types.comparison import Case, Machine, Row

COMPUTES = row("sync", around(2.0), 0.99)
WAITS = row("sync", around(2.0), 0.02)
MIXED = row("sync", around(2.0), 0.55)
SHORT = row("sync", around(0.0032), 1.0)


def verdict_on(one: Row, base: Row = COMPUTES, *, here: Machine | None = None, **changes: object) -> str:
    """Return the verdict on a row beside a plain run."""
    spoken = case("a case", [base, one], words_for=here or machine(), **changes)
    return spoken["rows"][-1]["verdict"]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (COMPUTES, "the plain run computes 99 % of the time, on one core."),
        (WAITS, "the plain run waits 98 % of the time and leaves the cores idle."),
        (MIXED, "the plain run computes 55 % of the time and waits for the rest."),
        (row("sync", 2.0, 1.77), "the plain run keeps 1.8 cores busy by itself: native code in it runs threads"),
        (
            row("sync", 2.0, 0.6, queued_s=0.76),
            "the plain run computes 60 % of the time, and for another 38 % it stood in line for a core",
        ),
        (row("sync", 2.0, None), "the plain run that the others are compared with."),
    ],
)
def test_the_plain_run_is_told_by_its_share_of_computing(base: Row, expected: str) -> None:
    """Computing, waiting, both, several cores at once, or unknown."""
    spoken = case("a case", [base], words_for=machine())
    assert spoken["rows"][0]["verdict"].startswith(expected)


def test_standing_in_line_for_a_core_is_not_waiting() -> None:
    """On a busy machine a run that computes half of the time wanted to for the other half: threads took turns."""
    plain = row("sync", around(2.0), 0.5, queued_s=0.98)
    said = verdict_on(row("threads", around(2.02), 0.5, workers=4, queued_s=0.97), plain)
    assert "the threads took turns (0.5 cores busy), as they must while the computing holds the GIL" in said
    without = verdict_on(row("threads", around(2.02), 0.5, workers=4), row("sync", around(2.0), 0.5))
    assert "took turns" not in without


def test_a_busy_machine_is_blamed_for_what_it_took() -> None:
    """Workers that stood in line for a core gained less; more workers than cores stand in line for one another."""
    said = verdict_on(row("processes", around(1.5), 1.3, workers=2, queued_s=0.9), items=64, items_run=64)
    assert "gained only 67 % of what 2 cores can give; 1.9 cores could have been used and 1.3 were to be had" in said
    crowd = verdict_on(row("processes:8", around(1.05), 1.95, queued_s=6.0), items=64, items_run=64)
    assert "other programs" not in crowd
    threads = verdict_on(row("threads", around(2.0), 0.9, workers=2, queued_s=2.0))
    assert "wanted several cores at once; 1.9 cores could have been used and 0.9 were to be had" in threads
    assert "GIL" not in threads
    plain = row("sync", around(2.0), 0.6, queued_s=0.8)
    lucky = verdict_on(row("threads", around(1.3), 0.95, workers=2, queued_s=0.05), plain)
    assert "but other programs took 40 % of the plain run's time" in lucky


GAINS = {
    "threads that computed": (
        row("threads", around(1.05), 1.9, workers=2),
        COMPUTES,
        ("1.90 times faster", "releases the GIL", "both cores worked at once", "95 % of what 2 cores can give"),
    ),
    "processes that computed": (
        row("processes", around(1.02), 1.95, workers=2),
        COMPUTES,
        ("1.96 times faster", "both cores worked at once", "98 % of what 2 cores can give"),
    ),
    "threads that waited": (
        row("threads", around(0.2), 0.2, workers=10),
        WAITS,
        ("10.0 times faster", "the waits overlapped, up to 10 calls at once", "100 % of what 10 can give"),
    ),
    "coroutines that waited": (
        row("asyncio", around(0.14), 0.2, workers=16, runs="async function"),
        WAITS,
        ("14.3 times faster", "the waits overlapped, up to 16 calls at once on one core"),
    ),
    "processes that waited": (
        row("processes", around(1.05), 0.1, workers=2),
        WAITS,
        ("1.90 times faster", "up to 2 calls at once, one in each worker process"),
    ),
    "threads that waited less than they could": (
        row("threads", around(0.5), 0.2, workers=16),
        WAITS,
        ("4.00 times faster", "what it waits for", "keeps it from gaining more"),
    ),
    "threads with both": (
        row("threads", around(0.9), 1.0, workers=8),
        MIXED,
        ("2.22 times faster", "its waits overlapped; the computing in between stayed on one core"),
    ),
    "processes with both": (
        row("processes", around(0.8), 1.5, workers=8),
        MIXED,
        ("2.50 times faster", "its waits overlapped, and 1.5 of 2 cores worked at once"),
    ),
    "processes that were slow to start": (
        row("processes", around(1.4), 1.5, workers=2, startup_s=0.38),
        COMPUTES,
        ("1.43 times faster", "only 71 % of what 2 cores can give", "start-up took 380 ms, 27 % of the time"),
    ),
    "items of which one is giant": (
        row("processes", around(1.6), 1.25, workers=2),
        COMPUTES,
        (
            "1.25 times faster",
            "1.2 of 2 cores worked at once",
            "the rest idled, because one item holds much of the work",
        ),
    ),
    "data that travel": (
        row("processes", around(1.5), 1.9, workers=2),
        COMPUTES,
        ("1.33 times faster", "1.44 times the CPU seconds of the plain run", "to move the data"),
    ),
    "more workers than cores": (
        row("processes:8", around(1.02), 1.95),
        COMPUTES,
        ("1.96 times faster", "8 workers share 2 cores"),
    ),
}


@pytest.mark.parametrize("name", GAINS)
def test_a_gain_is_explained_by_its_figures(name: str) -> None:
    """Faster, by how much, how many cores or waits at once, and what kept it from gaining more."""
    one, base, expected = GAINS[name]
    said = verdict_on(one, base, items=64, items_run=64)
    for part in expected:
        assert part in said, said


LOSSES = {
    "threads that took turns": (
        row("threads", around(2.02), 1.0, workers=4),
        COMPUTES,
        ("no faster (0.99×)", "took turns (1.0 core busy)", "holds the GIL"),
    ),
    "threads that got in the way": (
        row("threads", around(2.5), 1.0, workers=4),
        COMPUTES,
        ("slower, 1.25 times as long", "took turns", "holds the GIL"),
    ),
    "a plain function in an event loop": (
        row("asyncio", around(2.01), 1.0, workers=4, runs="function wrapped in a coroutine"),
        COMPUTES,
        ("no faster (1.00×)", "nothing in the function awaits, so nothing overlaps", "on one core"),
    ),
    "a plain function that was faster in an event loop": (
        row("asyncio", around(1.8), 1.0, workers=4, runs="function wrapped in a coroutine"),
        COMPUTES,
        ("no gain of its own (1.11×)", "never awaits", "chance, a cache or a warm-up"),
    ),
    "a plain function that waits in an event loop": (
        row("asyncio", around(2.01), 0.02, workers=4, runs="function wrapped in a coroutine"),
        WAITS,
        ("no faster (1.00×)", "nothing in the function awaits"),
    ),
    "a coroutine function that computes": (
        row("asyncio", around(2.01), 1.0, workers=4, runs="async function"),
        COMPUTES,
        ("no faster (1.00×)", "computes more than it awaits", "an event loop computes on one core"),
    ),
    "a coroutine function that blocks": (
        row("asyncio", around(2.01), 0.02, workers=4, runs="async function"),
        WAITS,
        ("no faster (1.00×)", "blocks where it should await"),
    ),
    "threads that wait for one another": (
        row("threads", around(2.0), 0.02, workers=4),
        WAITS,
        ("no faster (1.00×)", "nothing overlapped", "serves one at a time"),
    ),
    "processes whose start takes longer than the work": (
        row("processes", around(0.052), 0.6, workers=2, startup_s=0.048),
        SHORT,
        ("slower, 16.2 times as long", "not worth it here", "start-up took 48 ms against 3.2 ms of work"),
    ),
    "processes that move more than they work": (
        row("processes", around(2.6), 1.6, workers=2, startup_s=0.01),
        COMPUTES,
        ("slower, 1.30 times as long", "2.10 times the CPU seconds", "moving the data"),
    ),
    "processes that move data for longer than they start": (
        row("processes", around(2.25), 1.0, workers=2, startup_s=0.086),
        row("sync", around(0.022), 0.95),
        ("slower, 102 times as long", "the CPU seconds of the plain run", "moving the data"),
    ),
    "processes that wait for one another": (
        row("processes", around(2.0), 1.0, workers=2, startup_s=0.01),
        COMPUTES,
        ("no faster (1.00×)", "took turns (1.0 core busy)", "one item holds most of the work"),
    ),
    "one worker": (row("processes:1", around(2.02), 1.0), COMPUTES, ("no faster (0.99×)", "there is one worker")),
    "work that uses all cores by itself": (
        row("threads", around(2.0), 1.8, workers=2),
        row("sync", around(2.0), 1.8),
        ("no faster (1.00×)", "keeps several cores busy by itself"),
    ),
    "work too short to share out": (
        row("threads", around(0.0009), 0.8, workers=2),
        row("sync", around(0.0002), 1.0),
        ("slower, 4.50 times as long", "an item takes 3.1 µs and handing it out 11 µs more"),
    ),
    "cores that were busy in vain": (
        row("threads", around(2.0), 1.9, workers=2),
        COMPUTES,
        ("no faster (1.00×)", "1.9 cores were busy and yet it took no less time", "1.92 times the CPU seconds"),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_gained_nothing_is_explained_by_its_figures(name: str) -> None:
    """No faster or slower, by how much, and what the figures show to be the reason; never with praise."""
    one, base, expected = LOSSES[name]
    said = verdict_on(one, base, items=64, items_run=64)
    for part in expected:
        assert part in said, said
    assert "times faster" not in said


def test_one_item_cannot_be_shared_out() -> None:
    """The reason is the one item, whatever the approach."""
    said = verdict_on(row("processes", around(2.02), 1.0, workers=2), items=1, items_run=1)
    assert said == "no faster (0.99×): there is one item, so nothing can run beside it."


def test_items_that_do_not_share_out_evenly_are_named() -> None:
    """Three equal items on two cores can gain 1.5 times at most, and the verdict says so."""
    said = verdict_on(row("processes", around(1.35), 1.5, workers=2), items=3, items_run=3)
    assert "3 items do not share out evenly over 2 cores, where 1.50 times is the most" in said


def test_without_a_gil_threads_get_other_words() -> None:
    """Nothing is blamed on, or credited to, a lock that is not there."""
    free = machine(gil=False)
    gained = verdict_on(row("threads", around(1.02), 1.95, workers=2), here=free)
    held = verdict_on(row("threads", around(2.02), 1.0, workers=2), here=free)
    assert "there is no GIL in the way, so both cores worked at once" in gained
    assert "GIL" not in held
    assert "wait for one another" in held


def test_swapping_the_figures_swaps_the_words() -> None:
    """Threads with the figures of processes are praised, processes with those of threads are not."""
    fast, slow = row("threads", around(1.02), 1.96, workers=2), row("threads", around(2.04), 1.0, workers=2)
    as_processes = {"approach": "processes", "label": "processes"}
    usual = case("usual", [COMPUTES, slow, {**fast, **as_processes}], words_for=machine())
    swapped = case("swapped", [COMPUTES, fast, {**slow, **as_processes}], words_for=machine())
    for praised, blamed in ((usual["rows"][2], usual["rows"][1]), (swapped["rows"][1], swapped["rows"][2])):
        assert praised["verdict"].startswith("1.96 times faster:")
        assert "both cores worked at once" in praised["verdict"]
        assert blamed["verdict"].startswith("no faster (0.98×):")
        assert "took turns (1.0 core busy)" in blamed["verdict"]
    assert usual["recommendation"]["approach"] == "processes"  # type: ignore[index]
    assert swapped["recommendation"]["approach"] == "threads"  # type: ignore[index]


def test_a_gain_within_the_spread_is_not_called_one() -> None:
    """The median is 1.5 times faster, but the slowest round is slower than the fastest plain one."""
    said = verdict_on(row("threads", [1.0, 1.33, 2.1], 1.9, workers=2))
    assert said.startswith("unclear: 1.50× by the medians, but the rounds overlap (1.00–2.10 s against 1.98–2.02 s")
    assert said.endswith("repeat it on a quiet machine.")


def test_one_round_is_said_to_be_one() -> None:
    """A gain or a loss without a second round carries that with it; a small one is called none."""
    plain = row("sync", 2.0)
    assert verdict_on(row("threads", 1.0, 1.9, workers=2), plain).startswith("2.00 times faster in its one round:")
    assert verdict_on(row("threads", 4.0, 1.0, workers=2), plain).startswith("slower, 2.00 times as long in its one")
    assert verdict_on(row("threads", 1.85, 1.0, workers=2), plain).startswith("no faster (1.08×) in its one round:")


def test_memory_is_mentioned_where_it_grew() -> None:
    """Several times the plain run's memory is worth a sentence, a few megabytes are not."""
    plain = row("sync", around(2.0), memory_mb=30)
    large = verdict_on(row("processes", around(1.0), 1.9, workers=2, memory_mb=900), plain)
    small = verdict_on(row("processes", around(1.0), 1.9, workers=2, memory_mb=38), plain)
    assert large.endswith(" It took 900 MB of memory, the plain run 30 MB.")
    assert "memory" not in small


def test_a_row_with_a_problem_repeats_it() -> None:
    """Failed and skipped rows say what happened, in one sentence."""
    problem = "ValueError: no number (item 3: 'x')"
    assert verdict_on(samples.failed_row("threads", problem)) == f"failed: {problem}."
    assert verdict_on(samples.failed_row("threads", "no time left.", "skipped")) == "skipped: no time left."


def test_without_a_plain_run_no_gain_is_claimed() -> None:
    """The time and the busy cores are all that is known."""
    said = verdict_on(row("threads", around(1.0), 1.9, workers=2), samples.failed_row("sync", "out of time"))
    assert said == "1.00 s, 1.9 cores busy; no plain run ended that it could be compared with."


def test_a_row_with_differing_results_is_told_apart() -> None:
    """However fast, its time counts for nothing, and the verdict says so."""
    spoken = case("c", samples.differing()["rows"], words_for=machine(), difference=samples.differing()["difference"])
    assert "Its results differ from those of sync" in spoken["rows"][1]["verdict"]
    assert "results differ" not in spoken["rows"][0]["verdict"]


@given(made=made_up.cases(), here=made_up.MACHINES)
def test_praise_is_never_wrong(made: Case, here: Machine) -> None:
    """Whatever the figures: what is called faster is so by its median and in every round."""
    spoken = annotate(made, here)
    base = next((one for one in spoken["rows"] if one["label"] == "sync" and one["status"] == "ok"), None)
    for one in spoken["rows"]:
        if " times faster" not in one["verdict"].partition(":")[0]:
            continue
        assert base is not None
        assert one["wall_median_s"] < base["wall_median_s"]  # type: ignore[operator]
        assert one["wall_high_s"] < base["wall_low_s"]  # type: ignore[operator]


@given(made=made_up.cases(), here=made_up.MACHINES)
def test_every_text_is_a_whole_sentence(made: Case, here: Machine) -> None:
    """Nothing is left empty or unfinished, and no figure that is missing shows through."""
    spoken = annotate({**made, "difference": None}, here)
    texts = [one["verdict"] for one in spoken["rows"] if one["status"] == "ok"]
    texts += [note["text"] for note in spoken["notes"]]
    texts += [spoken["recommendation"]["reason"]] if spoken["recommendation"] else []
    for text in texts:
        assert text.endswith(".")
        assert not any(trace in text for trace in ("None", "nan", "inf ", "..", ":.", "; ;", "  "))


@given(made=made_up.cases(), here=made_up.MACHINES)
def test_annotating_changes_nothing_else(made: Case, here: Machine) -> None:
    """The given case stays as it was, the figures stay as they are, and doing it twice gives the same."""
    before = copy.deepcopy(made)
    once = annotate(made, here)
    assert made == before
    assert annotate(once, here) == once
    kept = ("use_for", "verdict")
    assert [{**one, **dict.fromkeys(kept)} for one in once["rows"]] == [
        {**one, **dict.fromkeys(kept)} for one in made["rows"]
    ]
