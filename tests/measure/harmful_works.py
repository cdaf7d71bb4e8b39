"""Functions that change something outside themselves; what is said of each stands in its decorator.

`certain` is (kind, name, how) of what must be found and be certain, `noted` of what must be found but is not; nothing
else may be found.
"""

from __future__ import annotations

import array
import bisect
import collections
import functools
import heapq
import itertools
import operator
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Found = tuple[str, str, str]

SEEN: list[Any] = []
LINES: collections.deque[Any] = collections.deque()
COUNTS: collections.Counter[Any] = collections.Counter()
GROUPS: collections.defaultdict[Any, list[Any]] = collections.defaultdict(list)
NAMES: set[Any] = set()
TABLE: dict[Any, Any] = {"rows": [], "by": {}}
ROWS = [{"n": 0}, {"n": 1}]
BUFFER = bytearray(8)
NUMBERS = array.array("d", [1.0])
MATRIX = np.zeros(4)
CONFIG = SimpleNamespace(paths=[], depth=1)
IDS = itertools.count()
MEMO: dict[int, int] = {}
MODEL: Any = None
BEST: Any = None
total = 0
WORKS: list[tuple[Callable[..., object], list[Found], list[Found]]] = []


def does(certain: list[Found] | None = None, noted: list[Found] | None = None) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        WORKS.append((function, certain or [], noted or []))
        return function

    return decorate


@does([("global", "SEEN", "appends to")])
def appends(x):
    SEEN.append(x)


@does([("global", "SEEN", "appends to")])
def appends_formatted(x):
    SEEN.append(f"{x:>5} {[c for c in x]}")  # noqa: C416


@does([("global", "SEEN", "appends to")])
def appends_by_a_short_name(rows):
    add = SEEN.append
    for row in rows:
        add(row)


@does([("global", "SEEN", "extends")])
def extends_an_alias(x):
    seen = SEEN
    seen.extend([x])


@does([("global", "SEEN", "adds to")])
def adds_in_place_to_an_alias(x):
    seen = SEEN
    seen += [x]


@does([("global", "total", "adds to")])
def counts(x):
    global total  # noqa: PLW0603
    total += x


@does([("global", "BEST", "assigns")])
def keeps_the_best(x):
    global BEST  # noqa: PLW0603
    if BEST is None or x > BEST:
        BEST = x


@does([("global", "total", "deletes")])
def deletes_a_global(x):
    global total  # noqa: PLW0603
    del total


@does(noted=[("global", "MODEL", "lazily makes")])
def makes_on_first_use(x):
    global MODEL  # noqa: PLW0603
    if MODEL is None:
        MODEL = dict(a=1)  # noqa: C408
    return MODEL["a"] * x


@does([("global", "TABLE", "sets an item of")])
def sets_an_item(x):
    TABLE[x] = 1


@does([("global", "TABLE", "changes an item of")])
def changes_an_item(x):
    TABLE[x] += 1


@does([("global", "TABLE", "deletes from")])
def deletes_an_item(x):
    del TABLE[x]


@does([("global", "TABLE[...]", "appends to")])
def appends_to_a_part(x):
    TABLE["rows"].append(x)


@does([("global", "TABLE", "sets an item of")])
def numbers_names(name):
    if name not in TABLE:
        TABLE[name] = len(TABLE)
    return TABLE[name]


@does(noted=[("global", "MEMO", "keeps results in")])
def remembers(n):
    if n in MEMO:
        return MEMO[n]
    MEMO[n] = n if n < 2 else remembers(n - 1) + remembers(n - 2)
    return MEMO[n]


@does(noted=[("global", "MEMO", "keeps results in")])
def remembers_by_get(n):
    value = MEMO.get(n)
    if value is None:
        value = MEMO[n] = n * n
    return value


@does([("global", "COUNTS", "updates")])
def updates_a_counter(text):
    COUNTS.update(text)


@does([("global", "GROUPS", "adds to")], [("global", "GROUPS[...]", "appends to")])
def groups(row):
    GROUPS.setdefault(row[0], []).append(row)


@does(noted=[("global", "GROUPS[...]", "appends to")])
def groups_by_default(row):
    GROUPS[row[0]].append(row)


@does([("global", "NAMES", "adds to")])
def adds_to_a_set(x):
    if x not in NAMES:
        NAMES.add(x)


@does([("global", "LINES", "appends to")])
def appends_left(x):
    LINES.appendleft(x)


@does([("global", "BUFFER", "sets an item of")])
def writes_a_buffer(i):
    BUFFER[i : i + 1] = b"x"


@does([("global", "NUMBERS", "appends to")])
def appends_to_an_array(x):
    NUMBERS.append(x)


@does([("global", "MATRIX", "sets an item of")])
def writes_a_matrix(i):
    MATRIX[i] = i


