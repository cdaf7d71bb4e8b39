"""From an expression, a file or Python code to the items, in this process."""

from __future__ import annotations

import re
import sys
import types
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.command import TARGETS
from corewise._cli import items
from corewise._cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULE = types.ModuleType("work")
MODULE.SIZES = [3, 4]  # type: ignore[attr-defined]
PLAIN = f"{TARGETS}/plain.py"


def _refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Failure) as caught:
        call()
    return f"{caught.value.message}\n{caught.value.hint}".strip()


def _of_expression(text: str, limit: int | None = None) -> list[object]:
    return items.from_expression(text, MODULE, limit).values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[10**7] * 2", [10**7, 10**7]),
        (" range(3)", [0, 1, 2]),
        ("[size * 2 for size in SIZES]", [6, 8]),
        ("(letter for letter in 'ab')", ["a", "b"]),
        ("{'a': 1}", ["a"]),
    ],
)
def test_an_expression_knows_the_names_of_the_module(text: str, values: list[object]) -> None:
    """It may use them, inside comprehensions too, and give any iterable."""
    assert _of_expression(text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "--items does not parse: '[' was never closed\n    [1, 2\n    ^"),
        ("1 +", "--items does not parse: invalid syntax\n    1 +\n       ^"),
        ("", "--items does not parse: invalid syntax\n    \n    ^"),
        ("[SIZE]", "raised NameError: name 'SIZE' is not defined\ndid you mean SIZES?"),
        ("[qqq]", "raised NameError: name 'qqq' is not defined\nknown are the names of work"),
        ("[1 / 0]", "raised ZeroDivisionError: division by zero"),
        ("(1 / zero for zero in [0])", "raised ZeroDivisionError: division by zero"),
        ("3", "--items gives an int, not a list or another iterable\nwrite a list: [3]"),
        ("'abc'", "--items gives a single text, 'abc'\nwrite a list: ['abc']"),
        ("exit()", "raised SystemExit"),
        ("a\0b", "--items does not parse"),
    ],
)
def test_an_expression_that_gives_no_items_is_refused_in_words(text: str, said: str) -> None:
    """The message says why, and points at the place where it does not parse."""
    assert said in _refusal(lambda: _of_expression(text))


def test_a_limit_takes_the_first_items() -> None:
    """Nothing behind them is asked for, so the source may be endless."""
    assert _of_expression("__import__('itertools').count()", limit=3) == [0, 1, 2]


def test_items_without_an_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would fill the memory; the message names the option that helps."""
    monkeypatch.setattr(items, "MOST_ITEMS", 1000)
    text = _refusal(lambda: _of_expression("__import__('itertools').count()"))
    assert text == "--items gives more than 1,000 items, perhaps without an end\ntake the first ones: --limit N"


def _file(folder: Path, text: str, name: str = "items.txt") -> items.Items:
    path = folder / name
    path.write_text(text, "utf-8")
    return items.from_file(str(path), None)


@pytest.mark.parametrize(
    ("text", "values", "form"),
    [
        ('[1, "two", null]', [1, "two", None], "a JSON array"),
        ('[\n  "a",\n  "b"\n]\n', ["a", "b"], "a JSON array"),
        ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}], "JSON lines"),
        ("[1, 2]\n\n[3, 4]\n", [[1, 2], [3, 4]], "JSON lines"),
        ("1\n2\n", [1, 2], "JSON lines"),
        ("1\ntwo\n", ["1", "two"], "one string a line"),
        (
            "https://a.example/\r\nhttps://b.example/\r\n",
            ["https://a.example/", "https://b.example/"],
            "one string a line",
        ),
        ("[info] first\n[info] second\n", ["[info] first", "[info] second"], "one string a line"),
        ("\ufeffone\n\n  two\n", ["one", "  two"], "one string a line"),
        ('"a\u2028b"\n', ["a\u2028b"], "JSON lines"),
    ],
)
def test_a_file_is_read_as_what_it_is(text: str, values: list[object], form: str, tmp_path: Path) -> None:
    """The form is told, so that the user can see whether it was meant that way."""
    found = _file(tmp_path, text)
    assert (found.values, found.origin.rpartition(", ")[2]) == (values, form)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "[1,\n2,,\n3]", "a.json, line 2, column 3: no JSON: "),
        ("a.json", '{"a": 1}', "a.json holds an object, not an array of items"),
        ("a.jsonl", "1\n{\n", "a.jsonl, line 2: no JSON: "),
        ("a.txt", "[1,\n2,,\n3]", "a.txt, line 2, column 3: no JSON: "),
        ("a.txt", '{"a": 1}\n\n{"a": \n', "a.txt, line 3: no JSON: "),
    ],
)
def test_a_broken_file_is_refused_with_the_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    """The line is the one of the file, blank ones counted."""
    assert said in _refusal(lambda: _file(tmp_path, text, name))


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    """The line and the byte are named."""
    path = tmp_path / "latin.txt"
    path.write_bytes(b"one\nt\xfcnf\n")
    assert _refusal(lambda: items.from_file(str(path), None)).endswith("latin.txt, line 2: not UTF-8 text (byte 0xfc)")


@pytest.mark.parametrize(("name", "said"), [("missing.txt", "cannot be read: No such file"), ("", "is a folder")])
def test_a_file_that_cannot_be_read_is_refused(name: str, said: str, tmp_path: Path) -> None:
    """The system's reason is told."""
    assert said in _refusal(lambda: items.from_file(str(tmp_path / name), None))


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), min_size=1))
def test_json_lines_give_back_what_was_written(values: list[dict[str, object]]) -> None:
    """Whatever the strings hold, line ends of other systems included."""
    import json

    text = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    assert items._parsed(text, "lines", ".jsonl") == (values, "JSON lines")


@pytest.mark.parametrize("name", ["NUMBERS", "numbers"])
def test_items_come_from_a_list_or_a_function(name: str) -> None:
    """A function is called; what it returns may be a generator."""
    assert items.from_code(f"{PLAIN}:{name}", None).values == [1, 2, 3]


def test_endless_items_from_code_are_cut_by_the_limit() -> None:
    """Only as many as asked for are taken."""
    assert len(items.from_code(f"{PLAIN}:ENDLESS", 5).values) == 5


def test_a_function_that_makes_no_items_is_told_with_its_place() -> None:
    """The error, the file and the line."""
    text = _refusal(lambda: items.from_code(f"{TARGETS}/trouble.py:makes_no_items", None))
    assert "raised RuntimeError: no items today" in text
    assert re.search(r"raised at .*trouble\.py, line \d+, in makes_no_items$", text)


def test_code_that_is_no_iterable_is_refused() -> None:
    """The message says what it is."""
    assert "gives an int, not a list" in _refusal(lambda: items.from_code("sys:maxsize", None))
    assert sys.maxsize > 0


def test_items_that_are_tuples_become_arguments() -> None:
    """One list per argument, as the verbs take them."""
    assert items.as_arguments([(1, 2), [3, 4]]) == [(1, 3), (2, 4)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([(1, 2), 3], "--star: item 1 is 3, not a tuple of arguments"),
        ([(1, 2), (3,)], "--star: item 1 has 1 arguments and item 0 has 2: (3,)"),
        ([()], "--star: item 0 is (), not a tuple of arguments"),
    ],
)
def test_items_that_are_no_tuples_are_refused_where_arguments_are_asked_for(values: list[object], said: str) -> None:
    """The first such item is named; none is cut to the shortest one in silence."""
    assert said in _refusal(lambda: items.as_arguments(values))
