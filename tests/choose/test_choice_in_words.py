"""The sentence behind a choice: it quotes what was measured, and there is one for every reason there is."""

from __future__ import annotations

import ast
import inspect

import pytest

from corewise._choose import rule
from corewise._choose.explain import explain
from corewise._types import numbers
from corewise._types.choice import Choice, Sample


def choice(code: str, sample: Sample | None) -> Choice:
    """Return a choice for some reason."""
    return Choice(approach="processes", workers=2, asked="auto", code=code, why="", sample=sample)


SAMPLE = Sample(items=3, wall_s=0.6, cpu_s=0.48, remaining=50)
MEASURED = (
    f"the first 3 items took {numbers.seconds(0.6)}, {numbers.share(0.8)} of it computing; "
    f"about {numbers.seconds(10.0)} remain; "
)

CODES = {
    "too-short": "too little is left for workers to repay their start",
    "waits": "it waits more than it computes, and waits overlap in threads",
    "one-core": "it may use one core only, which a plain loop uses as well",
    "waits-seeded": "it waits more than it computes; with a seed each item has random numbers of its own",
    "seeded-but-cannot-travel": "with a seed each item has random numbers of its own, which threads would share, "
    "and captured variable 'lock' is a lock",
    "computes": "computing uses more cores in processes",
    "computes-but-cannot-travel": "computing would gain from processes, but captured variable 'lock' is a lock",
    "would-be-lost": "it appends to seen (work.py, line 3), which processes would do to copies of their own",
}


@pytest.mark.parametrize("code", CODES)
def test_a_measured_choice_quotes_its_figures_and_its_reason(code: str) -> None:
    """How many items, how long, how much of it computing, how much is left."""
    sentence = explain(
        choice(code, SAMPLE),
        forbidden="captured variable 'lock' is a lock",
        lost="it appends to seen (work.py, line 3)",
    )
    assert sentence.startswith(MEASURED + CODES[code])


def test_every_reason_that_the_rule_can_give_has_its_words() -> None:
    """Read off the rule itself, so that a new reason without words fails here."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(rule))) if isinstance(node, ast.Call)]
    codes = {
        call.args[2].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "made" and isinstance(call.args[2], ast.Constant)
    }
    assert codes == set(CODES)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (Sample(items=1, wall_s=0.021, cpu_s=0.0, remaining=4), f"the first item took {numbers.seconds(0.021)}, "),
        (Sample(items=1, wall_s=0.021, cpu_s=0.0, remaining=4), f"{numbers.share(0.0)} of it computing; "),
        (Sample(items=1, wall_s=0.021, cpu_s=0.0, remaining=4), f"; about {numbers.seconds(4 * 0.021)} remain; "),
        (Sample(items=2, wall_s=2.0, cpu_s=2.0, remaining=None), "; an unknown number remains; "),
        (Sample(items=5000, wall_s=0.02, cpu_s=0.02, remaining=0), "the first 5000 items took "),
        (Sample(items=5000, wall_s=0.02, cpu_s=0.02, remaining=0), "; nothing remains; "),
        (Sample(items=1, wall_s=1.0, cpu_s=0.5, remaining=1, queued_s=0.5), f"{numbers.share(1.0)} of it computing"),
    ],
)
def test_figures_are_said_as_they_are(sample: Sample, expected: str) -> None:
    """One item or many, a known rest or not, beside busy neighbours or alone."""
    assert expected in explain(choice("computes", sample))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("asked", "as asked for"),
        ("environment", "as the environment variable COREWISE_APPROACH says"),
        ("coroutine", "a coroutine function: its waits overlap in one event loop"),
        ("time-limit", "a time limit needs workers that can be killed, so nothing was tried in the caller either"),
    ],
)
def test_a_choice_without_measurement_says_where_it_comes_from(code: str, expected: str) -> None:
    """Nothing is quoted that was not measured."""
    assert explain(choice(code, None)) == expected


def test_a_choice_prints_as_a_sentence() -> None:
    """With its number of workers, in the right number."""
    one = Choice(approach="sync", workers=1, asked="sync", code="asked", why="as asked for")
    assert str(one) == "sync, 1 worker: as asked for"
    assert str(one.replace(approach="threads", workers=8)) == "threads, 8 workers: as asked for"
