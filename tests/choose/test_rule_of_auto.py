"""The rule behind approach="auto": every branch, at its border and on both sides of it."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._choose import rule
from corewise._types.choice import APPROACHES, Sample


def sample(
    *, item_s: float = 0.01, cpu_share: float = 1.0, remaining: int | None = 100, items: int = 2, queued_s: float = 0.0
) -> Sample:
    """Return what some first items told; by default, computing with a second of it left."""
    wall_s = items * item_s
    return Sample(
        items=items,
        wall_s=wall_s,
        cpu_s=(wall_s - queued_s) * cpu_share,
        remaining=remaining,
        queued_s=queued_s,
    )


@dataclass(frozen=True)
class Case:
    """What is measured and granted, and what is to be chosen."""

    sample: Sample
    expected: tuple[str, int, str]
    cores: int = 4
    workers: int | None = None
    forbidden: str | None = None
    threads: bool = True


# As many items as make what remains just too little, and just enough, at 1 ms an item.
FEW = int(rule.WORTH_S * 1000) - 1
ENOUGH = FEW + 2

CASES = {
    "computing": Case(sample(), ("processes", 4, "computes")),
    "computing, fewer items than cores": Case(sample(item_s=1, remaining=3), ("processes", 3, "computes")),
    "computing, workers asked for": Case(sample(), ("processes", 7, "computes"), workers=7),
    "computing, an endless input": Case(sample(remaining=None), ("processes", 4, "computes")),
    "computing on one core": Case(sample(), ("sync", 1, "one-core"), cores=1),
    "computing, one worker asked for": Case(sample(), ("sync", 1, "one-core"), workers=1),
    "computing, two workers on one core": Case(sample(), ("processes", 2, "computes"), cores=1, workers=2),
    "computing that cannot travel": Case(sample(), ("threads", 4, "computes-but-cannot-travel"), forbidden="a lock"),
    "computing that cannot travel, workers asked for": Case(
        sample(), ("threads", 3, "computes-but-cannot-travel"), workers=3, forbidden="a lock"
    ),
    "computing that cannot travel, on one core": Case(sample(), ("sync", 1, "one-core"), cores=1, forbidden="a lock"),
    "waiting": Case(sample(cpu_share=0.0), ("threads", rule.THREADS, "waits")),
    "waiting, few items": Case(sample(cpu_share=0.1, remaining=5), ("threads", 5, "waits")),
    "waiting, workers asked for": Case(sample(cpu_share=0.1), ("threads", 200, "waits"), workers=200),
    "waiting on one core": Case(sample(cpu_share=0.0), ("threads", rule.THREADS, "waits"), cores=1),
    "waiting, an endless input": Case(sample(cpu_share=0.0, remaining=None), ("threads", rule.THREADS, "waits")),
    "waiting, with a seed": Case(sample(cpu_share=0.0), ("processes", 4, "waits-seeded"), threads=False),
    "waiting, with a seed, on one core": Case(sample(cpu_share=0.0), ("sync", 1, "one-core"), threads=False, cores=1),
    "waiting, with a seed, that cannot travel": Case(
        sample(cpu_share=0.0), ("sync", 1, "seeded-but-cannot-travel"), threads=False, forbidden="a lock"
    ),
    "computing, with a seed": Case(sample(), ("processes", 4, "computes"), threads=False),
    "computing, with a seed, that cannot travel": Case(
        sample(), ("sync", 1, "seeded-but-cannot-travel"), threads=False, forbidden="a lock"
    ),
    "half and half": Case(sample(cpu_share=rule.WAITS_BELOW), ("processes", 4, "computes")),
    "a little more waiting": Case(sample(cpu_share=rule.WAITS_BELOW - 0.01), ("threads", rule.THREADS, "waits")),
    "nothing left": Case(sample(remaining=0), ("sync", 1, "too-short")),
    "too little left": Case(sample(item_s=0.001, remaining=FEW), ("sync", 1, "too-short")),
    "too little waiting left": Case(sample(item_s=0.001, cpu_share=0.0, remaining=FEW), ("sync", 1, "too-short")),
    "just enough left": Case(sample(item_s=0.001, remaining=ENOUGH), ("processes", 4, "computes")),
    "computing beside busy neighbours": Case(sample(queued_s=0.012), ("processes", 4, "computes")),
    "waiting beside busy neighbours": Case(sample(cpu_share=0.2, queued_s=0.012), ("threads", rule.THREADS, "waits")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_choice_follows_from_the_figures(case: Case) -> None:
    """Approach, workers and the name of the reason."""
    choice = rule.choose(
        case.sample, cores=case.cores, workers=case.workers, forbidden=case.forbidden, threads=case.threads
    )
    assert (choice.approach, choice.workers, choice.code) == case.expected
    assert choice.asked == "auto"
    assert choice.sample is case.sample


@given(
    st.builds(
        Sample,
        items=st.integers(1, 1000),
        wall_s=st.floats(0, 1000),
        cpu_s=st.floats(0, 1000),
        remaining=st.integers(0, 10**9) | st.none(),
        queued_s=st.floats(0, 1000),
    ),
    st.integers(1, 256),
    st.integers(1, 1000) | st.none(),
    st.sampled_from([None, "it holds a lock"]),
    st.sampled_from([True, False]),
)
def test_every_measurement_gets_a_choice_that_can_be_run(
    measured: Sample,
    cores: int,
    workers: int | None,
    forbidden: str | None,
    threads: bool,  # noqa: FBT001 - chance decides
) -> None:
    """However odd the figures: a known approach, at least one worker, and no more than were asked for."""
    choice = rule.choose(measured, cores=cores, workers=workers, forbidden=forbidden, threads=threads)
    assert choice.approach in APPROACHES
    assert threads or choice.approach != "threads"
    assert choice.workers >= 1
    if choice.approach == "sync":
        assert choice.workers == 1
    elif workers is not None:
        assert choice.workers == workers
    elif measured.remaining is not None:
        assert choice.workers <= measured.remaining
    if choice.approach == "processes":
        assert forbidden is None
        assert choice.workers <= max(cores, workers or 0)


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "queued_s", "share"),
    [
        (1.0, 1.0, 0.0, 1.0),
        (1.0, 0.0, 0.0, 0.0),
        (1.0, 0.5, 0.5, 1.0),  # half the time in line, half of it computing
        (1.0, 0.2, 0.6, 0.5),
        (1.0, 1.8, 0.0, 1.0),  # threads inside a C library: more than one core
        (0.0, 0.0, 0.0, 0.0),
        (1.0, 0.9, 0.3, 1.0),  # the two clocks differ a little
    ],
)
def test_the_share_of_computing_leaves_out_time_in_line_for_a_core(
    wall_s: float, cpu_s: float, queued_s: float, share: float
) -> None:
    """A busy machine makes no computation look like waiting."""
    measured = Sample(items=1, wall_s=wall_s, cpu_s=cpu_s, remaining=1, queued_s=queued_s)
    assert measured.cpu_share == pytest.approx(share)


@pytest.mark.parametrize(
    ("items", "threads", "processes", "coroutines"),
    [(None, rule.THREADS, 8, 100), (0, 1, 1, 1), (1, 1, 1, 1), (20, 20, 8, 20), (1000, rule.THREADS, 8, 100)],
)
def test_workers_by_default_are_no_more_than_items(
    items: int | None, threads: int, processes: int, coroutines: int
) -> None:
    """And at least one."""
    assert rule.threads_by_default(items) == threads
    assert rule.processes_by_default(8, items) == processes
    assert rule.coroutines_by_default(items) == coroutines


def test_what_would_be_lost_in_processes_stays_here() -> None:
    """Only where processes would be the choice: waits overlap in threads, which share the caller's objects."""
    computing = Sample(items=2, wall_s=0.2, cpu_s=0.2, remaining=50)
    waiting = Sample(items=2, wall_s=0.2, cpu_s=0.001, remaining=50)
    terms = {"cores": 4, "workers": None, "forbidden": None, "lost": "it assigns total (work.py, line 3)"}
    stays = rule.choose(computing, **terms)
    assert (stays.approach, stays.workers, stays.code) == ("sync", 1, "would-be-lost")
    assert rule.choose(waiting, **terms).approach == "threads"
