"""Functions that change global variables; what must be found in each stands in its decorator."""

# ruff: noqa: ANN001, ANN201, D103 - specimens, written as users do
from __future__ import annotations

import array
import bisect
import collections
import heapq
import itertools
import random
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import specimens
from specimens import recorder

if TYPE_CHECKING:
    from specimens import Specimen

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
WORKS: list[Specimen] = []

does = recorder(WORKS)


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


@does([("attribute", "specimens.note", "assigns")])
def sets_a_module_attribute(x):
    specimens.note = x


@does([("attribute", "specimens.note", "assigns")])
def sets_an_imported_one(x):
    import specimens as other

    other.note = x


@does(noted=[("attribute", "sys.path", "inserts into")])
def sets_up_its_process(x):
    sys.path.insert(0, x)


@does(noted=[("attribute", "connects_once.line", "lazily makes")])
def connects_once(x):
    if not hasattr(connects_once, "line"):
        connects_once.line = [x]
    return len(connects_once.line)


@does(noted=[("global", "TABLE", "keeps results in")])
def connects_once_for_each(x):
    if x not in TABLE:
        TABLE[x] = [1, 2]
    return sum(TABLE[x]) + 1


@does([("global", "TABLE", "sets an item of")], [("global", "TABLE[...]", "appends to")])
def groups_by_hand(x):
    if x not in TABLE:
        TABLE[x] = []
    TABLE[x].append(x)


@does([("global", "TABLE", "sets an item of")])
def compares_with_the_first(name, x):
    if name not in TABLE:
        TABLE[name] = x
    return TABLE[name] == x


@does([("global", "TABLE", "sets an item of")])
def lists_what_there_is(name):
    if name not in TABLE:
        TABLE[name] = True


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
