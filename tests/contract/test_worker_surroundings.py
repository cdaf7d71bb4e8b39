"""What surrounds an item in a worker is what surrounds it in a plain loop: logging, warnings, random numbers, cores."""

from __future__ import annotations

import contextvars
import os
import random
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import surrounded
import threadpoolctl
from ways import call_by

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ["fork", "forkserver", "spawn"]


@pytest.fixture(params=[*METHODS, "fork, amap", "fork, astream"])
def method(request: pytest.FixtureRequest) -> str:
    """Name a way to start workers."""
    return str(request.param)


def run(method: str, fn: Callable[..., Any], items: range, **options: Any) -> corewise.Results:
    """Run by two worker processes."""
    method, _, verb = method.partition(", ")
    options = {"workers": 2, "approach": "processes", "start_method": method, **options}
    return call_by(verb, fn, items, **options)


def test_log_records_reach_the_callers_handlers(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each once, at the caller's levels, with the index of its item, and none of them late."""
    run(method, surrounded.log_line, range(100, 120))
    lines = [(record.getMessage(), record.corewise_item) for record in caplog.records]
    assert sorted(lines) == [(f"error of {number}", number - 100) for number in range(100, 120)]
    caplog.clear()
    with caplog.at_level("INFO"):
        run(method, surrounded.log_line, range(3))
    assert sorted(record.getMessage() for record in caplog.records) == [
        *(f"error of {number}" for number in range(3)),
        *(f"info of {number}" for number in range(3)),
    ]


def test_the_lines_of_short_items_name_them_too(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Also where items are so short that they run in chunks."""
    run(method, surrounded.log_line, range(500), chunksize=50)
    assert [int(record.getMessage().split()[-1]) == record.corewise_item for record in caplog.records] == [True] * 500


def test_the_last_words_of_a_worker_are_heard(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """A line that was written just before the process was killed."""
    results = run(method, surrounded.log_then_die_at_3, range(6), on_error="return")
    assert [failure.index for failure in results.failures] == [3]
    assert [(record.getMessage(), record.corewise_item) for record in caplog.records] == [("last words of 3", 3)]


@pytest.mark.parametrize(("action", "count"), [("default", 1), ("always", 20), ("ignore", 0)])
def test_a_warning_is_shown_as_often_as_by_a_plain_loop(method: str, action: str, count: int) -> None:
    """The caller's filters decide, over all workers."""
    vars(surrounded).pop("__warningregistry__", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]  # one of its names
        run(method, surrounded.warn_of_the_same, range(20))
    assert [str(one.message) for one in caught] == ["the same for all"] * count
    if action == "always":
        assert sorted(one.message.corewise_item for one in caught) == list(range(20))


def test_a_warning_that_is_an_error_fails_its_item(method: str) -> None:
    """As it would fail the plain loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="the same for all"):
            run(method, surrounded.warn_of_the_same, range(4))


def test_random_numbers_depend_on_seed_and_item_alone() -> None:
    """Not on the number of workers, the chunks, the approach; and the caller's generators are left as they were."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the generator that is seeded
    before = random.getstate()
    expected = corewise.map(surrounded.draw, range(30), approach="sync", seed=42)
    assert len({value for one in expected for value in one[1:]}) == 60
    for method in METHODS:
        for workers in (1, 2, 3):
            drawn = run(method, surrounded.draw, range(30), seed=42, workers=workers)
            assert [one[:2] for one in drawn] == [one[:2] for one in expected]
            if method == "fork":  # the others have not loaded NumPy
                assert drawn == expected
    assert run("fork", surrounded.draw, range(30), seed=42, chunksize=7) == expected
    assert run("fork", surrounded.draw, range(3), seed=43) != expected[:3]
    assert random.getstate() == before


def test_blas_of_a_worker_keeps_to_its_share(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many workers as cores have one thread each; the caller keeps its own."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GOTO_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cores = corewise.cpu_count()
    if cores == 1:
        pytest.skip("on a single core there is nothing to share")
    before = [library["num_threads"] for library in threadpoolctl.threadpool_info()]
    seen = run(method, surrounded.blas_threads, range(4), workers=cores)
    assert [number for some in seen for number in some] == [1] * len(seen)
    assert [library["num_threads"] for library in threadpoolctl.threadpool_info()] == before


def test_blas_in_threads_keeps_to_their_share() -> None:
    """And the caller has it all again afterwards."""
    before = [library["num_threads"] for library in threadpoolctl.threadpool_info()]
    if corewise.cpu_count() == 1 or any(name in os.environ for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")):
        pytest.skip("nothing to share, or the user's wish")
    # Items that take long enough for it to matter.
    seen = corewise.map(surrounded.blas_threads_after_a_while, range(8), approach="threads", workers=4)
    assert seen[-1] == [1]
    assert [library["num_threads"] for library in threadpoolctl.threadpool_info()] == before


def test_calls_inside_threads_and_workers_share_the_cores(method: str) -> None:
    """At least one core is left to each."""
    cores = corewise.cpu_count()
    assert set(corewise.map(surrounded.cores_left, range(4), approach="threads", workers=cores)) == {1}
    assert set(run(method, surrounded.cores_left, range(4), workers=cores)) == {1}
    assert set(corewise.map(surrounded.inner_workers, range(2), approach="threads", workers=max(2, cores))) == {1}
    assert corewise.cpu_count() == cores


def test_context_variables_travel(method: str) -> None:
    """Those that stand in a module and pickle, as threads see them too."""

    def call() -> list[corewise.Results]:
        surrounded.request.set("me")
        return [
            run(method, surrounded.seen, range(3)),
            corewise.map(surrounded.seen, range(3), approach="threads"),
        ]

    assert contextvars.Context().run(call) == [["me"] * 3] * 2
    assert run(method, surrounded.seen, range(2)) == ["nobody"] * 2
