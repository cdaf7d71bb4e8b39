"""The reference pages list what there is: all of it, and nothing else."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import corewise
from corewise import errors
from corewise._choose import explain, undecided, vetoes
from corewise._types import comparison
from corewise._types.options import Options
from corewise._types.record import Record

REFERENCE = Path(__file__).parents[2] / "docs/reference"
OBJECTS = [
    comparison.Document,
    comparison.Machine,
    comparison.Case,
    comparison.Row,
    comparison.Difference,
    comparison.Note,
    comparison.Recommendation,
    comparison.Advised,
    comparison.LessonRow,
]
RECORDS = [
    name for name in corewise.__all__ if inspect.isclass(one := getattr(corewise, name)) and issubclass(one, Record)
]


def _section(page: str, heading: str) -> str:
    """Return a page's text below a heading, up to the next one."""
    text = (REFERENCE / page).read_text("utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no heading {heading!r}"
    return found[1]


def _first_cells(section: str) -> list[str]:
    """Return the names in the first column of a section's tables."""
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("kind", OBJECTS, ids=lambda kind: kind.__name__)
def test_every_key_of_the_document_is_described_in_order(kind: Any) -> None:
    """Each object's table has its keys."""
    assert _first_cells(_section("document.md", kind.__name__)) == list(get_type_hints(kind))


def test_every_code_of_a_note_is_named() -> None:
    """Scripts read the codes."""
    source = inspect.getsource(comparison.Note)
    codes = re.findall(r'"([\w-]+)"', source)
    assert codes
    assert [code for code in codes if f"`{code}`" not in _section("document.md", "Note")] == []


def test_every_argument_of_map_is_listed() -> None:
    """Its own parameters and those of the options."""
    own = [name for name in inspect.signature(corewise.map).parameters if name not in {"fn", "iterables", "options"}]
    listed = _first_cells(_section("api.md", "`corewise.map(fn, *iterables, ...)` → `Results`"))
    options = [name for name in Options._fields if name != "buffer"]
    assert sorted(listed) == sorted(["fn", "*iterables", *own, *options])


def test_every_argument_of_stream_is_listed() -> None:
    """Those of map, which it refers to, and the one that map has not."""
    assert inspect.signature(corewise.stream).parameters.keys() == inspect.signature(corewise.map).parameters.keys()
    assert _first_cells(_section("api.md", "`corewise.stream(fn, *iterables, ...)` → `Stream`")) == ["buffer"]


def test_what_is_awaited_takes_the_same_arguments() -> None:
    """The reference page says so."""
    assert inspect.signature(corewise.amap).parameters.keys() == inspect.signature(corewise.map).parameters.keys()
    assert inspect.signature(corewise.astream).parameters.keys() == inspect.signature(corewise.stream).parameters.keys()


def test_every_argument_of_compare_is_listed() -> None:
    """In the order of its signature."""
    own = [name for name in inspect.signature(corewise.compare).parameters if name not in {"fn", "iterables"}]
    assert _first_cells(_section("api.md", "`corewise.compare(fn, *iterables, ...)` → `Comparison`")) == own


def test_every_public_name_is_listed() -> None:
    """Functions, types, and the module of the errors."""
    page = (REFERENCE / "api.md").read_text("utf-8")
    missing = [name for name in corewise.__all__ if f"`{name}`" not in page and f"`corewise.{name}" not in page]
    assert missing == []


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_of_a_record_is_listed_in_order(name: str) -> None:
    """The line of a record names its fields first."""
    line = next(line for line in _section("api.md", "Types").splitlines() if line.startswith(f"| `{name}` |"))
    fields = re.findall(r"`(\w+)`", line.split("|")[3].partition(";")[0])
    assert fields == list(getattr(corewise, name)._fields)


def test_every_error_is_listed() -> None:
    """All that can be caught."""
    listed = [*_first_cells(_section("api.md", "Errors")), "RemoteTraceback"]
    assert sorted(listed) == sorted(errors.__all__)


def test_every_code_of_a_choice_is_listed() -> None:
    """Those that have a sentence, and the vetoes."""
    vetoed = set(re.findall(r'code="([\w-]+)"', inspect.getsource(vetoes)))
    assert vetoed
    codes = {*undecided.REASONS, *explain.REASONS, *vetoed}
    assert [code for code in codes if f"`{code}`" not in _section("api.md", "Types")] == []
