"""Receives and sends more than this process has room for."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import faulty
from signposts import PATIENCE_S

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MUCH_BYTES = 128 << 20


@contextmanager
def room_for(more_bytes: int) -> Iterator[None]:
    """Let this process grow by so much and no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    faulty.limit_address_space(more_bytes)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def outcome(future: Any) -> str:
    """Tell how a task ended."""
    error = future.exception(PATIENCE_S)
    assert error is None or isinstance(error, (MemoryError, OSError)), repr(error)
    return "done" if error is None else "no memory"


def main() -> None:
    """Each time the executor must go on."""
    data = bytes(MUCH_BYTES)
    tasks: dict[str, Callable[[Any], Any]] = {
        "result": lambda executor: executor.submit(faulty.zeros, MUCH_BYTES),
        "argument": lambda executor: executor.submit(faulty.length, data),
        "both": lambda executor: executor.submit(faulty.same, data),
    }
    with corewise.ProcessExecutor(2) as executor:
        for name, submit in tasks.items():
            for more_bytes in (32 << 20, 144 << 20, 300 << 20):
                executor.submit(faulty.rest, 0.01).result(PATIENCE_S)
                with room_for(more_bytes):
                    told = outcome(submit(executor))
                    assert executor.submit(faulty.square, 5).result(PATIENCE_S) == 25
                print(name, more_bytes >> 20, told)
                assert outcome(submit(executor)) == "done"
    for more_bytes in (32 << 20, 144 << 20, 300 << 20):
        with room_for(more_bytes):
            results = corewise.map(
                faulty.zeros,
                [10, MUCH_BYTES, 20],
                approach="processes",
                workers=2,
                on_error="return",
            )
            assert results[0] == bytes(10)
            assert results[2] == bytes(20)
            assert isinstance(results[1], (MemoryError, OSError)) or len(results[1]) == MUCH_BYTES
    print("end")


if __name__ == "__main__":
    main()
