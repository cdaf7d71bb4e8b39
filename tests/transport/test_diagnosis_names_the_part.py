"""What cannot travel is named: the very variable, attribute, key or argument, however it is wrapped."""

from __future__ import annotations

import functools
import sys
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
    return lambda item: (inner(item), item)


def unnamed(text: str) -> Any:
    """Make a function of no module, which travels by value, from its source."""
    names: dict[str, Any] = {"LOCK": LOCK, "SETTINGS": SETTINGS, "fine": 1, "functools": functools}
    exec(f"function = {text}", names)  # its globals are those given here
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
        """Do it when called."""
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
    "partial of a partial": (
        functools.partial(functools.partial(Job(guard=LOCK))),
        "the partial's function, attribute 'guard' is",
    ),
    "list": ([1, [2, LOCK]], "element 1, element 1 is"),
    "tuple": ((1, (LOCK,)), "element 1, element 0 is"),
    "dictionary": ({"fine": 1, ("a", 2): {"deep": [LOCK]}}, "key ('a', 2), key 'deep', element 0 is"),
    "key itself": ({LOCK: 1}, "a key is a _thread.lock"),
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


def test_the_size_and_the_reason_are_told() -> None:
    """Bytes of the part alone, and what pickling it raised."""
    said = message([b"x" * 10_000, LOCK])
    assert f"({sys.getsizeof(LOCK)} bytes, <unlocked" in said
    assert "TypeError: cannot pickle '_thread.lock' object" in said


def test_without_a_name_the_object_speaks_for_itself() -> None:
    """In short."""
    assert message(["x" * 1000, LOCK], "").startswith("['xxxxx")
    assert len(message(["x" * 100_000, LOCK], "")) < 1000


class Proxy:
    """An object that raises at whatever it is asked for, as proxies outside of their context do."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__reduce_ex__"):
            return super().__getattribute__(name)
        raise RuntimeError("out of context")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("not me")

    def __repr__(self) -> str:
        raise RuntimeError("nor this")

    def __sizeof__(self) -> int:
        raise RuntimeError("nor that")


class Wordless(Exception):
    """An error that cannot be put into words."""

    def __str__(self) -> str:
        raise OSError


class RaisesWordless:
    """Raises such an error when it is pickled."""

    def __reduce__(self) -> Any:
        raise Wordless


class AnswersAll:
    """An object that has every attribute, as mocks have."""

    def __getattr__(self, name: str) -> Any:
        return AnswersAll() if not name.startswith("__") or name in ("__code__", "__self__", "__closure__") else None

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ValueError("not me either")


@pytest.mark.parametrize("odd", [Proxy(), RaisesWordless(), AnswersAll()], ids=lambda odd: type(odd).__name__)
def test_odd_objects_are_named_nevertheless(odd: object) -> None:
    """Whatever they do when they are looked at."""
    said = message({"fine": 1, "odd": odd})
    assert "key 'odd' is" in said
    assert type(odd).__name__ in said


def test_an_object_in_a_ring_with_itself_is_named() -> None:
    """The search goes round no ring twice."""
    ring: list[object] = [1]
    ring += [ring, {"again": ring}, LOCK]
    assert "element 3 is a _thread.lock" in message(ring)
    own: list[object] = []
    own.append((own, NotPickled()))
    assert "element 0, element 1 is" in message(own)


class NotPickled:
    """Fails by itself."""

    def __reduce__(self) -> Any:
        raise ValueError("not me")


def test_nesting_without_end_is_named_as_far_as_it_goes() -> None:
    """The error is about the depth, and the message comes."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "element 0, element 0" in message(deep)


def test_one_bad_element_among_a_million_is_found() -> None:
    """What always travels is not tried."""
    assert "element 1000000 is a _thread.lock" in message([*range(1_000_000), LOCK])


def test_a_search_that_would_take_minutes_is_given_up() -> None:
    """Five thousand elements of a million items each: what was found so far is named."""
    large = list(range(1_000_000))
    begin = perf_counter()
    said = message([*([large] for _ in range(5000)), LOCK])
    assert perf_counter() - begin < 15
    assert "a builtins.list" in said


def test_large_arrays_are_not_copied_to_be_looked_at() -> None:
    """A gibibyte of zeros, of which no page is touched before or after."""
    numpy = pytest.importorskip("numpy")
    resource = pytest.importorskip("resource")
    zeros = numpy.zeros(1 << 30, numpy.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from corewise._transport.diagnose import why_not

    assert "element 1 is" in why_not([zeros, LOCK], "it", TypeError("no"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (1 << 28) // 1024
