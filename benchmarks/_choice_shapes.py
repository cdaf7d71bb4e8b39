"""Works whose shape is the difficulty: data to move, uneven items, first items that lie, functions with strings."""

from __future__ import annotations

from _choice_work import SPIN_MS, Case, Work, over, spin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np

    Array = np.ndarray[Any, Any]

_ARRAY_ITEMS = 1_000_000  # of eight bytes each
_CACHE: list[int] = []


def total(array: Array) -> float:
    """Take a large array and add it up."""
    return float(array.sum())


def arrays_listed() -> Case:
    """Hold sixty arrays of 8 MB in a list."""
    import numpy as np

    return Case(total, [np.full(_ARRAY_ITEMS, number, np.float64) for number in range(60)], 60)


def arrays_generated() -> Case:
    """Make sixty arrays of 8 MB one after the other, so that no worker can inherit them."""
    import numpy as np

    return Case(total, (np.full(_ARRAY_ITEMS, number, np.float64) for number in range(60)), 60)


def half_array(number: int) -> Array:
    """Return 4 MB."""
    import numpy as np

    return np.full(_ARRAY_ITEMS // 2, number, np.float64)


def large_results() -> Case:
    """Return 4 MB eighty times."""
    import numpy as np  # noqa: F401 - loaded before the clock runs

    return Case(half_array, list(range(80)), 80)


def one_giant() -> Case:
    """Put one item of 300 ms behind fifty of 5 ms, and as many behind it."""
    items = [5 * SPIN_MS + number for number in range(100)]
    items[50] = 300 * SPIN_MS
    return Case(spin, items, len(items))


def cached(number: int) -> int:
    """Take 150 ms the first time and a microsecond ever after."""
    if not _CACHE:
        _CACHE.append(spin(150 * SPIN_MS))
    return _CACHE[0] + number


def light_then_heavy(number: int) -> int:
    """Take next to nothing for the first thousand items, then 8 ms each."""
    return spin(8 * SPIN_MS + number) if number >= 1000 else number  # noqa: PLR2004 - as said


def heavy_then_light(number: int) -> int:
    """Take 8 ms for each of the first twelve items, then next to nothing."""
    return spin(8 * SPIN_MS + number) if number < 12 else number  # noqa: PLR2004 - as said


def double(number: int) -> int:
    """Take some 30 ns."""
    return number * 2


def light_generator() -> Case:
    """Give 300,000 numbers, nobody knows how many."""
    return Case(double, (number for number in range(300_000)), 300_000)


def heavy_generator() -> Case:
    """Give a hundred items of 6 ms, nobody knows how many."""
    return Case(spin, (6 * SPIN_MS + number for number in range(100)), 100)


def with_lambda() -> Case:
    """Capture a table in a lambda."""
    table = {number: number * 3 for number in range(100)}
    return Case(lambda item: spin(3 * SPIN_MS + table[item % 100]), list(range(200)), 200)


def with_lock() -> Case:
    """Capture a lock, which no process can be sent."""
    from threading import Lock

    lock = Lock()

    def guarded(number: int) -> int:
        with lock:
            extra = number % 7
        return spin(4 * SPIN_MS + extra)

    return Case(guarded, list(range(120)), 120)


def with_list() -> Case:
    """Write to a captured list: an effect that has to be there afterwards."""
    seen: list[int] = []

    def note(number: int) -> int:
        seen.append(number)
        return spin(3 * SPIN_MS + number)

    return Case(note, list(range(120)), 120, after=lambda: sorted(seen))


def with_counter() -> Case:
    """Count in an attribute of the caller's object while waiting: an effect that has to be there afterwards."""
    from threading import Lock
    from time import sleep

    counts = {"calls": 0}
    lock = Lock()

    def count(number: int) -> int:
        sleep(0.004)
        with lock:
            counts["calls"] += 1
        return number

    return Case(count, list(range(120)), 120, after=lambda: dict(counts))


def fill(row: list[int]) -> list[int]:
    """Change the list that was given, and return the same one."""
    row.append(spin(3 * SPIN_MS + row[0]))
    return row


def with_arguments() -> Case:
    """Change each argument in place: an effect that has to be there afterwards."""
    rows = [[number] for number in range(120)]
    return Case(fill, rows, 120, after=lambda: [list(row) for row in rows])


class Model:
    """Holds 40 MB that each call looks at."""

    def __init__(self) -> None:
        self.weights = bytearray(range(250)) * 160_000

    def predict(self, number: int) -> int:
        """Compute 4 ms and look at the weights."""
        return spin(4 * SPIN_MS + number) + sum(self.weights[number::400_000])


def with_method() -> Case:
    """Bind a method to a large object."""
    return Case(Model().predict, list(range(120)), 120)


def _up() -> Iterator[int]:
    raw = [number * number for number in range(1, 121)]
    return (600 * SPIN_MS * one // sum(raw) for one in raw)


WORKS = {
    "arrays_listed": Work("arrays of 8 MB in a list, added up", arrays_listed),
    "arrays_generated": Work("arrays of 8 MB from a generator, added up", arrays_generated),
    "large_results": Work("results of 4 MB", large_results),
    "one_giant": Work("one giant among short items", one_giant),
    "sorted_up": Work("sorted, longest last", lambda: Case(spin, list(_up()), 120)),
    "sorted_down": Work("sorted, longest first", lambda: Case(spin, list(_up())[::-1], 120)),
    "first_slow": Work("first item slow, 3,000 trivial ones", over(cached, range(3000))),
    "light_then_heavy": Work("1,000 trivial items, then 60 of 8 ms", over(light_then_heavy, range(1060))),
    "heavy_then_light": Work("12 items of 8 ms, then 100,000 trivial", over(heavy_then_light, range(100_000))),
    "light_generator": Work("a generator, trivial items", light_generator, tiny=True),
    "heavy_generator": Work("a generator, items of 6 ms", heavy_generator),
    "lambda": Work("a lambda with a captured table", with_lambda),
    "captured_lock": Work("a captured lock, computing", with_lock),
    "captured_list": Work("writes to a captured list, computing", with_list),
    "captured_counter": Work("counts in a captured dictionary, waiting", with_counter),
    "argument_changed": Work("changes its argument, computing", with_arguments),
    "bound_method": Work("a method of an object of 40 MB", with_method),
}
