"""Has a pool with work under way, says so, and ends in the way of its first argument."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time

import faulty

import corewise


def say_and_wait(number: int) -> None:
    """Say which worker is there, and never end."""
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(60 + number)


def blocked() -> object:
    """Give one item, and never another."""
    yield 0
    threading.Event().wait()


def main(how: str) -> None:
    """Do what is asked for."""
    if how == "interrupted":
        try:
            with corewise.Pool(2) as pool:
                pool.map(say_and_wait, [0, 1])
        except KeyboardInterrupt:
            print("interrupted", pool, flush=True)
        return
    if how == "interrupted in imap":
        with corewise.Pool(1) as pool:
            try:
                for _ in pool.imap(say_and_wait, blocked()):
                    pass
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        return
    pool = corewise.Pool(3)
    if how == "thread":  # no daemon: the program waits for it, and it may use the pool

        def work() -> None:
            threading.main_thread().join()
            print(sum(pool.map(faulty.square, range(1000))), flush=True)

        threading.Thread(target=work).start()
        return
    results = pool.map_async(say_and_wait, [0, 1])
    numbers = pool.imap(faulty.square, itertools.count())
    unread = pool.imap_unordered(faulty.square, blocked())
    print(next(numbers), flush=True)
    if how == "dropped":
        del pool, results, numbers, unread
    elif how == "killed":
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
