"""Context variables of the caller are seen in a worker, where they can be named there and their values pickle."""

from __future__ import annotations

import contextvars
import decimal
import sys
from typing import Any

import contextual
import pytest

from corewise._engine import contexts
from corewise._machine import cpus


def _in_new_context(**values: Any) -> bytes | None:
    """Set variables of `contextual` in a context of its own, and capture that."""

    def body() -> bytes | None:
        for name, value in values.items():
            if name == "hidden":
                contextual.HIDDEN[0].set(value)
            elif name == "prec":
                decimal.setcontext(decimal.Context(prec=value))
            else:
                getattr(contextual, name).set(value)
        return contexts.capture()

    return contextvars.Context().run(body)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_a_variable_is_seen_in_a_new_process(method: str) -> None:
    """With its value; those that were not set have their defaults."""
    data = _in_new_context(request={"user": 7})
    assert contextual.adopted_in(method, data) == ({"user": 7}, "none", "unset", 28)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_what_cannot_travel_stays_behind_and_hinders_nothing(method: str) -> None:
    """A value that does not pickle, one that cannot be rebuilt, a variable that no module names."""
    data = _in_new_context(request=contextual.a_lock(), tenant="blue", hidden=1)
    assert contextual.adopted_in(method, data) == ("nobody", "blue", "unset", 28)
    data = _in_new_context(request=contextual.Fragile(), tenant="red")
    assert contextual.adopted_in(method, data) == ("nobody", "red", "unset", 28)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_the_precision_of_decimal_travels(method: str) -> None:
    """Results depend on it."""
    assert contextual.adopted_in(method, _in_new_context(prec=5))[3] == 5


def test_an_empty_context_costs_no_message() -> None:
    """And neither does one of which nothing can travel."""
    assert _in_new_context() is None
    assert _in_new_context(hidden=1) is None


def test_the_share_of_cores_is_not_sent() -> None:
    """A worker is told its own."""

    def body() -> bytes | None:
        cpus.share_among(3)
        return contexts.capture()

    assert contextvars.Context().run(body) is None


def test_a_call_sees_the_variables_and_leaves_no_trace() -> None:
    """What it sets is gone for the next call that came with the same context."""
    data = _in_new_context(request="first")
    assert contexts.run_in(data, contextual.set_and_see, "changed") == "first"
    assert contexts.run_in(data, contextual.set_and_see, "changed") == "first"
    assert contexts.run_in(_in_new_context(request="other"), contextual.set_and_see, 1) == "other"
    assert contextual.request.get() == "nobody"


def test_a_value_that_a_call_changes_in_place_is_rebuilt_for_the_next() -> None:
    """Each call gets what was captured."""
    data = _in_new_context(request=[1])
    assert contexts.run_in(data, contextual.append_and_see, 2) == [1, 2]
    assert contexts.run_in(data, contextual.append_and_see, 3) == [1, 3]


def test_a_call_without_variables_runs_in_a_context_of_its_own_too() -> None:
    """What it sets does not reach the next."""
    assert contexts.run_in(None, contextual.set_and_see, "changed") == "nobody"
    assert contexts.run_in(None, contextual.set_and_see, "changed") == "nobody"


def test_a_variable_is_found_once_its_module_has_it() -> None:
    """One that was looked for in vain is looked for again when modules have come since."""
    late = contextvars.ContextVar("late")
    context = contextvars.Context()
    context.run(late.set, 1)
    assert context.run(contexts.capture) is None
    module = type(sys)("late_module")
    module.late = late  # type: ignore[attr-defined]  # what the test is about
    sys.modules["late_module"] = module
    try:
        assert context.run(contexts.capture) is not None
    finally:
        del sys.modules["late_module"]
