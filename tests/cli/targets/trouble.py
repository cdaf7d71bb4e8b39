"""Functions that fail in every way a function can."""

from __future__ import annotations

import os
import sys
import threading


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
