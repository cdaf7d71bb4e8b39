"""What is known of a function from its last call: of that one, and of no other."""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING

from corewise._measure import recalled

if TYPE_CHECKING:
    from collections.abc import Callable


def plain(item: int) -> int:
    """Any function."""
    return item


def around(fn: Callable[[int], int]) -> Callable[[int], int]:
    """Decorate a function."""

    def wrapper(item: int) -> int:
        return fn(item)

    return wrapper


def test_what_was_noted_is_recalled() -> None:
    """Until it is noted anew, or forgotten."""
    assert recalled.item_s(plain) is None
    recalled.note(plain, 0.25)
    assert recalled.item_s(plain) == 0.25
    recalled.note(plain, 0.5)
    assert recalled.item_s(plain) == 0.5
    recalled.note(plain, None)
    assert recalled.item_s(plain) is None
    recalled.note(plain, None)


def test_a_lambda_is_the_same_at_each_call() -> None:
    """It is another object each time, but of one and the same code."""
    for call in range(3):
        assert recalled.item_s(lambda item: item) is None
        square: Callable[[int], int] = (lambda item: item * item) if call else (lambda item: item**2)
        recalled.note(square, 0.25)
    made = [lambda item: item + 1 for _ in range(2)]
    recalled.note(made[0], 0.25)
    assert recalled.item_s(made[1]) == 0.25


def test_decorated_functions_are_not_taken_for_each_other() -> None:
    """They share their code, and differ in what it calls."""
    one, other = around(abs), around(plain)
    recalled.note(one, 0.25)
    assert recalled.item_s(one) == 0.25
    assert recalled.item_s(other) is None


def test_a_function_that_is_gone_is_not_taken_for_the_next() -> None:
    """Which may have its place in memory."""
    for _ in range(100):
        one = around(plain)
        assert recalled.item_s(one) is None
        recalled.note(one, 0.25)
        del one
        gc.collect(0)


def test_any_callable_will_do() -> None:
    """What cannot be told from its successor is not recalled."""
    partial = functools.partial(pow, 2)
    bound = [1].count
    for one in (abs, partial, bound, int, around):
        recalled.note(one, 0.25)
        assert recalled.item_s(one) == 0.25
    assert recalled.item_s(functools.partial(pow, 3)) is None
    assert recalled.item_s([2].count) is None


def test_there_is_an_end_to_it() -> None:
    """A program that makes functions for ever does not grow by that."""
    kept = [around(plain) for _ in range(1000)]
    for one in kept:
        recalled.note(one, 0.25)
    assert len(recalled._known) <= 256
    assert recalled.item_s(kept[-1]) == 0.25
