"""Threads of an outer call share the cores, and an inner call in one of them sees its share."""

from __future__ import annotations

import contextvars
import threading

import own_process

# Eight cores, whatever the machine has.
EIGHT = """
from corewise._machine import cpus
cpus._schedulable, cpus._quota, cpus._asked = lambda: 8, lambda: None, lambda: None
"""


def _in_thread(body: str, start: str = "threading.Thread(target=contextvars.copy_context().run, args=(body,))") -> str:
    return own_process.run(f"{EIGHT}\nimport contextvars, threading\n{body}\nt = {start}\nt.start(); t.join()\n")


def test_each_of_four_threads_sees_a_quarter() -> None:
    """And the caller sees everything meanwhile."""
    body = "def body():\n    cpus.share_among(4); print(cpus.cpu_count())\nprint(cpus.cpu_count())"
    assert _in_thread(body).split() == ["8", "2"]


def test_shares_multiply_and_end_at_one_core() -> None:
    """Threads within threads."""
    body = (
        "def body():\n"
        "    cpus.share_among(2); print(cpus.cpu_count())\n"
        "    cpus.share_among(2); print(cpus.cpu_count())\n"
        "    cpus.share_among(32); print(cpus.cpu_count())\n"
    )
    assert _in_thread(body).split() == ["4", "2", "1"]


def test_a_share_ends_with_its_context() -> None:
    """The caller's own is what it was."""
    body = "def body():\n    cpus.share_among(4)\n"
    assert _in_thread(f"{body}\nimport atexit; atexit.register(lambda: print(cpus.cpu_count()))") == "8"


def test_a_worker_forked_in_a_thread_counts_the_share_once() -> None:
    """What it is handed down was divided already."""
    body = "def body():\n    cpus.share_among(4); cpus.hand_down(cpus.cpu_count()); print(cpus.cpu_count())\n"
    assert _in_thread(body) == "2"


def test_no_number_of_threads_is_taken_for_none() -> None:
    """One thread has all of its share."""
    from corewise._machine import cpus

    before = cpus.cpu_count()
    seen: list[int] = []

    def body() -> None:
        cpus.share_among(0)
        seen.append(cpus.cpu_count())

    thread = threading.Thread(target=contextvars.copy_context().run, args=(body,))
    thread.start()
    thread.join()
    assert seen == [before]
