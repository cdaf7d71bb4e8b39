"""What a function does to objects of the caller is there afterwards, whatever ``approach="auto"`` chooses."""

from __future__ import annotations

import time

import corewise

MS = 20_000  # rounds of `spin` that take about a millisecond


def spin(rounds: int) -> int:
    """Compute in Python."""
    total = 0
    for number in range(rounds):
        total += number * number
    return total


def test_what_is_added_to_a_captured_list_is_there_afterwards() -> None:
    """All of it, in whatever order."""
    seen: list[int] = []

    def note(number: int) -> int:
        seen.append(number)
        return spin(2 * MS)

    corewise.map(note, range(100))
    assert sorted(seen) == list(range(100))


def test_a_captured_variable_that_is_assigned_is_assigned_here() -> None:
    """The largest one of all, for which the order does not matter."""
    last = 0

    def note(number: int) -> int:
        nonlocal last
        last = max(last, number)
        return spin(2 * MS)

    corewise.map(note, range(100))
    assert last == 99


CALLS: dict[int, int] = {}


def count_call(number: int) -> int:
    """Write to a global."""
    CALLS[number] = number * 2
    return spin(2 * MS)


def test_what_is_written_to_a_global_is_there_afterwards() -> None:
    """Under every key."""
    CALLS.clear()
    corewise.map(count_call, range(100))
    assert {number: number * 2 for number in range(100)} == CALLS


def fill(row: list[int]) -> int:
    """Change what was given."""
    row[0] += 1
    return spin(2 * MS)


def test_arguments_that_are_changed_are_changed_here() -> None:
    """Each once."""
    rows = [[number] for number in range(100)]
    corewise.map(fill, rows)
    assert rows == [[number + 1] for number in range(100)]


class Counter:
    """Holds a count."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def note(self, number: int) -> int:
        """Write to its own object."""
        self.seen.add(number)
        return spin(2 * MS)


def test_what_a_method_writes_to_its_object_is_there_afterwards() -> None:
    """The method is bound to an object of the caller."""
    counter = Counter()
    corewise.map(counter.note, range(100))
    assert counter.seen == set(range(100))


def test_what_waiting_items_add_to_a_captured_list_is_there_afterwards() -> None:
    """They go to threads, which share it."""
    seen: list[int] = []

    def note(number: int) -> None:
        time.sleep(0.003)
        seen.append(number)

    corewise.map(note, range(100))
    assert sorted(seen) == list(range(100))


def extend_row(row: list[int]) -> list[int]:
    """Change what was given by a method whose name alone tells little."""
    row.append(spin(5 * MS))
    return row


def test_a_list_that_was_given_is_changed_here() -> None:
    """The code does not tell that it is one, but the items do."""
    rows = [[number] for number in range(80)]
    results = corewise.map(extend_row, rows)
    assert all(len(row) == 2 for row in rows)
    assert all(result is row for result, row in zip(results, rows, strict=True))
