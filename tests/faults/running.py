"""Runs the programs of this folder, each in a session of its own, and watches what they leave behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import observe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


@contextmanager
def running(
    program: str, *arguments: object, before: Sequence[str] = (), stdin: str | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a program of the folder; in the end leave nothing of it.

    Args:
        program: name of its file, the path of another file, or ``"-"`` for what is given as `stdin`.
        arguments: for the program.
        before: a command that runs it, such as ``unshare``.
        stdin: what it reads.
    """
    path = program if program == "-" or program.endswith(".py") else str(PROGRAMS / f"{program}.py")
    process = subprocess.Popen(
        [*before, sys.executable, path, *map(str, arguments)],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Without the stacks that `faulthandler` would print: what a program says is compared.
        env={**os.environ, "PYTHONFAULTHANDLER": "", "PYTHONPATH": _path()},
    )
    try:
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        yield process
    finally:
        for pid in [process.pid, *in_session(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def _path() -> str:
    return os.pathsep.join(filter(None, [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH")]))


def run(
    program: str, *arguments: object, before: Sequence[str] = (), stdin: str | None = None, complains: str = ""
) -> str:
    """Run a program to its end, require that it ended well and left no process, and return what it printed.

    It prints no errors, unless they are those of what `complains`.
    """
    held = observe.holdings()
    with running(program, *arguments, before=before, stdin=stdin) as process:
        output, errors = process.communicate()
        assert process.returncode == 0, f"{process.returncode}\n{output}{errors}"
        assert_all_gone(process.pid)
    assert observe.left_since(held) == []
    assert errors == "" or (complains and complains in errors), errors
    return output


def lines_of(process: subprocess.Popen[str], count: int) -> list[str]:
    """Read so many lines of the program's output: how it says where it has come to."""
    assert process.stdout is not None
    found = []
    for _ in range(count):
        line = process.stdout.readline()
        if not line:
            raise EOFError(f"the program ended early: {found} {process.communicate()[1]}")
        found.append(line.strip())
    return found


def in_session(session: int) -> list[int]:
    """Every process of a session that has not ended: a program's workers stay in its session, whoever reaps them."""
    found = []
    for entry in observe.PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, its_session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found.append(int(entry.name))
    return found


def assert_all_gone(session: int, limit_s: float = 10.0) -> None:
    """Require that nothing of a session is left after `limit_s` seconds."""
    deadline = monotonic() + limit_s
    while (left := in_session(session)) and monotonic() < deadline:
        _wait_for_one(left, deadline - monotonic())
    assert not left, [(pid, observe._command(pid)) for pid in left]


def wait_until_asleep(pids: list[int], limit_s: float = 10.0) -> None:
    """Wait until none of these processes runs, or stands in line for a core."""
    deadline = monotonic() + limit_s
    while any(_state(pid) != "S" for pid in pids) and monotonic() < deadline:
        os.sched_yield()
    assert [_state(pid) for pid in pids] == ["S"] * len(pids)


def assert_ended(pids: list[int], limit_s: float = 10.0) -> None:
    """Require that these processes end within `limit_s` seconds."""
    observe.wait_until_gone(pids, limit_s)
    assert not [pid for pid in pids if _state(pid) not in "ZX"]


def _state(pid: int) -> str:
    """Return the state of a process by its letter; that of a dead one where there is none any more."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return (observe.PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "X"


def _wait_for_one(pids: list[int], limit_s: float) -> None:
    poll = select.poll()
    handles = []
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                handles.append(os.pidfd_open(pid))
                poll.register(handles[-1], select.POLLIN)
        if handles:
            poll.poll(limit_s * 1000)
    finally:
        for handle in handles:
            os.close(handle)
