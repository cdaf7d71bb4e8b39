"""Functions that change nothing outside themselves, written as people write them."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import functools
import hashlib
import heapq
import io
import itertools
import json
import logging
import math
import operator
import os
import queue
import random
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


def square(x):
    return x * x


def counts_down(n):
    total = 0
    while n:
        n -= 1
        total += n
    return total


def local_list(n):
    found = []
    for i in range(n):
        found.append(i)
    found.sort()
    found[0] = 7
    del found[-1]
    return found


def local_dict(text):
    counts: dict[str, int] = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    counts.pop("x", None)
    return counts


def local_counter(text):
    counts = collections.Counter()
    counts.update(text)
    by_length = collections.defaultdict(list)
    for letter in counts:
        by_length[len(letter)].append(letter)
    return by_length


def comprehension(rows):
    return [row + 1 for row in rows], {row: 1 for row in rows}, {row for row in rows}  # noqa: C416


def generator_expression(rows):
    return sum(row * 2 for row in rows if row)


def nested_comprehension(n):
    rows = [[] for _ in range(n)]
    for row in rows:
        row.append([word.upper() for word in WORDS])
    return [cell for row in rows for cell in row]


def option_made_here(x, found=None):
    if found is None:
        found = []
    found.append(x)
    return len(found)


def option_made_here_shortly(x, found=None):
    found = found or {}
    found[x] = 1
    return len(found)


def local_memo(n):
    memo = {}

    def fib(k):
        if k not in memo:
            memo[k] = k if k < 2 else fib(k - 1) + fib(k - 2)
        return memo[k]

    return fib(n)


def nested_state(rows):
    total = 0
    seen = set()

    def visit(row):
        nonlocal total
        total += row
        seen.add(row)

    for row in rows:
        visit(row)
    return total, len(seen)


def nested_lambda(rows):
    out = []
    add = lambda row: out.append(row)  # noqa: E731, PLW0108
    list(map(add, rows))
    return out


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


def array_local(n):
    a = np.zeros(n)
    a[0] = 1
    a += 2
    a[1:] *= 3
    np.add(a, 1, out=a)
    return a.sum()


def array_copied(a):
    b = a.copy()
    b[b < 0] = 0
    b.sort()
    return float(b.mean())


def array_converted(a):
    a = np.asarray(a, dtype=float)
    a[0] = 1
    return a.sum()


def array_functions(x):
    values = np.append(WEIGHTS, x)
    return np.sort(values)[::2].max() + np.linalg.norm(WEIGHTS @ WEIGHTS.T)


def array_slices(a):
    return (a[1:] - a[:-1]).sum(), a.T.shape, a[a > 0].size


def mandelbrot(c):
    z = 0j
    for step in range(50):
        if abs(z) > 2:
            return step
        z = z * z + c
    return 50


def primes(n):
    sieve = bytearray([1]) * (n + 1)
    sieve[0:2] = b"\0\0"
    for i in range(2, math.isqrt(n) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(sieve[i * i :: i]))
    return sum(sieve)


def digest(data):
    h = hashlib.sha256()
    h.update(data)
    return h.hexdigest()


def parses(text):
    data = json.loads(text)
    data["seen"] = True
    data.setdefault("rows", []).append(1)
    return json.dumps(data)


def words_of(text):
    return [word for word in PATTERN.findall(text) if word not in WORDS]


def reads_a_table(key):
    return TABLE.get(key, 0) + len(TABLE["nested"]["deep"]) + sum(TABLE["nested"]["deep"])


def logs(x):
    LOG.info("at %s", x)
    print(x, file=STREAM)
    return x + 1


def writes_a_file(path):
    with open(path, "w") as file:  # noqa: PTH123
        file.write("x")
    os.remove(path)  # noqa: PTH107
    return len(path)


def handles_errors(text):
    problems = []
    try:
        value = int(text)
    except ValueError as error:
        problems.append(str(error))
        value = 0
    else:
        problems.clear()
    finally:
        problems.append("done")
    return value, problems


def with_a_lock(x):
    with LOCK, contextlib.suppress(ValueError):
        return math.sqrt(x)


def queues(x):
    JOBS.put(x)
    return JOBS.get()


def per_thread(url):
    if not hasattr(PER_THREAD, "session"):
        PER_THREAD.session = {}
    PER_THREAD.session[url] = 1
    return len(url)


def draws(seed):
    own = random.Random(seed)  # noqa: S311
    deck = list(range(52))
    own.shuffle(deck)
    random.shuffle(deck)
    return deck[0] + random.random()  # noqa: S311


def heaps(rows):
    heap = []
    for row in rows:
        heapq.heappush(heap, row)
    return heapq.heappop(heap)


def iterators(rows):
    ones = iter([1, 2])
    counter = itertools.count()
    return next(ones) + next(counter) + sum(1 for _ in zip(rows, WORDS, strict=False))


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
WORKS += [Point, Tally, MODEL, MODEL.predict, Model.of, Model.half, Point.moved, functools.partial(square, 3)]
WORKS += [functools.partial(local_list), operator.add, math.sqrt, len, str.upper, "x".join, np.sort, json.loads, sorted]
