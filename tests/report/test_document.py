"""The document is stored whole or not at all, reads back the same, and is refused with the key that is wrong."""

from __future__ import annotations

import copy
import json
import os
import stat
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corewise._report import document
from corewise.errors import CorewiseError, DocumentError
from report import made_up, samples

if TYPE_CHECKING:
    from pathlib import Path

    from corewise._types.comparison import Case

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes are other things there")


def damaged(where: str, value: object) -> dict[str, Any]:
    """Return the sample document with one key changed; a path such as ``cases/0/rows``."""
    whole = copy.deepcopy(samples.sample())
    *way, last = [int(step) if step.isdigit() else step for step in where.split("/")]
    place: Any = whole
    for step in way:
        place = place[step]
    place[last] = value
    return whole  # type: ignore[return-value]


def test_a_document_reads_back_the_same(tmp_path: Path) -> None:
    """What was stored is loaded again, figure by figure."""
    stored = samples.sample()
    document.dump(stored, tmp_path / "comparison.json")
    assert document.load(tmp_path / "comparison.json") == stored


@given(made=st.lists(made_up.cases(), max_size=2))
def test_any_comparison_reads_back_the_same(made: list[Case]) -> None:
    """Whatever the figures and however odd the texts, half a surrogate pair included."""
    stored = samples.sample([{**one, "name": one["name"] + "\udce9"} for one in made])
    assert document.loads(document.dumps(stored)) == stored


def test_the_text_is_stable_and_sorted() -> None:
    """Equal documents give equal texts, whatever order their keys were set in; letters stay legible."""
    stored = samples.sample()
    turned = dict(reversed(list(stored.items())))
    text = document.dumps(stored)
    assert document.dumps(turned) == text  # type: ignore[arg-type]
    assert text.endswith("}\n")
    assert "1.97 times faster" in text
    assert "0.99×" in text
    keys = list(json.loads(text))
    assert keys == sorted(keys)


def test_a_new_document_knows_its_format_and_its_time() -> None:
    """Format, version and a time in UTC are filled in."""
    made = document.new_document(samples.machine(), [], [], "0.1.0")
    assert (made["format"], made["version"], made["corewise"]) == ("corewise-comparison", 1, "0.1.0")
    assert datetime.fromisoformat(made["created"]).utcoffset() == timedelta(0)
    assert document.check(made) is made


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("machine", None, "machine: expected an object, found null"),
        ("machine/cores", "two", 'machine.cores: expected a whole number, found "two"'),
        ("machine/cores", 2.0, "machine.cores: expected a whole number, found 2.0"),
        ("machine/gil", 1, "machine.gil: expected true or false, found 1"),
        ("cases", {}, "cases: expected a list, found an object {}"),
        ("cases/0", "case", 'cases[0]: expected an object, found "case"'),
        ("cases/0/name", 7, "cases[0].name: expected a text, found 7"),
        ("cases/0/kind", "class", 'cases[0].kind: expected "function" or "coroutine function", found "class"'),
        ("cases/0/rows/2/wall_s", 1.0, "cases[0].rows[2].wall_s: expected a list, found 1.0"),
        ("cases/0/rows/2/wall_s/1", "x", 'cases[0].rows[2].wall_s[1]: expected a number, found "x"'),
        ("cases/0/rows/2/speedup", "x", 'cases[0].rows[2].speedup: expected a number or null, found "x"'),
        ("cases/0/rows/2/speedup", float("nan"), "cases[0].rows[2].speedup: expected a number or null, found NaN"),
        ("cases/0/rows/2/status", "fine", 'cases[0].rows[2].status: expected "ok" or "failed" or "skipped", found'),
        ("cases/4/difference", 3, "cases[4].difference: expected an object or null, found 3"),
        ("cases/4/difference/item", "7", 'cases[4].difference.item: expected a whole number, found "7"'),
        ("lesson/1/when", None, "lesson[1].when: expected a text, found null"),
        ("created", "x" * 0 or [], "created: expected a text, found a list []"),
        ("version", "1", "version: expected a whole number from 1 on, found '1'"),
        ("version", True, "version: expected a whole number from 1 on, found True"),
        ("format", "other", "its format is 'other', expected \"corewise-comparison\""),
    ],
)
def test_a_wrong_value_is_named_by_its_key(where: str, value: object, message: str) -> None:
    """The error says where, what was expected and what was found."""
    with pytest.raises(DocumentError) as caught:
        document.check(damaged(where, value))
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["machine", "cases", "lesson", "created", "corewise", "format", "version"])
def test_a_missing_key_is_named(key: str) -> None:
    """At the top as deep inside."""
    whole = dict(samples.sample())
    del whole[key]
    with pytest.raises(DocumentError, match=key):
        document.check(whole)
    inner = damaged("cases/0/rows/1/label", "x")
    del inner["cases"][0]["rows"][1]["label"]
    with pytest.raises(DocumentError, match=r"cases\[0\]\.rows\[1\]\.label: this key is missing"):
        document.check(inner)


