"""Wrong arguments of a comparison are refused in words before anything is run."""

from __future__ import annotations

from typing import Any

import compared
import pytest

import corewise
from corewise import errors


def never(_: object) -> None:
    """Fail if it is run at all."""
    raise AssertionError("it was run")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": 0}, "budget must be a number of seconds above 0, not 0"),
        ({"budget": -1.5}, "budget must be .* not -1.5"),
        ({"budget": "30"}, "budget must be .* not '30'"),
        ({"budget": None}, "budget must be .* not None"),
        ({"budget": True}, "budget must be .* not True"),
        ({"budget": float("nan")}, "budget must be .* not nan"),
        ({"budget": float("inf")}, "budget must be .* not inf"),
        ({"repeat": 0}, "repeat must be a whole number of at least 1, not 0"),
        ({"repeat": 2.5}, "repeat must be a whole number"),
        ({"repeat": "three"}, "repeat must be a whole number of at least 1, not 'three'"),
        ({"workers": 0}, "workers must be a whole number of at least 1, not 0"),
        ({"workers": "two"}, "workers must be a whole number"),
        ({"approaches": "threads"}, r"approaches must be a list of names, such as \['threads'\]"),
        ({"approaches": ["magic"]}, "approach must be one of 'sync', 'threads', 'asyncio' or 'processes', not 'magic'"),
        ({"approaches": ["auto"]}, "approach must be one of"),
        ({"approaches": [None]}, "approach must be one of"),
        ({"approaches": ["threads:0"]}, "workers of 'threads:0' must be a whole number of at least 1"),
        ({"approaches": ["threads:two"]}, "'threads:two': the workers behind the colon must be a whole number"),
        ({"approaches": ["threads:-1"]}, "behind the colon"),
        ({"approaches": ["threads:"]}, "behind the colon"),
        ({"approaches": ["threads:1:2"]}, "behind the colon"),
        ({"async_fn": never}, "async_fn must be a coroutine function"),
        ({"async_fn": 5}, "async_fn must be a coroutine function"),
        ({"progress": "yes"}, "progress must be True, False or a callable, not 'yes'"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_named_with_what_would_be_right(wrong: dict[str, Any], message: str) -> None:
    """One sentence, and the function is not called."""
    with pytest.raises(errors.OptionError, match=message):
        corewise.compare(never, [1], **wrong)


@pytest.mark.parametrize("inputs", [(), ([],), (iter([]),), ([], [1]), ([1], iter([]))])
def test_no_items_are_refused(inputs: tuple[Any, ...]) -> None:
    """There is nothing to compare on."""
    with pytest.raises(errors.OptionError, match="no items"):
        corewise.compare(never, *inputs)


def test_what_is_no_function_or_no_input_is_refused() -> None:
    """As a mistake of types."""
    with pytest.raises(TypeError, match="must be a function, not int"):
        corewise.compare(5, [1])  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(TypeError, match="not iterable"):
        corewise.compare(never, 5)  # type: ignore[arg-type]  # as above


def test_what_the_input_raises_comes_through() -> None:
    """The input is read to its end first."""
    with pytest.raises(ZeroDivisionError):
        corewise.compare(compared.wait, (1 / number for number in (1, 0)))


def test_what_the_observer_raises_comes_through() -> None:
    """And ends the comparison."""

    def observer(_: corewise.Trial) -> None:
        raise LookupError("the observer's own")

    with pytest.raises(LookupError, match="the observer's own"):
        corewise.compare(compared.wait, [0.0], progress=observer)


def test_what_was_predicted_is_kept_beside_what_it_took() -> None:
    """For each row, with a band; and what would have been advised."""
    found = compared.case(corewise.compare(abs, range(30), approaches=["threads:2"], repeat=1))
    assert [row["label"] for row in found["rows"]] == ["sync", "threads:2"]
    for row in found["rows"]:
        low, middle, high = (row.get(f"predicted_{part}s") for part in ("low_", "", "high_"))
        assert low is not None
        assert middle is not None
        assert high is not None
        assert 0 <= low <= middle <= high
    advice = found.get("advice")
    assert advice is not None
    assert (advice["approach"], advice["items"]) == ("sync", 30)


def test_the_environment_does_not_reach_into_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sample is run plainly, whatever is forced on `map`."""
    monkeypatch.setenv("COREWISE_APPROACH", "asyncio")
    assert corewise.compare(abs, range(30), approaches=["threads"], repeat=1).best == "sync"
