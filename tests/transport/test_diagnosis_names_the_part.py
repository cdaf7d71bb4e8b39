"""What cannot travel is named: the very variable, attribute, key or argument, however it is wrapped."""

from __future__ import annotations

import functools
import threading
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import pytest

from corewise._transport import codec
from corewise.errors import CannotTravel

LOCK = threading.Lock()
SETTINGS = {"retries": 3, "lock": LOCK}


def message(value: object, what: str = "the function") -> str:
    """Return what is said of an object that cannot travel."""
    with pytest.raises(CannotTravel) as caught:
        codec.dumps(value, what)
    return str(caught.value)


def captured() -> Any:
    """Return a function that captures a lock."""
    lock = threading.Lock()
    fine = 3
    return lambda item: (lock, fine, item)


def captured_twice() -> Any:
    """Return a function that captures one that captures a lock."""
    inner = captured()
    return lambda item: inner(item)


def unnamed(text: str) -> Any:
    """Make a function of no module, which travels by value, from its source."""
    names: dict[str, Any] = {"LOCK": LOCK, "SETTINGS": SETTINGS, "fine": 1, "functools": functools}
    exec(f"function = {text}", names)  # noqa: S102 - its globals must be those given here
    function = names["function"]
    function.__module__ = "__main__"
    return function


class Job:
    """Work that holds a lock somewhere."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def run(self, item: object) -> object:
        """Do something."""
        return item

    def __call__(self, item: object) -> object:
        return item


class Slotted:
    """The same without a dictionary."""

    __slots__ = ("fine", "guard")

    def __init__(self) -> None:
        self.fine = 1
        self.guard = threading.Lock()


class Node:
    """A part of a tree that knows its parent."""

    def __init__(self, parent: Node | None = None) -> None:
        self.parent = parent
        self.children: list[Node] = []
        if parent is not None:
            parent.children.append(self)


def tree_with_lock() -> Node:
    """Return the innermost node of a tree, which holds the lock."""
    leaf = Node(Node(Node()))
    leaf.lock = threading.Lock()  # type: ignore[attr-defined]  # that is what is looked for
    return leaf


CASES = {
    "captured variable": (captured(), "captured variable 'lock' is a _thread.lock"),
    "captured by a captured one": (captured_twice(), "captured variable 'inner', captured variable 'lock' is"),
    "global variable": (unnamed("lambda item: (fine, LOCK)"), "global variable 'LOCK' is"),
    "global variable in a comprehension": (unnamed("lambda item: [LOCK for _ in item]"), "global variable 'LOCK' is"),
    "global variable in an inner function": (unnamed("lambda item: (lambda: LOCK)()"), "global variable 'LOCK' is"),
    "key of a global variable": (unnamed("lambda item: SETTINGS"), "global variable 'SETTINGS', key 'lock' is"),
    "default argument": (unnamed("lambda item, fine=1, lock=LOCK: lock"), "default argument 1 is"),
    "keyword-only default": (unnamed("lambda item, *, lock=LOCK: lock"), "default argument 'lock' is"),
    "attribute": (Job(fine=1, guard=LOCK), "attribute 'guard' is"),
    "attribute of an attribute": (Job(inner=Job(guard=LOCK)), "attribute 'inner', attribute 'guard' is"),
    "slot": (Slotted(), "attribute 'guard' is"),
    "bound method": (Job(guard=LOCK).run, "its object, attribute 'guard' is"),
    "namespace": (SimpleNamespace(guard=LOCK), "attribute 'guard' is"),
    "partial's argument": (functools.partial(pow, LOCK), "its arguments, element 0 is"),
    "partial's keyword": (functools.partial(print, file=LOCK), "its keywords, key 'file' is"),
    "partial's function": (functools.partial(captured(), 1), "the partial's function, captured variable 'lock' is"),
    "partial of a partial": (functools.partial(functools.partial(Job(guard=LOCK))), "the partial's function, attribute 'guard' is"),
    "list": ([1, [2, LOCK]], "element 1, element 1 is"),
    "tuple": ((1, (LOCK,)), "element 1, element 0 is"),
    "dictionary": ({"fine": 1, ("a", 2): {"deep": [LOCK]}}, "key ('a', 2), key 'deep', element 0 is"),
    "key itself": ({LOCK: 1}, "a key, being" ),
    "set": ({1, LOCK}, "_thread.lock"),
    "class attribute": (type("Made", (), {"__module__": "__main__", "guard": LOCK}), "attribute 'guard' is"),
    "tree that knows its parent": (tree_with_lock(), "attribute 'lock' is"),
}


@pytest.mark.parametrize(("value", "part"), CASES.values(), ids=CASES.keys())
def test_the_part_that_cannot_travel_is_named(value: object, part: str) -> None:
    """The way to it, its type, and a way out."""
    said = message(value)
    assert part in said
    assert said.startswith("the function cannot be sent to another process")
    assert "_thread.lock" in said
    assert "approach='threads'" in said
