"""What `map` refuses, and in which words; and what only some approaches have: overlapping waits and bounds."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import works

import corewise
from corewise import errors


def test_waits_overlap_in_asyncio() -> None:
    """A hundred waits take about as long as one."""
    results = corewise.map(works.wait_later, [0.05] * 100, approach="asyncio")
    assert results.stats.wall_s < 100 * 0.05 / 4


def test_concurrency_in_asyncio_is_bounded() -> None:
    """Never more coroutines at once than workers."""
    running = 0
    most = 0

    async def count(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    corewise.map(count, range(100), approach="asyncio", workers=7)
    assert most == 7


def test_threads_are_never_more_than_asked_for() -> None:
    """The same for threads."""
    seen = set(corewise.map(lambda _: threading.get_ident(), range(200), approach="threads", workers=3))
    assert 1 <= len(seen) <= 3


def test_a_plain_function_is_refused_by_asyncio_with_a_way_out() -> None:
    """The sentence says what to write instead."""
    with pytest.raises(errors.OptionError, match=r"async def square.*approach='threads'"):
        corewise.map(works.square, [1], approach="asyncio")


def test_a_coroutine_that_nobody_awaits_is_refused() -> None:
    """A plain function that returns a coroutine would otherwise give a list of coroutines that never ran."""

    def careless(number: int) -> object:
        return works.square_later(number)

    with pytest.raises(TypeError, match="nobody awaits"):
        corewise.map(careless, [1], approach="threads")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"workers": 0}, "workers must be a whole number of at least 1, not 0"),
        ({"workers": "two"}, "workers must be a whole number of at least 1, not 'two'"),
        ({"workers": True}, "workers must be a whole number"),
        ({"workers": 1.5}, "workers must be a whole number"),
        ({"approach": "magic"}, "'sync', 'threads', 'asyncio' or 'processes'"),
        ({"on_error": "ignore"}, "'raise' or 'return'"),
        ({"chunksize": -1}, "chunksize"),
        ({"start_method": "beam"}, "start_method"),
        ({"progress": "yes"}, "progress"),
    ],
)
def test_wrong_arguments_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """Before anything is run."""
    with pytest.raises(errors.OptionError, match=message):
        corewise.map(works.square, [1], **wrong)


def test_unknown_options_name_the_known_ones() -> None:
    """A misspelt option must not be ignored."""
    with pytest.raises(TypeError, match=r"unknown option 'chunk_size'.*'chunksize'"):
        corewise.map(works.square, [1], chunk_size=3)  # type: ignore[call-arg]


def test_the_environment_forces_an_approach(monkeypatch: pytest.MonkeyPatch) -> None:
    """COREWISE_APPROACH=sync makes breakpoints work without a change of the program."""
    monkeypatch.setenv("COREWISE_APPROACH", "sync")
    results = corewise.map(works.square, range(3))
    assert results.choice.approach == "sync"
    assert "COREWISE_APPROACH" in results.choice.why
    assert corewise.map(works.square, range(3), approach="threads").choice.approach == "threads"
