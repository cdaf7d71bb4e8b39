"""Why an approach cannot be used, whatever it would gain: a stable name for a program, a sentence for a person."""

from __future__ import annotations

from corewise._types.choice import APPROACHES
from corewise._types.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from corewise._types.measurement import Effect


class Veto(Record):
    """Why an approach cannot be used.

    Attributes:
        code: short stable name.
        why: the reason as a clause, such as ``"it appends to the global 'seen'"``.
    """

    code: str
    why: str


class Wishes(Record):
    """What was asked for, and where: all that speaks against an approach before any time is looked at.

    Attributes:
        approaches: those that the user allows.
        workers: workers asked for; None for as many as are best.
        limit: most calls at once that are allowed; None for any number.
        coroutine: whether it is a coroutine function.
        seed: whether each item is to have random numbers of its own.
        timeout: whether an item may take only so long.
        daemon: whether this is a daemonic process, which may start none.
        effects: what the function does to objects outside itself.
        live: name of an object that a coroutine function uses and that may belong to this process's event loop; empty
            where there is none.
        proved_slower: approaches that were tried in this very run, and were no faster than the plain loop.
    """

    approaches: Collection[str] = APPROACHES
    workers: int | None = None
    limit: int | None = None
    coroutine: bool = False
    seed: bool = False
    timeout: bool = False
    daemon: bool = False
    effects: Sequence[Effect] = ()
    live: str = ""
    proved_slower: Collection[str] = ()

    @property
    def several_each(self) -> bool:
        """Whether each process may run several calls at once: only what may be run so in one process."""
        allowed = ("asyncio" if self.coroutine else "threads") in self.approaches
        # A number that was asked for may be what a server grants.
        return allowed and self.workers is None and self.limit is None and not (self.seed or self.timeout)


def vetoes(wishes: Wishes, travel: Veto | None = None) -> dict[str, Veto]:
    """Return what speaks against each approach; nothing about those that can be used.

    Args:
        wishes: what was asked for.
        travel: why nothing can be sent to another process, if that was tried, see `cannot_travel`.
    """
    found: dict[str, Veto] = {}
    for approach in APPROACHES:
        veto = _general(approach, wishes) or _RULES[approach](wishes)
        if veto is not None:
            found[approach] = veto
    if travel is not None:
        found.setdefault("processes", travel)
    return found


def cannot_travel(why: str) -> Veto:
    """Return the veto against processes where something cannot be sent to them.

    It stands apart since only an attempt can tell, which costs time, so it is made only where processes would be
    the choice.
    """
    return Veto(code="cannot-travel", why=why)


def caution(effects: Sequence[Effect]) -> str:
    """Return a sentence on what another process may lose, though it is not certain; empty where there is nothing."""
    doubtful = [effect for effect in effects if not effect.certain]
    if not doubtful:
        return ""
    lost = "which would come back from another process as a copy"
    if doubtful[0].kind != "returns-argument":
        lost = "which another process would do to its own copy only"
    return f"it may be that {_done(doubtful[0])}, {lost}"


def _general(approach: str, wishes: Wishes) -> Veto | None:
    if approach not in wishes.approaches:
        return Veto(code="not-allowed", why="it is not among the approaches that were allowed")
    if approach in wishes.proved_slower:
        return Veto(code="proved-slower", why="in this run they proved no faster than the plain loop")
    return None


def _against_plain(wishes: Wishes) -> Veto | None:
    return _unstoppable("a call in the caller's own thread") if wishes.timeout else None


def _against_threads(wishes: Wishes) -> Veto | None:
    if wishes.timeout:
        return _unstoppable("a thread")
    if wishes.coroutine:
        return Veto(
            code="coroutine",
            why="it is a coroutine function, and what it awaits may belong to one event loop, which is in one thread",
        )
    return _shared_generator(wishes)


def _against_asyncio(wishes: Wishes) -> Veto | None:
    if not wishes.coroutine:
        return Veto(code="plain-function", why="it is a plain function, and would block all others in an event loop")
    return _shared_generator(wishes)


def _against_processes(wishes: Wishes) -> Veto | None:
    if wishes.daemon:
        return Veto(code="daemon", why="this is a daemonic process, which may not have children")
    if wishes.live:
        why = f"it uses {wishes.live!r}, which may hold connections, or bound calls, of this process's event loop"
        return Veto(code="live-object", why=why)
    certain = [effect for effect in wishes.effects if effect.certain]
    if certain:
        return Veto(code="effect", why=f"{_done(certain[0])}, and another process would do that to its own copy")
    return None


_RULES: dict[str, Callable[[Wishes], Veto | None]] = {
    "sync": _against_plain,
    "threads": _against_threads,
    "asyncio": _against_asyncio,
    "processes": _against_processes,
}


def _unstoppable(what: str) -> Veto:
    return Veto(code="time-limit", why=f"{what} cannot be stopped from outside when its time is up")


def _shared_generator(wishes: Wishes) -> Veto | None:
    if not wishes.seed or wishes.workers == 1:
        return None
    return Veto(code="seed", why="with a seed each item has random numbers of its own, which they would share")


def _done(effect: Effect) -> str:
    """Return an effect as a clause: ``it appends to the global 'seen' (work.py, line 3)``."""
    place = f"({effect.file.replace(chr(92), '/').rpartition('/')[2]}, line {effect.line})"
    if effect.kind == "returns-argument":
        return f"it returns the very object {effect.name!r} that it was given {place}"
    kind = {
        "global": "the global ",
        "closure": "the captured variable ",
        "argument": "its argument ",
        "attribute": "the attribute ",
    }[effect.kind]
    return f"it {effect.how} {kind}{effect.name!r} {place}"
