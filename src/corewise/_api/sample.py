"""Some items, run in the caller to learn from: measured as an automatic run measures its first ones, then let go of."""

from __future__ import annotations

from time import perf_counter, sleep

from corewise._api.probe import Probe
from corewise._choose.undecided import ASSUMED
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._dispatch.source import READ_ALONE_S
from corewise._measure import leftover
from corewise._measure.clocks import thread_cpu_s
from corewise._measure.ticker import can_tell_waits
from corewise._types.choice import Choice
from corewise._types.light import Scope
from corewise._types.record import Record
from corewise._work.coroutines import is_coroutine_function, plain_calls
from corewise.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from corewise._api.request import Request
    from corewise._types.measurement import Measurement
    from corewise._work.chunk import Done

# guess: chunks last 4 ms, so it is a dozen of them, each of which says how much items differ; and a share of the
# computing that holds the GIL needs about 10 ms. Nobody notices a twentieth of a second.
SAMPLE_S = 0.05
# guess: the first item may have imported modules or filled caches, which costs up to about a second; whoever waits for
# longer does not want to wait for another one.
LONG_FIRST_S = 1.0
_TURNS = 20  # guess: each takes 50 µs, or somewhat more than the millisecond that it waits
_MOSTLY = 0.5
# Guess: CPU seconds that a loop may take to fall asleep and to find its caches cold when it wakes, beyond those of a
# short wait. 0.1 to 0.3 ms were seen behind 5 ms, and none of it is there where others run meanwhile.
_FALLS_ASLEEP_S = 0.0005
_CHUNKS_KEPT = 2  # of which items and results are weighed


class Sample(Record):
    """What running some items has told.

    Attributes:
        measurement: of them. `remaining` is the whole input: what was run is dropped, and would be run again; an
            assumption where its length is not known.
        total: items in the input; None while that is not known.
        items: some of them, run last.
        results: what came of these.
    """

    measurement: Measurement
    total: int | None
    items: Sequence[Any]
    results: Sequence[Any]


def take_sample(request: Request, *, most_s: float = SAMPLE_S) -> Sample:
    """Run items in the caller: the first one, however long that takes, and others until so much time is over.

    Args:
        request: what was asked for; its input is read as far as it is run, and let go of.
        most_s: seconds behind the first item after which no other one is begun. Behind a first item of more than a
            second none is. With 0 it is the first item alone.

    Raises:
        BaseException: what an item raised, with a note that names it; what the input raised.
        OptionError: when there are no items.
    """
    sleep(max(0.0, leftover.remains_s()))  # whoever wants to know does not mind a tenth of a second
    can_tell_waits()  # nor to load this first, so that a stall in the middle of three short items is none of theirs
    source = request.source
    run = Run(source, request.options, Meter(None, perf_counter))
    plain = Choice(approach="sync", workers=1, asked="auto", code="", why="")
    probe = Probe(request.terms(plain, streams=False), Alone())
    kept: list[tuple[Sequence[Any], Sequence[Any]]] = []
    first_s: list[float] = []

    def enough(done: Done | None) -> bool:
        if done is not None and not done.failed:
            kept.append((run.under_way(done).items[: len(done.values)], done.values))
            del kept[:-_CHUNKS_KEPT]
        wall_s = probe.gauge.wall_s
        first_s[:] = first_s or [wall_s]
        return first_s[0] >= LONG_FIRST_S or wall_s - first_s[0] >= most_s

    run.use(probe, 1, enough=enough, chunksize=request.options.chunksize, ahead_s=READ_ALONE_S)
    try:
        while run.feed():
            run.take()
        total = source.taken if source.exhausted else source.total
        run.finish()
        items = probe.gauge.items
        probe.gauge.rest()  # how processes would be started depends on what threads there are
        if not items:
            raise OptionError("there are no items to learn from")
        measured = probe.gauge.measurement(max(ASSUMED, 2 * items) if total is None else total)
        measured = measured.replace(read_s=source.read_item_s)
        if is_coroutine_function(request.fn):
            measured = _without_loops(measured)
        return Sample(
            measurement=measured,
            total=total,
            items=[item for items, _ in kept for item in items],
            results=[value for _, values in kept for value in values],
        )
    finally:
        probe.close(kill=True)
        source.drop()


def _without_loops(measured: Measurement) -> Measurement:
    """Return what coroutines took, without what it took to begin and end a turn of the event loop for each.

    No approach but the plain loop does that, and beside a short coroutine it is long; twice as long if the coroutine
    waits, as the loop falls asleep meanwhile. Who held the GIL meanwhile was seen of both together, so of a
    coroutine that waits it is not known.
    """
    waits = measured.cpu_share < _MOSTLY
    with Scope() as scope:
        call = plain_calls(_moment if waits else _nothing, scope)
        call()  # the first one makes the loop
        begin_s = thread_cpu_s()
        for _ in range(_TURNS):
            call()
        turn_s = (thread_cpu_s() - begin_s) / _TURNS
    items, wall_s = measured.items, measured.wall_s
    cpu_s = max(0.0, measured.cpu_s - items * turn_s)
    if waits and cpu_s < items * _FALLS_ASLEEP_S:
        cpu_s = 0.0
    left = cpu_s / measured.cpu_s if measured.cpu_s > 0 else 0.0
    held_s = measured.held_s
    return measured.replace(
        wall_s=max(cpu_s, wall_s - items * turn_s),
        first_s=max(0.0, measured.first_s - turn_s),
        longest_s=max(0.0, measured.longest_s - turn_s),
        cpu_s=cpu_s,
        held_s=None if held_s is None or left < _MOSTLY else held_s * left,
    )


async def _nothing() -> None:
    """Do nothing, in an event loop."""


async def _moment() -> None:
    """Wait as shortly as a loop can that falls asleep."""
    import asyncio  # dear to import, and loaded where a coroutine has run

    await asyncio.sleep(0.001)


class Alone:
    """Stands beside items that nothing goes on beside, see `Probe`."""

    cpu_s = 0.0

    def is_worth_it(self, waited_s: float) -> bool:  # noqa: ARG002 - as of whatever goes on beside items
        """Return that to ask once is enough."""
        return True

    def begin(self) -> None:
        """An item is a long one; so be it."""

    def away(self) -> None:
        """The caller runs an item."""

    def back(self) -> list[Done]:
        """Return what others have done meanwhile: nothing."""
        return []
