"""All at once in a real pool: items that are quick, large, fail, cannot travel or end their worker, in any mixture."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import corewise
from corewise import errors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="lines of a log are appended in one piece")

LARGE_BYTES = 1 << 17  # more than a ledger holds


class LostOnTheWay:
    """A result that raises where it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


class KillsWhilePickled:
    """A result that ends the worker while it is pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        os.kill(os.getpid(), signal.SIGKILL)
        return int, ()


def act(log: str, number: int, deed: str, _: object) -> object:
    """Leave a line, then do what the item says."""
    with Path(log).open("a", encoding="ascii") as file:
        file.write(f"{number}\n")
    if deed == "raise":
        raise ValueError(number)
    if deed == "exit":
        sys.exit(number)
    if deed == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "leave":
        os._exit(3)
    return {
        "large": bytes(LARGE_BYTES),
        "lock": threading.Lock(),
        "lost on the way": LostOnTheWay(),
        "kills while pickled": KillsWhilePickled() if deed == "kills while pickled" else None,
    }.get(deed, number)


# What an item may do, how likely that is, and what is to come of it.
DEEDS: dict[str, tuple[int, type]] = {
    "fine": (60, int),
    "large": (12, bytes),
    "raise": (5, ValueError),
    "exit": (2, SystemExit),
    "die": (4, errors.WorkerDied),
    "leave": (2, errors.WorkerDied),
    "lock": (3, errors.CannotTravel),
    "lost on the way": (3, ValueError),
    "kills while pickled": (2, errors.WorkerDied),
    "cannot be sent": (4, errors.CannotTravel),
}


@pytest.mark.parametrize("chunksize", [None, 1, 7, 50])
@pytest.mark.parametrize("workers", [1, 3])
def test_each_item_comes_out_once_and_as_what_it_is(workers: int, chunksize: int | None, tmp_path: Path) -> None:
    """No item is run twice, none is left out, and each death costs the item that caused it and no other."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    names = list(DEEDS)
    deeds = chance.choices(names, [DEEDS[name][0] for name in names], k=150)
    lock = threading.Lock()
    log = tmp_path / "log"
    results = corewise.map(
        act,
        [str(log)] * len(deeds),
        range(len(deeds)),
        deeds,
        # One by one, so that forked workers do not find them in their own memory.
        (lock if deed == "cannot be sent" else (number, [number]) for number, deed in enumerate(deeds)),
        approach="processes",
        workers=workers,
        chunksize=chunksize,
        start_method="fork",
        on_error="return",
    )
    wrong = [
        (number, deed, result)
        for number, (deed, result) in enumerate(zip(deeds, results, strict=True))
        if type(result) is not DEEDS[deed][1]
    ]
    assert wrong == [], seed
    assert all(result == number for number, result in enumerate(results) if deeds[number] == "fine"), seed
    runs = Counter(map(int, log.read_text(encoding="ascii").split()))
    assert runs == Counter(number for number, deed in enumerate(deeds) if deed != "cannot be sent"), seed
    killers = [deed for deed in deeds if deed in ("die", "leave", "kills while pickled")]
    assert results.stats.worker_deaths == len(killers), seed
