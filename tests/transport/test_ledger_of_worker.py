"""What a worker writes down while it works, read at every moment at which it might die."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from ledger_steps import Same, at_every_step, state

from corewise._transport import ledger as ledgers
from corewise._transport.ledger import LANE_POSITIONS, LARGE_BYTES, SIZE_BYTES, Ledger
from corewise._work.chunk import Chunk
from corewise._work.run import run_noted

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a second mapping is made from the same descriptor")

FINE = False  # of an item that has not failed
RECORDS = st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=30)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Make a ledger."""
    with closing(Ledger()) as made:
        yield made


@given(st.integers(0, 2**62), RECORDS)
def test_what_is_written_is_read_through_another_mapping(start: int, records: list[tuple[bool, bytes]]) -> None:
    """Item by item."""
    with closing(Ledger()) as ledger, closing(Ledger(Same(ledger))) as other:
        assert state(other) == (None, 0, [])
        ledger.begin(start)
        for number, record in enumerate(records):
            ledger.running(start + number)
            assert state(other) == (start + number, start, records[:number])
            assert ledger.record(*record) == record[1]
            assert state(other) == (start + number, start, records[: number + 1])
        ledger.begin(start + len(records))
        assert state(other) == (None, start + len(records), [])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, SIZE_BYTES + 10)), max_size=12))
def test_what_does_not_fit_is_refused_and_spoils_nothing(sizes: list[tuple[bool, int]]) -> None:
    """What fits behind it is still taken; what was there stays."""
    with closing(Ledger(None, 1, SIZE_BYTES)) as ledger:
        ledger.begin(0)
        kept: list[tuple[bool, bytes]] = []
        room = SIZE_BYTES - ledgers._HEAD_BYTES
        for number, (failed, size) in enumerate(sizes):
            data = bytes([number]) * size
            need = ledgers._RECORD.size + size
            assert (ledger.record(failed, data) is not None) == (need <= room)
            if need <= room:
                room -= need
                kept.append((failed, data))
            assert ledger.read().records == kept


@pytest.mark.parametrize("size", [SIZE_BYTES, LARGE_BYTES])
def test_a_block_may_be_filled_to_its_last_byte(size: int) -> None:
    """And not one further."""
    with closing(Ledger(None, 1, size)) as ledger:
        ledger.begin(0)
        most = size - ledgers._HEAD_BYTES - ledgers._RECORD.size
        assert ledger.record(FINE, bytes(most + 1)) is None
        assert ledger.record(FINE, b"x" * most) is not None
        assert ledger.record(FINE, b"") is None
        assert ledger.read().records == [(False, b"x" * most)]


def test_death_at_any_instruction_leaves_a_true_account(ledger: Ledger) -> None:
    """Three items, one by one: which one runs and what is finished, nothing else, whenever one looks."""
    # An item is at fault only if its outcome was neither written down nor sent, so one that still seems to run when the
    # outcomes are sent is not.
    records = [(False, b"first"), (True, b""), (False, b"third" * 100)]

    def work() -> None:
        ledger.begin(7)
        for number, record in enumerate(records, 7):
            ledger.running(number)
            ledger.record(*record)
        ledger.begin(10)

    expected: list[Any] = [(None, 0, []), (None, 7, [])]
    for number in range(3):
        expected += [(7 + number, 7, records[:number]), (7 + number, 7, records[: number + 1])]
    # What was sent is written down no more before the base says so, and nothing runs any more only after that.
    expected += [(9, 7, []), (9, 10, []), (None, 10, [])]
    assert at_every_step(ledger, work) == expected


def test_death_at_any_instruction_of_a_refusal_leaves_what_was_there(ledger: Ledger) -> None:
    """A record that does not fit changes nothing at any moment."""
    ledger.begin(0)
    ledger.running(0)
    ledger.record(FINE, b"kept")
    ledger.running(1)
    assert at_every_step(ledger, lambda: ledger.record(FINE, bytes(LARGE_BYTES))) == [(1, 0, [(False, b"kept")])]


def test_of_many_short_items_the_one_that_runs_is_known_at_any_instruction(ledger: Ledger) -> None:
    """Before an item is run, it is written down."""
    handed_out: list[str] = []

    def work() -> None:
        ledger.begin(40)
        run_noted(handed_out.append, Chunk(0, "abcd", star=False), ledger.follow(), 41, keep_going=True)

    seen = at_every_step(ledger, work)
    assert [running for running, _, _ in seen if running is not None] == [40, 41, 42, 43]
    assert all(base == 40 and records == [] for running, base, records in seen if running is not None)
    assert handed_out == list("abcd")


def test_each_short_item_is_written_down_before_it_is_run(ledger: Ledger) -> None:
    """Looked at from inside the loop that runs them."""
    chunk = Chunk(0, range(5), star=False)
    done = run_noted(lambda _: ledger.read().running, chunk, ledger.follow(), 101, keep_going=True)
    assert done.values == list(range(100, 105))


def test_what_runs_and_since_when_is_seen_while_it_runs(ledger: Ledger) -> None:
    """In seconds of the monotonic clock; and that sending results is no item, however long it takes."""
    assert ledger.at() is None
    ledger.begin(5)
    assert ledger.at() is None
    before = monotonic()
    assert ledger.running(5)
    at = ledger.at()
    assert at is not None
    assert at[0] == 5
    assert before - 1e-6 <= at[1] <= monotonic()
    ledger.finished()
    at = ledger.at()
    assert at is not None
    assert at[1] > monotonic() + 1e9
    ledger.begin(6)
    assert ledger.at() is None


