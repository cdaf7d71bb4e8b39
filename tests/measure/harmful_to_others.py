"""Functions that change arguments, objects, or what helpers lead to; what must be found stands in the decorators."""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, ANN206, D101, D102, D103 - specimens, written as users do
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from harmful_to_globals import SEEN, appends
from specimens import recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from specimens import Specimen

WORKS: list[Specimen] = []
OTHER: list[Any] = []
does = recorder(WORKS)


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
    place = SEEN if x else OTHER
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
        print(x)
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


@counted
def calls_a_decorated_one(x):
    return decorated_likewise(x)


@counted
def decorated_likewise(x):
    SEEN.append(x)


captured, assigned, deep = _makes(1)
add = "appends to"
WORKS += [
    (captured, [("closure", "results", add)], []),
    (assigned, [("closure", "number", "adds to")], []),
    (deep, [("closure", "results", add)], []),
    (decorated, [("closure", "calls", "adds to"), ("argument", "row", "sets an item of")], []),
    (calls_a_decorated_one, [("closure", "calls", "adds to"), ("global", "SEEN", add)], []),
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
