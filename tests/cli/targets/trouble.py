"""Functions that fail in every way a function can."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

CALLS_OF_A_PLAIN_LOOP = 3  # the untimed first call, and two items


def fails_on_three(number: int) -> int:
    """Fail for item 3, and for no other."""
    if number == 3:
        raise ValueError("three is too many")
    return number


def exits(number: int) -> int:
    """End the program, or try to."""
    sys.exit(number)


def never_returns(number: int) -> int:
    """Say that it runs, then wait for what never comes."""
    print("running", number, flush=True)
    threading.Event().wait()
    return number


def computes_for_ever(number: int) -> int:
    """Say that it runs, then compute without an end."""
    print("running", number, flush=True)
    while True:
        number += 1


def returns_three_times(mark: str) -> str:
    """Return while a file counts the calls of the plain loop; then say that it runs, and never return."""
    path = Path(mark)
    with path.open("a", encoding="utf-8") as file:
        file.write("called\n")
    if len(path.read_text("utf-8").splitlines()) > CALLS_OF_A_PLAIN_LOOP:
        print("running", flush=True)
        threading.Event().wait()
    return mark


def process_id(_: int) -> int:
    """Return what differs from process to process."""
    return os.getpid()


def prints(number: int) -> int:
    """Print to standard output, as functions do that were written for a look."""
    print("seen", number)
    return number


def makes_no_items() -> list[int]:
    """Fail where items were asked for."""
    raise RuntimeError("no items today")
