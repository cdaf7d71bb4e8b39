"""Forks by hand while it has an executor; the child submits to what it inherited and ends, in the way of a program."""

from __future__ import annotations

import os
import sys
import threading
import warnings

import faulty
from signposts import PATIENCE_S

import corewise


def fork_and_use(executor: corewise.ProcessExecutor, *, politely: bool) -> None:
    """Let a child try, and see that nothing has changed for the parent."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forking beside threads, which is what this program is about
        child = os.fork()
    if child == 0:
        threading.Thread(target=_give_up, daemon=True).start()
        try:
            told: object = executor.submit(faulty.square, 5).result(PATIENCE_S)
        except Exception as error:  # noqa: BLE001 - it is said
            told = f"{type(error).__mro__[:-3]}: {error}"
        print("child", told, flush=True)
        if politely:
            executor.shutdown()
            sys.exit(0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print("the child ended with", status)
    print("parent", executor.submit(faulty.square, 5).result(PATIENCE_S))


def _give_up() -> None:
    threading.Event().wait(5)
    os._exit(9)


def main() -> None:
    """Fork before the first task, beside idle workers, and beside busy ones."""
    for politely in (True, False):
        with corewise.ProcessExecutor(2) as executor:
            fork_and_use(executor, politely=politely)
            fork_and_use(executor, politely=politely)
            busy = executor.submit(faulty.rest, 0.3)
            fork_and_use(executor, politely=politely)
            assert busy.result(PATIENCE_S) == 0.3
    print("end")


if __name__ == "__main__":
    main()
