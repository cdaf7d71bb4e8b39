"""Functions that change nothing outside themselves, written as people write them: computing, text, arrays."""

# ruff: noqa: ANN001, ANN201, ANN202, D103 - specimens, written as users do
from __future__ import annotations

import collections
import contextlib
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
import threading
from typing import Any

import numpy as np

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
    return [row + 1 for row in rows], {row: -row for row in rows}, {row % 3 for row in rows}


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
    own = random.Random(seed)
    deck = list(range(52))
    own.shuffle(deck)
    random.shuffle(deck)
    return deck[0] + random.random()


def heaps(rows):
    heap = []
    for row in rows:
        heapq.heappush(heap, row)
    return heapq.heappop(heap)


def iterators(rows):
    ones = iter([1, 2])
    counter = itertools.count()
    return next(ones) + next(counter) + sum(1 for _ in zip(rows, WORDS, strict=False))


WORKS = [
    value
    for value in list(globals().values())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not isinstance(value, type)
]
WORKS += [
    functools.partial(square, 3),
    functools.partial(local_list),
    operator.add,
    math.sqrt,
    len,
    str.upper,
    "x".join,
    np.sort,
    json.loads,
    sorted,
]
