"""From the text of a target to a function, in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.command import TARGETS
from corewise._cli.failure import Failure
from corewise._cli.target import load_function, load_object

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = str(TARGETS / "plain.py")


def _refusal(text: str) -> str:
    with pytest.raises(Failure) as caught:
        load_function(text)
    return f"{caught.value.message}\n{caught.value.hint}"


def test_a_function_of_a_file_is_found() -> None:
    """The file is imported under its stem, with its folder in front of the path, as a worker will find it."""
    target = load_function(f"{PLAIN}:square")
    assert (target.function(3), target.function.__module__, target.module.__name__) == (9, "plain", "plain")
    assert sys.path[0] == str(TARGETS)


def test_a_function_of_a_class_is_found() -> None:
    """A name may have dots."""
    assert load_function(f"{PLAIN}:Shape.corners").function(4) == 4


def test_a_function_of_an_installed_module_is_found() -> None:
    """A module is named with dots; so is a package's."""
    assert load_function("os.path:basename").function is os.path.basename


def test_a_file_is_imported_once() -> None:
    """The function, its async twin and the items of one file belong to one module."""
    first, second = load_function(f"{PLAIN}:square"), load_function(f"{PLAIN}:area")
    assert first.module is second.module


def test_a_module_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `python -m` does, and whichever way the command was started."""
    (tmp_path / "here_only.py").write_text("def work(item): return item\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_function("here_only:work").function(5) == 5


def test_a_module_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    """As in `python file.py`."""
    (tmp_path / "helper_beside.py").write_text("TEN = 10\n", "utf-8")
    (tmp_path / "uses_helper.py").write_text("import helper_beside\ndef ten(_): return helper_beside.TEN\n", "utf-8")
    assert load_function(f"{tmp_path}/uses_helper.py:ten").function(0) == 10


@pytest.mark.parametrize("stem", ["json", "rich", "with-dash", "with.dot", "click"])
def test_a_file_may_have_any_name(stem: str, tmp_path: Path) -> None:
    """Neither a module of that name nor a stem that is no name is in its way, and a new interpreter finds it too."""
    (tmp_path / f"{stem}.py").write_text("def twice(item): return 2 * item\n", "utf-8")
    target = load_function(f"{tmp_path}/{stem}.py:twice")
    assert target.function(4) == 8
    program = f"import sys; sys.path[:] = {sys.path}; import json, rich; json.loads, rich.print; "
    program += f"print(__import__({target.function.__module__!r}).twice(5))"
    printed = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "10\n"


def test_a_module_that_is_taken_keeps_its_meaning(tmp_path: Path) -> None:
    """A file called json.py does not take the place of the standard library's module."""
    import json

    (tmp_path / "json.py").write_text("def twice(item): return 2 * item\n", "utf-8")
    target = load_function(f"{tmp_path}/json.py:twice")
    assert sys.modules["json"] is json
    assert target.module.__file__ == str(tmp_path / "json.py")


def test_a_package_does_not_hide_a_file_of_its_name(tmp_path: Path) -> None:
    """The file that was named is the one that is run."""
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "__init__.py").write_text("", "utf-8")
    (tmp_path / "thing.py").write_text("def one(_): return 1\n", "utf-8")
    assert load_function(f"{tmp_path}/thing.py:one").function(0) == 1


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    """The message names the close one, and all functions of the module itself."""
    text = _refusal(f"{PLAIN}:sqare")
    assert "has no function 'sqare'" in text
    assert "did you mean 'square'? Functions there: Shape, area, length, numbers, square, square_async" in text


def test_a_file_that_is_nearly_right_is_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the close one."""
    monkeypatch.chdir(TARGETS)
    text = _refusal("plian.py:square")
    assert f"there is no file plian.py in {TARGETS}" in text
    assert "did you mean plain.py?" in text


def test_a_module_whose_file_is_here_is_suggested_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt module leads to the spelling of files."""
    monkeypatch.chdir(tmp_path)
    assert _refusal("nowhere.at_all:square") == (
        "there is no module named 'nowhere'\na file is named with its ending: work.py:function"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{PLAIN}", "names no function: write"),
        ("square", "must be file.py:NAME or package.module:NAME, not 'square'"),
        (f"{PLAIN}:", "names no function: write"),
        (f"{PLAIN}:NUMBERS", "is a list, which cannot be called"),
        (f"{TARGETS}:square", "is a folder; Python files in it: exits_on_import.py, "),
        (f"{TARGETS}/none/plain.py:square", "there is no folder"),
        (f"{TARGETS}/missing.py:square", "there is no file missing.py"),
        ("/dev/null:square", "is not a Python file: its name must end in .py"),
        ("not a name:square", "is neither a Python file nor a module's name"),
    ],
)
def test_a_target_that_is_none_is_refused_in_words(text: str, said: str) -> None:
    """The message says what it is instead."""
    assert said in _refusal(text)


def test_a_failing_import_shows_its_own_traceback_only() -> None:
    """It begins in the user's file and ends with the error; neither corewise nor the import system is in it."""
    with pytest.raises(Failure) as caught:
        load_function(f"{TARGETS}/fails_on_import.py:square")
    lines = caught.value.shown.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{TARGETS}/fails_on_import.py", line 8, in <module>'
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "importlib" not in caught.value.shown
    assert caught.value.message.endswith("failed: ZeroDivisionError: division by zero")


def test_a_file_that_does_not_parse_shows_the_place(tmp_path: Path) -> None:
    """The traceback of a syntax error is its place."""
    (tmp_path / "half.py").write_text("def half(:\n", "utf-8")
    with pytest.raises(Failure) as caught:
        load_function(f"{tmp_path}/half.py:half")
    assert caught.value.shown.startswith(f'  File "{tmp_path}/half.py", line 1\n    def half(:\n')


def test_a_module_that_misses_another_is_not_taken_for_missing() -> None:
    """What is missing is named, and where it is imported."""
    with pytest.raises(Failure) as caught:
        load_function(f"{TARGETS}/needs_what_is_missing.py:square")
    assert "failed: ModuleNotFoundError: No module named 'a_module_that_nobody_has'" in caught.value.message
    assert "line 3, in <module>" in caught.value.shown


def test_a_module_that_ends_the_program_does_not_end_this_one() -> None:
    """The exit is told, with the cure."""
    text = _refusal(f"{TARGETS}/exits_on_import.py:square")
    assert "called sys.exit(4)" in text
    assert "if __name__ == '__main__':" in text


def test_a_file_of_a_package_leads_to_the_spelling_of_modules(tmp_path: Path) -> None:
    """A relative import cannot work in a file that is run by itself."""
    (tmp_path / "inside.py").write_text("from . import other\n", "utf-8")
    assert "a file inside a package is named as a module" in _refusal(f"{tmp_path}/inside.py:work")


def test_an_object_need_not_be_a_function() -> None:
    """Items may come from a list."""
    assert load_object(f"{PLAIN}:NUMBERS", "--items-from")[0] == [1, 2, 3]