def test_a_whole_number_will_do_for_a_figure() -> None:
    """Other programs write 2 for 2.0."""
    whole = damaged("cases/0/rows/0/wall_median_s", 2)
    assert document.check(whole) is whole


def test_an_unknown_key_is_no_error() -> None:
    """A later corewise may add keys without a new version."""
    whole = damaged("cases/0/gpu", {"model": "none"})
    assert document.check(whole) is whole


def test_a_newer_version_is_refused_naming_both() -> None:
    """The reader learns what wrote the document and what to install."""
    with pytest.raises(DocumentError) as caught:
        document.check({"format": "corewise-comparison", "version": 7, "corewise": "3.2.1"})
    message = str(caught.value)
    assert "has version 7" in message
    assert "versions up to 1" in message
    assert "written by corewise 3.2.1" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not JSON: Expecting value in line 1, column 1"),
        ('{"format": ', "this is not JSON"),
        ("[1, 2]", "this is no comparison document: expected a JSON object, found list"),
        ('{"a": 1}', 'it has no key "format"'),
        ('{"format": NaN}', "it holds NaN, which is no figure"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    """Empty, torn, of another kind, or hostile."""
    with pytest.raises(DocumentError) as caught:
        document.loads(text)
    assert message in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or not text at all; the errors are of one family."""
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\xff\xfe")
    torn = tmp_path / "torn.json"
    torn.write_text("{", encoding="utf-8")
    for path in (tmp_path / "missing.json", tmp_path, binary, torn):
        with pytest.raises(DocumentError, match=path.name) as caught:
            document.load(path)
        assert isinstance(caught.value, CorewiseError)
        assert isinstance(caught.value, ValueError)


def test_a_document_from_another_editor_is_read(tmp_path: Path) -> None:
    """A byte order mark at the start is no error."""
    path = tmp_path / "marked.json"
    path.write_text(document.dumps(samples.sample()), encoding="utf-8-sig")
    assert document.load(path) == samples.sample()


def test_a_failed_write_leaves_the_old_document(tmp_path: Path) -> None:
    """A figure that JSON cannot hold is found before the file is touched; nothing else is left in the folder."""
    path = tmp_path / "comparison.json"
    document.dump(samples.sample(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        document.dump(damaged("cases/0/spent_s", float("inf")), path)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_full_disk_leaves_the_old_document(tmp_path: Path) -> None:
    """A write that breaks off half-way takes its own remains away and nothing else."""
    import resource

    path = tmp_path / "comparison.json"
    path.write_text("old", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            document.dump(samples.sample(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_links_and_modes_survive(tmp_path: Path) -> None:
    """Writing over a link changes the file that it points to, which keeps its mode."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    document.dump(samples.sample(), link)
    assert link.is_symlink()
    assert document.load(real) == samples.sample()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@POSIX
def test_a_pipe_is_written_to_directly(tmp_path: Path) -> None:
    """Something that is no file cannot be replaced by one; what is written arrives at its other end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        document.write_text("short", path)
        assert os.read(reader, 100) == b"short"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
