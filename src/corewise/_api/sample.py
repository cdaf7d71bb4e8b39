"""Some items, run in the caller to learn from: measured as an automatic run measures its first ones, then let go of."""

from __future__ import annotations

from time import perf_counter

from corewise._api.probe import Probe
from corewise._dispatch.meter import Meter
from corewise._dispatch.run import Run
from corewise._types.choice import Choice
from corewise._types.record import Record
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
_CHUNKS_KEPT = 2  # of which items and results are weighed


class Sample(Record):
    """What running some items has told.

    Attributes:
        measurement: of them. `remaining` is the whole input: what was run is dropped, and would be run again.
        total: items in the input; None while that is not known.
        items: some of them, run last.
        results: what came of these.
    """

    measurement: Measurement
    total: int | None
    items: Sequence[Any]
    results: Sequence[Any]


def take_sample(request: Request, *, most_s: float = SAMPLE_S) -> Sample:
    """Run items in the caller, at least the first one, however long that takes, until so much time is over.

    Args:
        request: what was asked for; its input is read as far as it is run, and let go of.
        most_s: seconds after which no other item is begun.

    Raises:
        BaseException: what an item raised, with a note that names it; what the input raised.
        OptionError: when there are no items.
    """
    source = request.source
    run = Run(source, request.options, Meter(None, perf_counter))
    plain = Choice(approach="sync", workers=1, asked="auto", code="", why="")
    probe = Probe(request.terms(plain, streams=False), Alone())
    kept: list[tuple[Sequence[Any], Sequence[Any]]] = []

    def enough(done: Done) -> bool:
        if not done.failed:
            kept.append((run.under_way(done).items[: len(done.values)], done.values))
            del kept[:-_CHUNKS_KEPT]
        return probe.gauge.wall_s >= most_s

    run.use(probe, 1, enough=enough, chunksize=request.options.chunksize)
    try:
        while run.feed():
            run.take()
        total = source.taken if source.exhausted else source.total
        run.finish()
        measured = probe.gauge.measurement(total)
        if not measured.items:
            raise OptionError("there are no items to learn from")
        return Sample(
            measurement=measured,
            total=total,
            items=[item for items, _ in kept for item in items],
            results=[value for _, values in kept for value in values],
        )
    finally:
        probe.close(kill=True)
        source.drop()


class Alone:
    """Stands beside items that nothing goes on beside, see `Probe`."""

    cpu_s = 0.0

    def begin(self) -> None:
        """An item is a long one; so be it."""

    def away(self) -> None:
        """The caller runs an item."""

    def back(self) -> list[Done]:
        """Return what others have done meanwhile: nothing."""
        return []
