"""The loop that runs a chunk at the speed of C: its outcome is that of the plain loop, whatever the items do."""

from __future__ import annotations

import functools
import traceback
import weakref
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._types.light import Scope
from corewise._work.chunk import Chunk, Done
from corewise._work.coroutines import AsCoroutine, is_coroutine_function, plain_calls
from corewise._work.run import run_chunk, run_noted

if TYPE_CHECKING:
    from collections.abc import Callable

    Loop = Callable[..., Done]


class Leave(BaseException):
    """An exception that is no `Exception`."""


# What an item may do: return its number, or raise one of these.
DEEDS = {"value": None, "error": ValueError, "stop": StopIteration, "leave": Leave, "interrupt": KeyboardInterrupt}
DEED_LISTS = st.lists(st.sampled_from(list(DEEDS)), min_size=1, max_size=12)


def act(number: int, deed: str) -> int:
    """Do what the item says."""
    error = DEEDS[deed]
    if error is not None:
        raise error
    return number


def run_plain(call: Callable[..., Any], chunk: Chunk, *, keep_going: bool) -> Done:
    """Run a chunk as threads do."""
    return run_chunk(call, chunk, keep_going=keep_going, interruptible=False)


def run_with_note(call: Callable[..., Any], chunk: Chunk, *, keep_going: bool) -> Done:
    """Run a chunk as worker processes do, and check what is written down before each item."""
    note = memoryview(bytearray(8)).cast("Q")
    seen: list[int] = []

    def called(*item: Any) -> Any:
        seen.append(note[0])
        return call(*item)

    done = run_noted(called, chunk, note, 70, keep_going=keep_going)
    assert seen == list(range(70, 70 + len(done.values)))
    return done


both_loops = pytest.mark.parametrize("run", [run_plain, run_with_note])


@both_loops
@given(deeds=DEED_LISTS, start=st.integers(0, 100), star=st.booleans())
def test_every_item_has_its_outcome_at_its_place(run: Loop, deeds: list[str], start: int, *, star: bool) -> None:
    """A StopIteration of the function is no end of the items, and nothing is skipped behind a failure."""
    ran: list[int] = []

    def call(*item: Any) -> int:
        number, deed = item if star else item[0]
        ran.append(number)
        return act(number, deed)

    chunk = Chunk(start, list(enumerate(deeds)), star=star)
    done = run(call, chunk, keep_going=True)
    assert ran == list(range(len(deeds)))
    assert len(done.values) == len(deeds)
    assert done.failed == [start + number for number, deed in enumerate(deeds) if deed != "value"]
    assert not done.dropped
    for number, (deed, value) in enumerate(zip(deeds, done.values, strict=True)):
        assert value == number if deed == "value" else type(value) is DEEDS[deed]


@both_loops
@given(deeds=DEED_LISTS)
def test_without_going_on_the_first_failure_is_the_last_item_run(run: Loop, deeds: list[str]) -> None:
    """What stands behind it is dropped, and that is said."""
    ran: list[int] = []

    def call(number: int, deed: str) -> int:
        ran.append(number)
        return act(number, deed)

    done = run(call, Chunk(0, list(enumerate(deeds)), star=True), keep_going=False)
    failures = [number for number, deed in enumerate(deeds) if deed != "value"]
    first = failures[0] if failures else len(deeds) - 1
    assert ran == list(range(first + 1))
    assert done.failed == failures[:1]
    assert done.dropped == len(deeds) - len(done.values)
    assert len(done.values) == first + 1


def test_ctrl_c_in_the_callers_own_thread_is_no_outcome() -> None:
    """It ends the call at once."""
    chunk = Chunk(0, [(0, "value"), (1, "interrupt"), (2, "value")], star=True)
    with pytest.raises(KeyboardInterrupt):
        run_chunk(act, chunk, keep_going=True, interruptible=True)


@both_loops
def test_a_traceback_begins_with_the_users_frame(run: Loop) -> None:
    """The loop's own says nothing to anybody, and would keep the exception alive."""
    done = run(act, Chunk(0, [(0, "error")], star=True), keep_going=True)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(done.values[0].__traceback__)]
    assert frames == (["act"] if run is run_plain else ["called", "act"])


def test_a_loop_that_notes_keeps_no_item_and_no_exception() -> None:
    """The frame of a call that failed links back to the loop's, which must not hold what the caller let go of."""

    class Item:
        pass

    items = [Item(), Item()]
    watched = [weakref.ref(item) for item in items]

    def fail(_: Item) -> None:
        raise Leave

    chunk = Chunk(0, items, star=False)
    done = run_noted(fail, chunk, memoryview(bytearray(8)).cast("Q"), 1, keep_going=True)
    errors = [weakref.ref(error) for error in done.values]
    del chunk.items, done.values, items
    assert not any(error() for error in errors)
    assert not any(item() for item in watched)


async def coroutine_function(item: object) -> object:
    """Give the item back."""
    return item


class Caller:
    """Coroutine functions as methods."""

    async def method(self, item: object) -> object:
        """Give the item back."""
        return item

    @classmethod
    async def of_class(cls, item: object) -> object:
        """Give the item back."""
        return item

    @staticmethod
    async def static(item: object) -> object:
        """Give the item back."""
        return item

    async def __call__(self, item: object) -> object:
        """Give the item back."""
        return item


async def generator(item: object) -> Any:
    """Be an asynchronous generator, which nobody can await."""
    yield item


COROUTINE_FUNCTIONS = [
    coroutine_function,
    Caller().method,
    Caller.of_class,
    Caller.static,
    Caller(),
    AsCoroutine(abs),
    functools.partial(coroutine_function),
    functools.partial(functools.partial(Caller().method)),
    functools.wraps(abs)(coroutine_function),
]
PLAIN_FUNCTIONS = [
    abs,
    str,
    Caller,
    len,
    [].append,
    lambda item: item,
    functools.partial(abs),
    generator,
    print,
    object(),
]


@pytest.mark.parametrize("fn", COROUTINE_FUNCTIONS, ids=repr)
def test_coroutine_functions_are_recognised_and_run_to_their_end(fn: Any) -> None:
    """Whatever they are wrapped in."""
    assert is_coroutine_function(fn)
    with Scope() as scope:
        call = plain_calls(fn, scope)
        assert [call(1), call(2)] == [1, 2]


@pytest.mark.parametrize("fn", PLAIN_FUNCTIONS, ids=repr)
def test_plain_functions_are_left_as_they_are(fn: Any) -> None:
    """A class whose instances are coroutine functions among them."""
    assert not is_coroutine_function(fn)
    with Scope() as scope:
        assert plain_calls(fn, scope) is fn
