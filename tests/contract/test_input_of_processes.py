"""What a process reads from its standard input: nothing, and nothing of its parent's."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

import corewise

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is inherited where nothing is forked")


def run(target: Any) -> Any:
    """Return what a forked process returns."""
    process = corewise.Process(target=target, start_method="fork")
    process.start()
    try:
        return process.result(15)
    finally:
        process.join()
        process.close()


def reads() -> tuple[str, bytes, bool, bool]:
    """Read by the text file, by its descriptor, and say whether the one before is closed and this one a terminal."""
    return sys.stdin.read(), os.read(sys.stdin.fileno(), 1), sys.__stdin__.closed, sys.stdin.isatty()  # type: ignore[union-attr]


def asks() -> str:
    """Ask for a line."""
    try:
        return input()
    except EOFError:
        return "no line"


def closes_and_starts() -> tuple[Any, Any, bool]:
    """Start a process before the input is closed, and one after."""
    first, mine = run(reads), sys.stdin
    mine.close()
    return first, run(reads), mine.closed


@pytest.fixture(autouse=True)
def _some_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "input").write_text("a line\n", "utf-8")
    with (tmp_path / "input").open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        monkeypatch.setattr(sys, "__stdin__", file)
        yield
        assert file.read() == "a line\n", "a process has read its parent's input"


def test_a_process_has_an_empty_input_of_its_own() -> None:
    """It ends at once, as text and as a descriptor, and the parent's is closed there."""
    for _ in range(2):
        assert run(reads) == ("", b"", True, False)
    assert run(asks) == "no line"


def test_so_has_its_own_child() -> None:
    """Also when the child has closed its own."""
    empty = ("", b"", True, False)
    assert run(closes_and_starts) == (empty, empty, True)


def test_without_an_input_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program without a console."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        assert run(lambda: sys.stdin) is None
