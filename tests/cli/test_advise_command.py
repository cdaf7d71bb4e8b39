"""The command `advise`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json

import pytest

from cli.command import corewise, error_of

ADVISE = ("advise", "plain.py:square", "--items", "range(50)")


def test_it_says_what_to_use_and_what_each_approach_takes() -> None:
    """On standard output; where the items came from is told on standard error."""
    finished = corewise(*ADVISE)
    assert finished.returncode == 0, finished.stderr
    for words in ("plain.square", "50 of 50 items run", "Use sync", "Predicted for 50 items", "asyncio cannot be used"):
        assert words in finished.stdout
    assert finished.stderr == "corewise: 50 items from --items\n"


def test_quietly_it_says_one_line() -> None:
    """The approach first, then the reason."""
    finished = corewise(*ADVISE, "--quiet")
    assert finished.stdout.startswith("plain.py:square: sync, 1 worker: ")
    assert finished.stdout.count("\n") == 1
    assert finished.stderr == ""


def test_the_document_alone_goes_to_standard_output() -> None:
    """With ``-``; else into a file, beside the drawing."""
    finished = corewise(*ADVISE, "--json", "-")
    document = json.loads(finished.stdout)
    assert (document["format"], document["items"]) == ("corewise-advice", 50)


def test_a_coroutine_function_and_several_arguments() -> None:
    """As for `compare`."""
    finished = corewise("advise", "plain.py:square_async", "--items", "range(200)")
    assert finished.returncode == 0, finished.stderr
    assert "Use asyncio with 100 coroutines at once." in finished.stdout
    assert corewise("advise", "plain.py:area", "--star", "--items", "[(2, 3), (4, 5)]").returncode == 0


@pytest.mark.parametrize("columns", ["30", "40", "80"])
def test_it_fits_the_columns(columns: str) -> None:
    """No line is longer, and none ends in blanks."""
    lines = corewise(*ADVISE, env={"COLUMNS": columns}).stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert [line for line in lines if line != line.rstrip()] == []


def test_letters_that_the_stream_lacks_are_respelled() -> None:
    """No error, and no sign is lost without a trace."""
    finished = corewise(*ADVISE, env={"PYTHONIOENCODING": "ascii"})
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.isascii()


def test_a_function_that_fails_is_told_with_its_item() -> None:
    """One message, exit code 1."""
    finished = corewise("advise", "plain.py:square", "--items", "[1, 'two']")
    assert finished.returncode == 1
    message = error_of(finished)
    assert message.startswith("plain.py:square raised TypeError")
    assert "item 1: 'two'" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("advise",), "Missing argument 'TARGET'"),
        (("advise", "plain.py:square"), "needs items to work on"),
        (("advise", "plain.py:square", "--items", "[]"), "there are no items"),
        ((*ADVISE, "--approaches", "sync,fibers"), "fibers"),
        ((*ADVISE, "--workers", "0"), "workers"),
    ],
)
def test_what_is_typed_wrong_is_said(arguments: tuple[str, ...], words: str) -> None:
    """With exit code 2."""
    finished = corewise(*arguments)
    assert finished.returncode == 2
    assert words in error_of(finished)


@pytest.mark.parametrize("command", ["advise", "compare"])
def test_the_examples_in_the_help_have_a_line_each(command: str) -> None:
    """To be copied."""
    lines = [line.strip() for line in corewise(command, "--help").stdout.splitlines()]
    assert f'corewise {command} work.py:render --items "range(20)"' in lines