@does([("global", "MATRIX", "adds to")])
def adds_to_a_matrix(x):
    matrix = MATRIX
    matrix += x


@does([("global", "MATRIX", "fills")])
def fills_a_matrix(x):
    MATRIX.fill(x)


@does([("global", "ROWS[...]", "sets an item of")])
def changes_rows(x):
    for row in ROWS:
        row["n"] = x


@does(noted=[("global", "ROWS[...]", "changes an item of")])
def changes_numbered_rows(x):
    for _, row in enumerate(ROWS):
        row["n"] += x


@does([("attribute", "CONFIG.depth", "assigns")])
def sets_an_attribute(x):
    CONFIG.depth = x


@does([("attribute", "CONFIG.paths", "appends to")])
def appends_to_an_attribute(x):
    CONFIG.paths.append(x)


@does([("attribute", "counts_itself.calls", "adds to")])
def counts_itself(x):
    counts_itself.calls += 1


@does([("attribute", "random.note", "assigns")])
def sets_a_module_attribute(x):
    random.note = x


@does([("attribute", "operator.note", "assigns")])
def sets_an_imported_one(x):
    import operator as op

    op.note = x


@does([("global", "globals()", "sets an item of")])
def writes_globals(x):
    globals()["made"] = x


@does([("global", "IDS", "advances")])
def draws_a_number(x):
    return next(IDS), x + 1


@does([("global", "SEEN", "adds to")])
def pushes(x):
    heapq.heappush(SEEN, x)


@does([("global", "SEEN", "inserts into")])
def inserts_sorted(x):
    bisect.insort(SEEN, x)


@does([("global", "SEEN", "shuffles")])
def shuffles(x):
    random.shuffle(SEEN)


@does([("global", "SEEN", "appends to")])
def appends_by_the_class(x):
    list.append(SEEN, x)


@does([("attribute", "CONFIG....", "sets")])
def sets_by_name(x):
    setattr(CONFIG, x, 1)


@does([("global", "SEEN", "appends to")])
def collects_errors(x):
    try:
        return int(x)
    except ValueError as error:
        SEEN.append(error)
        raise


@does([("global", "SEEN", "appends to")])
def in_a_comprehension(rows):
    return [SEEN.append(row) for row in rows]


@does([("global", "SEEN", "appends to")])
def in_a_generator(rows):
    return sum(SEEN.append(row) or 1 for row in rows)


@does([("global", "SEEN", "appends to")])
def in_a_lambda(rows):
    return sorted(rows, key=lambda row: SEEN.append(row) or row)


@does([("global", "SEEN", "appends to")])
async def in_a_coroutine(x):
    SEEN.append(await x.read())


@does([("global", "SEEN", "appends to")])
def yields(rows):
    for row in rows:
        SEEN.append(row)
        yield row + 1


@does([("argument", "row", "sets an item of")])
def changes_its_row(row):
    row["done"] = True


@does(noted=[("argument", "row", "sets an item of (and returns)")])
def changes_and_returns_its_row(row):
    row["done"] = True
    return row


@does(noted=[("argument", "row", "sets an item of (and returns)")])
def changes_and_returns_among_others(row):
    row["done"] = True
    return row, 1


@does([("argument", "row", "sets an item of")])
def changes_its_row_and_returns_a_part(row):
    row["done"] = True
    return row["n"]


@does(noted=[("argument", "row.tags", "appends to (and returns)")])
def changes_and_returns_a_part(row):
    row.tags.append(1)
    return row.tags


@does([("global", "BEST", "assigns")])
def compares_with_the_last(x):
    global BEST  # noqa: PLW0603
    change = 0 if BEST is None else x - BEST
    BEST = x
    return change


@does(noted=[("global", "MODEL", "lazily makes")])
def hands_on_what_it_made(x):
    global MODEL  # noqa: PLW0603
    if not MODEL:
        MODEL = [1, 2]
    return sum(MODEL) * x


@does([("argument", "item.done", "assigns")])
def changes_its_item(item):
    item.done = True


@does([("argument", "a", "sets an item of")])
def clips(a):
    a[a < 0] = 0
    return a.sum()


@does(noted=[("argument", "rows", "sorts")])
def sorts_its_argument(rows):
    rows.sort()
    return rows[0] + 1


@does(noted=[("argument", "rows[...]", "appends to")])
def appends_to_parts_of_its_argument(rows):
    for row in rows:
        row.append(1)


@does(noted=[("argument", "pair[...]", "appends to")])
def unpacks_its_argument(pair):
    _key, rows = pair
    rows.append(1)


@does(noted=[("argument", "rows", "adds to")])
def adds_in_place_to_its_argument(rows, x):
    rows += [x]
    return len(rows)


@does(noted=[("argument", "args[...]", "appends to")])
def changes_one_of_many(*args):
    args[0].append(1)


