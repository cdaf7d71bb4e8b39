"""`effects_of`: what a function does to objects outside is found, and what it does to its own is not."""

from __future__ import annotations

import dis
import functools
import gc
import json
import re
import sys
import time
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import harmful_to_globals
import harmful_to_others
import harmless_computing
import harmless_plumbing
import numpy as np
import pytest

from corewise._measure import effects, frame
from corewise._measure.bytecode import steps_of
from corewise._measure.effects import effects_of
from corewise._measure.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from specimens import Specimen

HARMLESS = harmless_computing.WORKS + harmless_plumbing.WORKS
HARMFUL = harmful_to_globals.WORKS + harmful_to_others.WORKS
CALLED: list[str] = []
SAYS_ITSELF = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="before 3.13 CPython is not exact about PRECALL and RETURN_GENERATOR"
)


def _name(work: object) -> str:
    return getattr(work, "__qualname__", None) or type(work).__name__


def _all_functions(share: int) -> list[FunctionType]:
    """Every so-many-th function that this process has loaded, mostly of the standard library, NumPy and pytest."""
    gc.unfreeze()  # what was there when the tests began is not listed otherwise, see tests/conftest.py
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
    gc.freeze()
    return sorted(functions, key=lambda function: (function.__module__ or "", function.__qualname__))[::share]


@pytest.mark.parametrize("work", HARMLESS, ids=_name)
def test_nothing_is_said_of_a_function_that_keeps_to_itself(work: Callable[..., object]) -> None:
    """No effect is found, and that is not because the bytecode could not be read."""
    analysis = effects._Analysis()
    assert analysis.effects(work) == ()
    assert analysis.broken == []


@pytest.mark.parametrize("specimen", HARMFUL, ids=lambda specimen: _name(specimen[0]))
def test_a_change_outside_is_found(specimen: Specimen) -> None:
    """What is changed is named, what is certain is certain, and nothing else is found."""
    work, certain, noted = specimen
    found = effects_of(work)
    assert sorted((one.kind, one.name, one.how) for one in found if one.certain) == sorted(certain)
    assert sorted((one.kind, one.name, one.how) for one in found if not one.certain) == sorted(noted)
    assert [one.certain for one in found] == sorted((one.certain for one in found), reverse=True)


def test_the_place_is_named() -> None:
    """File and line are those of the very statement, in the function that holds it."""
    (effect,) = effects_of(harmful_to_others.by_helpers)
    assert effect.file == harmful_to_others.__file__
    assert effect.line == harmful_to_others.third.__code__.co_firstlineno + 1


@pytest.mark.parametrize("work", [len, print, str.upper, [].append, dict, object(), 3, np.dot, re.compile])
def test_what_cannot_be_read_has_no_effects(work: Any) -> None:
    """C functions, built-in types, library functions and things that are no functions give nothing."""
    assert effects_of(work) == ()


def test_libraries_are_left_alone() -> None:
    """The standard library and installed packages keep caches of their own; nobody asks them to share these."""

    def work(text: str) -> object:
        return re.sub("a", "b", text), json.loads(text), np.random.default_rng(1)

    assert effects_of(work) == ()
    assert effects_of(json.dumps) == ()
    assert effects_of(pytest.approx) == ()