def test_what_is_taken_back_is_skipped_and_nothing_else(ledger: Ledger) -> None:
    """From the first position on to before the last, until something else is taken back."""
    ledger.begin(0)
    assert ledger.running(0)
    assert ledger.take_back(2, 5) == (2, 0)
    assert [ledger.running(position) for position in range(7)] == [True, True, False, False, False, True, True]
    assert ledger.take_back(9, 11) == (9, 6)
    assert [ledger.running(position) for position in range(7, 12)] == [True, True, False, False, True]


def test_who_takes_back_is_told_what_was_begun(ledger: Ledger) -> None:
    """What runs; or where nothing does, what came before: all of that was sent."""
    assert ledger.take_back(8, 9) == (8, -1)
    ledger.begin(4)
    assert ledger.take_back(8, 9) == (8, 3)
    ledger.running(6)
    assert ledger.take_back(8, 9) == (8, 6)


def test_what_was_taken_back_stays_so_until_the_worker_has_come_past_it(ledger: Ledger) -> None:
    """There is room for one stretch: a second one begins where the first did, as long as that may still be met."""
    ledger.begin(0)
    ledger.running(1)
    ledger.take_back(3, 6)
    for position in (1, 2, 3, 5):  # at each it may not have looked up yet
        ledger.running(position)
        assert ledger.take_back(8, 9)[0] == 3
        ledger._words[ledgers._UNTIL] = 6
    ledger.begin(3)
    assert ledger.take_back(8, 9) == (3, 2)
    ledger.begin(9)
    assert ledger.take_back(12, 14) == (12, 8)
    ledger.running(14)
    assert ledger.take_back(16, 18) == (16, 14)


def test_finished_results_are_seen_while_the_next_item_runs(ledger: Ledger) -> None:
    """And none once they have been sent."""
    assert ledger.peek() is None
    ledger.begin(3)
    ledger.running(3)
    assert ledger.peek() is None
    ledger.record(FINE, b"three")
    ledger.running(4)
    reached = ledger.peek()
    assert reached is not None
    assert (reached.running, reached.base, reached.records) == (4, 3, [(False, b"three")])
    ledger.begin(4)
    assert ledger.peek() is None


def test_a_look_at_any_instruction_of_a_rewrite_shows_old_or_nothing(ledger: Ledger) -> None:
    """Never a record of one chunk under the base of another, nor half of one."""

    def work() -> None:
        for position in (10, 20):
            ledger.begin(position)
            ledger.running(position)
            ledger.record(FINE, b"%d" % position * 50)

    def peeked(other: Ledger) -> Any:
        reached = other.peek()
        return None if reached is None else (reached.base, reached.records)

    looks = at_every_step(ledger, work, peeked)
    assert looks == [None, (10, [(False, b"10" * 50)]), None, (20, [(False, b"20" * 50)])]


def write_and_die(ledger: Ledger) -> None:
    """Be a worker that dies at item 13."""
    ledger.begin(11)
    for number in range(11, 13):
        ledger.running(number)
        ledger.record(number == 12, b"result of %d" % number)
    ledger.running(13)
    os._exit(1)


AFTER_DEATH = (13, 11, [(False, b"result of 11"), (True, b"result of 12")])


def test_a_forked_worker_writes_where_its_parent_reads(ledger: Ledger) -> None:
    """Also after its death."""
    pid = os.fork()
    if pid == 0:
        write_and_die(ledger)
    os.waitpid(pid, 0)
    assert state(ledger) == AFTER_DEATH


@pytest.mark.parametrize("start_method", ["spawn", "forkserver"])
def test_a_worker_that_inherits_nothing_writes_where_its_parent_reads(ledger: Ledger, start_method: str) -> None:
    """The block travels to it as a descriptor."""
    process = multiprocessing.get_context(start_method).Process(target=write_and_die, args=(ledger,))
    process.start()
    process.join()
    assert process.exitcode == 1
    process.close()
    assert state(ledger) == AFTER_DEATH


def test_a_closed_ledger_has_given_back_memory_and_descriptor() -> None:
    """And may be closed again."""
    ledger = Ledger()
    descriptor = ledger._fd
    os.fstat(descriptor)
    ledger.close()
    ledger.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_each_lane_has_a_page_of_its_own() -> None:
    """What one writes down leaves the others alone, and each counts from a multiple of its own."""
    lanes = 3
    with closing(Ledger(None, lanes)) as ledger, closing(Ledger(Same(ledger), lanes)) as other:
        pages = [ledger, *ledger.others]
        for lane, page in enumerate(pages):
            first = lane * LANE_POSITIONS
            page.begin(first)
            assert page.running(first)
            assert page.record(FINE, bytes([lane]) * (SIZE_BYTES // 2)) is not None
        for lane, page in enumerate([other, *other.others]):
            reached = page.read()
            first = lane * LANE_POSITIONS
            assert (reached.running, reached.base) == (first, first)
            assert reached.records == [(False, bytes([lane]) * (SIZE_BYTES // 2))]


def test_a_lane_that_has_run_nothing_says_where_it_will_begin() -> None:
    """As whoever takes back from it asks."""
    with closing(Ledger(None, 2)) as ledger:
        (second,) = ledger.others
        assert second.take_back(LANE_POSITIONS + 1, LANE_POSITIONS + 5) == (LANE_POSITIONS + 1, LANE_POSITIONS - 1)