@does(noted=[("argument", "seen", "appends to")])
def default_that_stays(x, seen=[]):  # noqa: B006
    seen.append(x)
    return len(seen)


@does(noted=[("argument", "memo", "keeps results in")])
def default_that_remembers(n, memo={}):  # noqa: B006
    if n not in memo:
        memo[n] = n * n
    return memo[n]


@does(noted=[("returns-argument", "x", "returns")])
def gives_back(x):
    return x


def put_away(x, place):
    place.append(x)


def third(x):
    SEEN.append(x)


def second(x):
    third(x)


def place_of_things():
    return SEEN


@does([("global", "SEEN", "appends to")])
def by_helpers(x):
    second(x)


@does([("global", "SEEN", "appends to")])
def by_a_helper_with_an_argument(x):
    put_away(x, place=SEEN)


@does(noted=[("argument", "row", "appends to")])
def by_a_helper_on_its_argument(row):
    put_away(1, row)


@does([("global", "SEEN", "appends to")])
def by_a_helper_that_returns_it(x):
    place_of_things().append(x)


@does([("global", "SEEN", "appends to")])
def by_an_inner_function(rows):
    def visit(row):
        SEEN.append(row)

    for row in rows:
        visit(row)


@does([("global", "SEEN", "appends to")])
def chosen_from_two(x):
    place = SEEN if x else SEEN
    place.append(x)


@does(noted=[("global", "SEEN", "appends to")])
def sometimes_its_own(x):
    place = SEEN if x else []
    place.append(x)


class Basket(list[Any]):
    pass


class Register(dict[Any, Any]):
    def __setitem__(self, key, value):
        super().__setitem__(key, [value])


class Tally:
    count = 0
    shared: list[Any] = []  # noqa: RUF012

    def __init__(self):
        self.items = []
        self.answer = None

    def add(self, x):
        self.count += 1
        self.items.append(x)

    def share(self, x):
        self.shared.append(x)

    def lazily(self, x):
        if self.answer is None:
            self.answer = sum(range(10))
        return self.answer * x

    def chains(self, x):
        return self

    @classmethod
    def register(cls, x):
        cls.count += x

    def __call__(self, x):
        self.items.append(x)


BASKET, REGISTER, TALLY = Basket(), Register(), Tally()


@does([("global", "BASKET", "appends to")])
def fills_a_basket(x):
    BASKET.append(x)


@does(noted=[("global", "REGISTER", "sets an item of")])
def registers(x):
    REGISTER[x] = 1


@does([("attribute", "TALLY.count", "adds to"), ("attribute", "TALLY.items", "appends to")])
def by_a_method(x):
    TALLY.add(x)


@does([("attribute", "Tally.count", "adds to")])
def by_a_method_of_the_class(x):
    Tally.register(x)


@does([("attribute", "Tally.count", "adds to")])
def counts_in_the_class(x):
    Tally.count += x


def _makes(x: Any) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    results: list[Any] = []
    number = 0

    def appends_captured(y):
        results.append(y)

    def assigns_captured(y):
        nonlocal number
        number += y

    def deeply(rows):
        return [results.append(row + x) for row in rows]

    return appends_captured, assigns_captured, deeply


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def wrapper(*args, **named):
        nonlocal calls
        calls += 1
        return function(*args, **named)

    return wrapper


@counted
def decorated(row):
    row["n"] = 1


@functools.lru_cache
def cached_that_counts(x):
    SEEN.append(x)


captured, assigned, deep = _makes(1)
add = "appends to"
WORKS += [
    (captured, [("closure", "results", add)], []),
    (assigned, [("closure", "number", "adds to")], []),
    (deep, [("closure", "results", add)], []),
    (decorated, [("closure", "calls", "adds to"), ("argument", "row", "sets an item of")], []),
    (cached_that_counts, [("global", "SEEN", add)], []),
    (TALLY.add, [("attribute", "self.count", "adds to"), ("attribute", "self.items", add)], []),
    (TALLY.share, [("attribute", "self.shared", add)], []),
    (TALLY.lazily, [], [("attribute", "self.answer", "lazily makes")]),
    (TALLY.chains, [], [("returns-argument", "self", "returns")]),
    (TALLY, [("attribute", "self.items", add)], []),
    (Tally.register, [("attribute", "cls.count", "adds to")], []),
    (Tally.add, [("argument", "self.count", "adds to")], [("argument", "self.items", add)]),
    (functools.partial(put_away, place=SEEN), [("argument", "place", add)], []),
    (functools.partial(put_away, 1, SEEN), [("argument", "place", add)], []),
    (functools.partial(functools.partial(appends)), [("global", "SEEN", add)], []),
    (lambda x: SEEN.append(x), [("global", "SEEN", add)], []),  # noqa: PLW0108
]
