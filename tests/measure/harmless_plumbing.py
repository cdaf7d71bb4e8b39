"""Functions that change nothing outside themselves, written as people write them: objects, closures, coroutines."""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, ANN205, ANN206, D101, D102, D103 - specimens, written as users do
from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import io
import logging
import operator
import os
import queue
import re
import string
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS = ["to", "be", "or", "not"]
TABLE = {"a": 1, "b": 2, "nested": {"deep": [1, 2]}}
WEIGHTS = np.arange(12.0).reshape(3, 4)
PATTERN = re.compile(r"\w+")
LOG = logging.getLogger(__name__)
LOCK = threading.Lock()
JOBS: queue.Queue[int] = queue.Queue()
PER_THREAD = threading.local()
HEAVY: Any = None
MEMO: dict[int, int] = {}
STREAM = io.StringIO()


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)

    def moved(self, by):
        return dataclasses.replace(self, x=self.x + by)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: float

    def __post_init__(self):
        object.__setattr__(self, "x", float(self.x))


def makes_a_dataclass(x):
    point = Point(x)
    point.y = 3.0
    point.tags.append("new")
    return point.x + point.y


def makes_a_frozen_one(x):
    return Frozen(x).x


class Tally:
    def __init__(self, start):
        self.total = start
        self.items = []

    def add(self, x):
        self.total += x
        self.items.append(x)
        return self


def makes_an_object(x):
    tally = Tally(0)
    tally.add(x).add(x)
    tally.note = "mine"
    return tally.total


class Model:
    scale = 3.0

    def __init__(self):
        self.weights = [1.0, 2.0]

    def predict(self, x):
        out = list(self.weights)
        out.append(x * self.scale)
        return sum(out)

    def __call__(self, x):
        return self.predict(x)

    @classmethod
    def of(cls, x):
        return cls().predict(x)

    @staticmethod
    def half(x):
        return x / 2

    @property
    def size(self):
        return len(self.weights)


MODEL = Model()


def uses_a_model(x):
    return MODEL.predict(x) + MODEL.size


def options(x, **settings):
    settings.setdefault("depth", 1)
    depth = settings.pop("depth")
    settings["x"] = x
    return depth


def star(*args):
    first, *others = args
    return first, len(others)


def unpacks(pair):
    key, value = pair
    a, b, c, d = key, value, [], {}
    c.append(a)
    d[b] = 1
    return len(c) + len(d)


def matches(x):
    match x:
        case [first, *others]:
            others.append(first)
            return others
        case {"a": value}:
            return value + 1
        case Point(x=place):
            return place + 1
        case _:
            return None


def merges(x):
    found = {}
    if x:
        found = {"x": x}
    elif x is None:
        found = dict(TABLE)
    found["y"] = 1
    return found


async def fetches(url):
    parts = []
    await asyncio.sleep(0)
    parts.append(url.strip())
    async with asyncio.timeout(1) as limit:
        limit.note = 1
        await asyncio.sleep(0)
    return [part async for part in agen(parts)]


async def agen(parts):
    for part in parts:
        yield part.upper()


def yields(n) -> Iterator[int]:
    held = []
    for i in range(n):
        held.append(i)
        yield len(held)


def walks(node):
    waiting = [(node, 0)]
    depth = 0
    while waiting:
        node, level = waiting.pop()
        depth = max(depth, level)
        waiting.extend((child, level + 1) for child in node.get("children", ()))
    return depth


def matrix(n):
    rows = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            rows[i][j] += i * j
    return rows


def helper_fills(out, x):
    out.append(x)
    out[0] = x


def uses_a_filling_helper(x):
    out = [0]
    helper_fills(out, x)
    return out


def by_keyword(x):
    out = [0]
    helper_fills(x=x, out=out)
    helper_fills(*(out, x))
    return sorted(out, key=lambda n: -n)


@functools.lru_cache
def cached(n):
    return n * 2


@functools.cache
def cached_recursion(n):
    return 1 if n < 2 else cached_recursion(n - 1) + cached_recursion(n - 2)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args, **named):
        named.pop("unused", None)
        result = function(*args, **named)
        LOG.debug("%s", result)
        return result

    return wrapper


@logged
def decorated(x):
    return x + 1


def defines_a_class(x):
    class Local:
        items = []  # noqa: RUF012

        def add(self, y):
            self.items.append(y)

    Local().add(x)
    return len(Local.items)


def formats(row):
    return f"{row!r:>10} {string.ascii_letters[:3]}" + "".join(str(c) for c in row)


def sorted_copy(rows):
    rows = sorted(rows, key=operator.itemgetter(0))
    rows.reverse()
    rows[0] = None
    return rows


def sets(rows):
    seen = set()
    seen |= set(rows)
    seen.add(1)
    seen.discard(2)
    return len(seen & {1, 2})


def deque_window(rows):
    window = collections.deque(maxlen=3)
    best = 0
    for row in rows:
        window.append(row)
        best = max(best, sum(window))
    return best


def walrus(rows):
    out = []
    while chunk := rows[len(out) : len(out) + 2]:
        out.append(chunk)
    return out


def environment(x):
    return os.environ.get("HOME", "") + str(x)


def deletes_locals(x):
    y = [x]
    del x
    z = y
    del y
    z.append(1)
    return z


def chained(x):
    a = b = []
    a.append(x)
    return len(b)


def many_values(n):
    a, b = [], {}
    b["k"], c = n, a
    c.append(n)
    return a + list(b)


WORKS = [
    value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not isinstance(value, type)
    if name not in ("helper_fills", "logged", "agen", "MODEL")
]
WORKS += [Point, Tally, MODEL, MODEL.predict, Model.of, Model.half, Point.moved]
