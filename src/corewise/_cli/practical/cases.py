"""What each practical case runs: functions, items, approaches, and its part of the time."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from corewise._cli.practical import works

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

# About as long as a newcomer waits. It is shared out so that each case gets two rounds or more on a machine that
# needs a second for 10**7 squares.
DEFAULT_BUDGET_S = 60.0
_DELAY_S = 0.05  # what a service nearby takes for an answer


class PracticalCase(NamedTuple):
    """One kind of work.

    Attributes:
        name: what ``--case`` takes.
        about: one sentence for a newcomer.
        function: what is called for each item.
        items: a context that gives the items, and keeps up what they need.
        approaches: what is compared.
        budget_share: its part of the time of all cases.
        async_function: what asyncio runs instead, if there is such a thing.
    """

    name: str
    about: str
    function: Callable[[Any], Any]
    items: Callable[[], AbstractContextManager[Sequence[Any]]]
    approaches: tuple[str, ...]
    budget_share: float
    async_function: Callable[[Any], Any] | None = None


@contextlib.contextmanager
def _addresses() -> Any:
    from corewise._cli.practical import local_server

    with local_server.running(_DELAY_S) as address:
        addresses = [f"{address}/item/{number}" for number in range(48)]
        works.fetch(addresses[0])  # loads the client, which takes longer than a call and would pass for one
        yield addresses


CASES = (
    PracticalCase(
        name="computing",
        about="Sum of squares below 10**7, four times: Python code computes, and holds the GIL while it does.",
        function=works.sum_of_squares,
        items=lambda: contextlib.nullcontext([10**7] * 4),
        approaches=("sync", "threads", "asyncio", "processes:2", "processes:4"),
        budget_share=0.58,
    ),
    PracticalCase(
        name="hashing",
        about="SHA-256 of 128 MiB, eight times: C code computes, and releases the GIL while it does.",
        function=works.hash_of_blocks,
        items=lambda: contextlib.nullcontext(range(8)),
        approaches=("sync", "threads", "asyncio", "processes:2"),
        budget_share=0.14,
    ),
    PracticalCase(
        name="waiting",
        about="48 calls of a web server on this machine that takes 50 ms for each answer: nothing computes, all wait.",
        function=works.fetch,
        async_function=works.fetch_async,
        items=_addresses,
        approaches=("sync", "threads:24", "asyncio:24", "processes:4"),
        budget_share=0.22,
    ),
    PracticalCase(
        name="small",
        about="Collatz steps of 400 small numbers: Python code computes, but all is over before a worker is ready.",
        function=works.collatz_steps,
        items=lambda: contextlib.nullcontext(range(1000, 1400)),
        approaches=("sync", "threads", "asyncio", "processes:2"),
        budget_share=0.06,
    ),
)
