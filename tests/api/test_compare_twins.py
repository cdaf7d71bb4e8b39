"""A plain function is compared with its async twin: what the twin is held against, and how it is told."""

from __future__ import annotations

import asyncio
import io
import time
from typing import TYPE_CHECKING, Any

import compared
import pytest

import corewise
from corewise import errors
from corewise._report import document as documents

if TYPE_CHECKING:
    from pathlib import Path

ALL = ["sync", "threads", "asyncio", "processes"]
ITEMS = [0.02] * 6


@pytest.fixture(scope="module")
def waiting() -> corewise.Comparison:
    """Compare waits by all approaches, asyncio by the twin."""
    return corewise.compare(compared.wait, ITEMS, async_fn=compared.wait_later, repeat=1)


def test_a_twin_stands_beside_all_other_approaches(waiting: corewise.Comparison) -> None:
    """Measured and predicted: it overlaps what the plain loop does not."""
    rows = compared.rows(waiting)
    assert compared.statuses(waiting) == dict.fromkeys(ALL, "ok")
    assert {label: row["runs"] for label, row in rows.items()} == {
        **dict.fromkeys(ALL, "function"),
        "asyncio": "async function",
    }
    predicted = {label: row.get("predicted_s") or 0.0 for label, row in rows.items()}
    assert 0 < predicted["asyncio"] < predicted["sync"] / 2


def test_every_report_names_the_twin(waiting: corewise.Comparison, tmp_path: Path) -> None:
    """The terminal, the page, the document and the words; only the row that ran it says so."""
    shown = io.StringIO()
    waiting.show(shown, width=120)
    assert "async: compared.wait_later" in shown.getvalue()
    assert "compared.wait_later" in waiting.to_html(tmp_path / "page.html")
    case = compared.case(waiting)
    assert case["async_function"] == "compared.wait_later"
    assert documents.loads(waiting.to_json()) == waiting.document
    named = [row["label"] for row in case["rows"] if row["verdict"].endswith("It ran compared.wait_later.")]
    assert named == ["asyncio"]


def test_a_twin_of_several_arguments_gets_them_all() -> None:
    """One from each input, as the plain function does."""
    found = corewise.compare(compared.add, [1, 2], [3, 4], async_fn=compared.add_later, repeat=1)
    assert compared.case(found)["difference"] is None
    assert compared.statuses(found) == dict.fromkeys(ALL, "ok")


def test_a_twin_that_gives_something_else_is_told_and_never_recommended() -> None:
    """With its name, as nobody knows which of the two is wrong."""

    async def wait_less(seconds: float) -> float:
        await asyncio.sleep(0)
        return seconds / 2

    found = corewise.compare(compared.wait, ITEMS, approaches=["asyncio"], async_fn=wait_less, repeat=1)
    difference = compared.case(found)["difference"]
    assert difference is not None
    assert (difference["approach"], difference["against"], difference["item"]) == ("asyncio", "sync", 0)
    (note,) = [note["text"] for note in compared.case(found)["notes"] if note["code"] == "different-results"]
    assert "wait_less" in note
    assert "both functions" in note
    assert found.best != "asyncio"


def test_a_twin_that_raises_fails_by_itself() -> None:
    """Its row says what, where and of which function."""

    async def refuses(seconds: float) -> float:
        raise ConnectionError(f"nobody answers after {seconds} s")

    found = corewise.compare(compared.wait, ITEMS, approaches=["asyncio"], async_fn=refuses, repeat=1)
    documents.check(found.document)
    assert compared.statuses(found) == {"sync": "ok", "asyncio": "failed"}
    row = compared.rows(found)["asyncio"]
    assert row["problem"] == "ConnectionError: nobody answers after 0.02 s (item 0: 0.02)"
    assert "refuses" in row["verdict"]


def test_a_twin_that_never_returns_is_stopped() -> None:
    """Twice, as its first call is run untimed."""

    async def hangs(_: float) -> float:
        compared.hang()
        return 0.0

    found = corewise.compare(compared.wait, [0.01] * 2, approaches=["asyncio"], async_fn=hangs, repeat=1, budget=0.3)
    assert compared.statuses(found) == {"sync": "ok", "asyncio": "failed"}
    assert "did not return within" in str(compared.rows(found)["asyncio"]["problem"])


def test_the_first_call_of_a_twin_is_not_timed(tmp_path: Path) -> None:
    """It imports, and opens what it keeps, as the first one of the plain function does."""
    path = tmp_path / "calls"

    async def told(number: int) -> int:
        with path.open("a", encoding="ascii") as file:
            file.write(f"{number}\n")
        return number

    def plain(number: int) -> int:
        time.sleep(0.001)
        return number

    corewise.compare(plain, range(3), approaches=["asyncio"], async_fn=told, repeat=2)
    assert path.read_text("ascii").split() == ["0", *"012", *"012"]
    path.unlink()
    corewise.compare(plain, range(3), approaches=["threads"], async_fn=told, repeat=1)
    assert not path.exists()


@pytest.mark.parametrize(
    ("fn", "twin", "message"),
    [
        (compared.wait, compared.wait, "async_fn must be a coroutine function"),
        (compared.wait_later, compared.wait_later, "wait_later is a coroutine function itself; leave async_fn out"),
    ],
)
def test_what_is_no_twin_is_refused(fn: Any, twin: Any, message: str) -> None:
    """Before anything is run."""
    with pytest.raises(errors.OptionError, match=message):
        corewise.compare(fn, [3600.0], async_fn=twin)
