"""Plain values and messages travel by `marshal`; whatever is anything else travels by pickle, unchanged."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import corewise
from corewise._transport import codec, pickling

PLAIN: list[Any] = [0, -1, 1 << 200, 0.5, float("inf"), 2j, "", "text", "\ud800", b"", b"\x80\x05", True, False, None]


@pytest.mark.parametrize("value", PLAIN)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    """Alone, in a list, and in a message, with value and type."""
    assert codec.loads(codec.pack(value)) == value
    for data in (pickling.plain_dumps([value]), pickling.dumps_message((value,), print)):
        (back,) = pickling.loads(data)
        assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("value", [bytearray(b"ab"), [bytearray(b"ab")], ((bytearray(b"ab"),),)])
def test_what_lends_its_memory_is_not_taken_for_bytes(value: Any) -> None:
    """`marshal` would write a bytearray as bytes without a word, so such messages are pickled."""
    data = pickling.dumps_message(("done", value), print)
    assert data[0] == pickling._PICKLE
    assert repr(pickling.loads(data)) == repr(("done", value))


def test_subclasses_of_plain_types_keep_their_type() -> None:
    """A message with one is pickled."""

    class Loud(str):
        __slots__ = ()

    globals()["Loud"] = Loud
    Loud.__qualname__ = "Loud"
    try:
        (back,) = pickling.loads(pickling.dumps_message((Loud("a"),), print))
        assert type(back) is Loud
        assert type(codec.loads(codec.pack(Loud("a")))) is Loud
    finally:
        del globals()["Loud"]


@pytest.mark.parametrize("made", [bytes, bytearray, lambda data: memoryview(bytearray(data))])
def test_messages_are_read_from_any_buffer(made: Any) -> None:
    """They lie in bytes, in what a line reads into, or in a block."""
    for message in (("chunk", 1, None), ("done", [1, 2])):
        assert pickling.loads(made(pickling.dumps_message(message, print))) == message


def _fresh(program: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(Path(corewise.__file__).parents[1])}
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("approach", ["auto", "processes"])
def test_a_small_map_of_plain_values_loads_no_pickle(approach: str) -> None:
    """Its C module loads `functools` and `collections`, a tenth of what such a program takes."""
    # Before 3.13 an automatic run loads these with `threading`, as a long first item may need a thread beside it.
    loads_threading = approach == "auto" and sys.version_info < (3, 13)
    dear = {"_pickle", "pickle", "weakref", *([] if loads_threading else ["functools", "collections"])}
    program = (
        "import sys; before = set(sys.modules); import corewise\n"
        f"assert corewise.map(abs, [1, 2, 3, 4], approach={approach!r}, workers=2) == [1, 2, 3, 4]\n"
        f"print({dear!r} & (set(sys.modules) - before))\n"
    )
    assert _fresh(program).strip() == "set()"


def test_a_failure_arrives_from_a_worker_that_has_no_descriptor_left() -> None:
    """Nothing can be loaded there any more, so it comes with its type and message only."""
    program = (
        "import os, corewise\n"
        "def use_up(item):\n"
        "    while True:\n"
        "        os.dup(1)\n"
        "results = corewise.map(use_up, [1], approach='processes', workers=1, on_error='return')\n"
        "print(type(results[0]).__name__, results[0])\n"
    )
    assert "Too many open files" in _fresh("import resource; resource.setrlimit(7, (64, 64))\n" + program)


def test_cannot_travel_is_one_class_for_all_threads() -> None:
    """It is made when it is first asked for, and travels by its name."""
    found: list[object] = []
    program = (
        "import pickle, sys, threading\nfrom corewise import errors\n"
        "assert '_pickle' in sys.modules or 'CannotTravel' not in vars(errors)\n"
        "one = errors.CannotTravel('why')\n"
        "assert isinstance(one, (pickle.PicklingError, TypeError)) and errors.CannotTravel is type(one)\n"
        "print(type(pickle.loads(pickle.dumps(one))) is type(one), type(one).__module__, type(one).__qualname__)\n"
    )
    assert _fresh(program).split() == ["True", "corewise.errors", "CannotTravel"]
    threads = [Thread(target=lambda: found.append(corewise.errors.CannotTravel)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert issubclass(corewise.errors.CannotTravel, pickle.PicklingError)