def test_another_implementation_of_python_has_no_such_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found, rather than something wrong."""
    monkeypatch.setattr(sys, "implementation", SimpleNamespace(name="pypy"))
    assert effects_of(harmful_to_globals.appends) == ()


class _Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        CALLED.append(f"type.{name}")
        return type.__getattribute__(cls, name)


class _Jealous(metaclass=_Meta):
    """Writes down whoever asks it for anything."""

    rows: list[int]

    def __init__(self) -> None:
        object.__setattr__(self, "rows", [])

    def __getattribute__(self, name: str) -> Any:
        CALLED.append(name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        CALLED.append(name)

    def __setitem__(self, key: object, value: object) -> None:
        CALLED.append("[]")

    def __eq__(self, other: object) -> bool:
        CALLED.append("==")
        return True

    def __hash__(self) -> int:
        CALLED.append("hash")
        return 0

    def __bool__(self) -> bool:
        CALLED.append("bool")
        return True

    @property
    def made(self) -> list[int]:
        CALLED.append("made")
        return []


class _Open:
    @property
    def made(self) -> list[int]:
        CALLED.append("made")
        return []

    @functools.cached_property
    def kept(self) -> list[int]:
        CALLED.append("kept")
        return []

    def __getattr__(self, name: str) -> Any:
        CALLED.append(name)
        raise AttributeError(name)


JEALOUS, OPEN = _Jealous(), _Open()


def _asks_much(x: Any) -> object:
    JEALOUS.rows.append(x)
    JEALOUS.made.append(x)
    JEALOUS.other = x
    JEALOUS[x] = 1
    OPEN.made.append(x)
    OPEN.kept.append(x)
    OPEN.missing.append(x)
    _Jealous.rows.append(x)
    place = JEALOUS or OPEN
    place.found.append(x)
    return place == JEALOUS


def test_no_code_of_the_user_is_run() -> None:
    """Properties, `__getattr__`, `__eq__`, metaclasses and the like are not asked, and nothing is certain then."""
    CALLED.clear()
    found = effects_of(_asks_much)
    found += effects_of(JEALOUS) + effects_of(_Jealous) + effects_of(functools.partial(_asks_much, JEALOUS))
    seen, CALLED[:] = list(CALLED), []
    assert seen == []
    assert found != ()
    assert [one for one in found if one.certain] == []


def test_functions_that_call_each_other_in_a_ring_come_to_an_end() -> None:
    """Recursion is looked into once, directly and by way of another function."""
    seen: list[int] = []

    def one(n: int) -> None:
        seen.append(n)
        other(n)

    def other(n: int) -> None:
        one(n - 1)

    assert [(effect.name, effect.how) for effect in effects_of(other)] == [("seen", "appends to")]


@pytest.mark.parametrize(("calls", "found"), [(effects._DEPTH, 1), (effects._DEPTH + 1, 0)])
def test_calls_are_followed_to_a_certain_depth(calls: int, found: int) -> None:
    """What is further away is left alone."""
    seen: list[int] = []

    def wrapped(inner: Callable[[int], object]) -> Callable[[int], object]:
        return lambda n: inner(n)  # noqa: PLW0108 - the call is what counts

    work: Callable[[int], object] = lambda n: seen.append(n)  # noqa: E731, PLW0108 - a C function has no depth
    for _ in range(calls):
        work = wrapped(work)
    assert len(effects_of(work)) == found


def test_instructions_are_read_as_dis_reads_them() -> None:
    """Names, arguments, targets of jumps and handlers of exceptions agree with `dis`."""
    codes = {function.__code__ for function in _all_functions(share=7)}
    assert len(codes) > 500
    for code in codes:
        steps = steps_of(code)
        shown = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "EXTENDED_ARG")]
        assert [(step.offset, step.name) for step in steps] == [(one.offset, one.opname) for one in shown]
        table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        for step, one in zip(steps, shown, strict=True):
            assert one.arg in (None, step.arg)
            if one.opcode in dis.hasjrel:
                assert _extended(code.co_code, one.argval) == steps[step.target].offset
            handlers = [entry for entry in table if entry.start <= step.offset < entry.end]
            assert bool(handlers) == (step.handler is not None)
            for entry in handlers:
                target, kept, added = step.handler or (-1, -1, -1)
                assert _extended(code.co_code, entry.target) == steps[target].offset
                assert (kept, added) == (entry.depth, 1 + entry.lasti)


def _extended(raw: bytes, offset: int) -> int:
    """Return where an instruction stands behind the units that extend its argument."""
    while raw[offset] == dis.EXTENDED_ARG:
        offset += 2
    return offset


def test_whatever_is_loaded_can_be_read() -> None:
    """No function of the libraries that are loaded here is beyond us, and none takes long."""
    broken, times_s = [], []
    deadline = time.monotonic() + 10
    for function in _all_functions(share=11):
        analysis = effects._Analysis(skips=lambda _: False)
        before = time.thread_time()
        analysis.effects(function)
        times_s.append(time.thread_time() - before)
        broken += analysis.broken
        if time.monotonic() > deadline:
            break
    assert broken == []
    assert len(times_s) > 100
    assert sorted(times_s)[len(times_s) * 3 // 4] < 0.005


@SAYS_ITSELF
def test_an_unknown_instruction_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of CPython may have instructions that are not known here: what they leave is not either."""
    for name in list(OPERATIONS):
        monkeypatch.delitem(OPERATIONS, name)
    for work, _, _ in HARMFUL:
        analysis = effects._Analysis()
        assert analysis.effects(work) == ()
        assert analysis.broken == []


@SAYS_ITSELF
def test_an_instruction_that_has_changed_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a version never seen the height of the stack is checked, and what is on it is forgotten where it differs."""
    monkeypatch.setattr(frame, "_UNSEEN", True)
    monkeypatch.setitem(OPERATIONS, "LOAD_GLOBAL", lambda at, _: at.push(None, None, None))
    analysis = effects._Analysis()
    assert analysis.effects(harmful_to_globals.appends) == ()
    assert analysis.broken == []


@SAYS_ITSELF
def test_the_check_for_versions_never_seen_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What each instruction takes and leaves is what CPython says itself."""
    plainly = [effects_of(work) for work, _, _ in HARMFUL]
    monkeypatch.setattr(frame, "_UNSEEN", True)
    assert [effects_of(work) for work, _, _ in HARMFUL] == plainly
