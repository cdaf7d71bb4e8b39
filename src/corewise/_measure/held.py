"""How much of a thread's computing held the GIL, from what another thread met that asked for it. Pure."""

from __future__ import annotations

_ENOUGH_LOOKS = 5  # guess: of so many, one that met the GIL held may have met what lies between two items
# guess: a call of 3 ms ends beside every 15th look by chance, and work that lets go of the GIL all the time wants it
# back beside most of them
_BY_CHANCE = 0.25


class _Tally:
    seen_s = 0.0
    held_s = 0.0
    looks = 0
    _met = 0  # looks that met it held
    _asleep_s = 0.0  # of `held_s`, what nobody saw
    _before: bool | None = None  # whether it was held when the ticker fell asleep; None where that is not known

    def add(self, cpu_s: float, waited_s: float | None, *, made_way: bool, idles: bool) -> None:
        before, after = self._before, waited_s is not None
        self._before = None if idles else False if not after else True if made_way else None
        if cpu_s <= 0 or (idles and before is None):
            return
        waited = min(waited_s or 0.0, cpu_s)
        ends = bool(before) if idles else after
        asleep_held = float(ends) if before is None else (before + ends) / 2
        asleep_s = (cpu_s - waited) * asleep_held
        self.held_s += waited + asleep_s
        self.seen_s += cpu_s
        self.looks += 1
        self._met += after
        self._asleep_s += asleep_s

    @property
    def known_s(self) -> float:
        """Of `held_s` what it is known by: a single look out of many says nothing of the time around it."""
        return self.held_s - (self._asleep_s if self._met == 1 and self.looks >= _ENOUGH_LOOKS else 0.0)


class HeldTime(_Tally):
    """Adds up what a ticker met: a thread that sleeps for a moment, then asks for the GIL, and so on.

    While it waits for the GIL, it is held. When it gets it at once, nobody held it just then. In between, while it
    sleeps, it is taken to have been as at the beginning for one half and as at the end for the other. What is added up
    is not the time but the CPU seconds that the watched thread used in it: standing in line for a core counts for
    nothing, and neither does sleeping.

    Where the watched thread waits for answers, most looks find that nothing is computed. They say nothing of who has
    the GIL when something is. But a thread that stands in line for a core looks the same, and after the items are over
    it is known which of the two it was: so it is added up with these looks, and without them.

    Attributes:
        seen_s: CPU seconds of the watched thread that were looked at.
        held_s: those of them for which the GIL was held.
        started: whether it was held while the ticker was started; None where that is not known. A thread that is being
            started waits for other things too, so this counts only where nothing else was seen.
    """

    started: bool | None = None
    _told = (0.0, 0.0)  # what `seen_s` and `held_s` were when somebody last told how often it was asked for again
    _asked = (0, 0)  # how often that was, and beside how many looks
    _asked_s = 0.0  # what is to be added for it to the seconds for which it was held

    def __init__(self) -> None:
        self._at_work = _Tally()  # without the looks that found nothing computed

    @property
    def all_held_s(self) -> float:
        """CPU seconds for which the GIL was held, or wanted back at once."""
        times, looks = self._asked
        return self.held_s + (self._asked_s if times > _BY_CHANCE * looks else 0.0)

    def slept(self, cpu_s: float, waited_s: float | None, *, made_way: bool, idles: bool = False) -> None:
        """Take in what happened since the last time.

        Args:
            cpu_s: CPU seconds that the watched thread has used since then.
            waited_s: for how many of them, at their end, the ticker waited for the GIL; None when it got it at once.
            made_way: whether it waited so long that the holder was made to give way: that one is after it again. Of one
                who gave it up by itself nobody knows for how long.
            idles: whether the watched thread computed nothing when the ticker got the GIL.
        """
        self.add(cpu_s, waited_s, made_way=made_way, idles=False)
        self._at_work.add(cpu_s, waited_s, made_way=made_way, idles=idles)

    def asked_again(self, times: int, looks: int, preempted: int = 0) -> None:
        """Take in how often the watched thread asked for the GIL while the ticker had it, since this was last told.

        Work that lets go of the GIL every few microseconds (for each row of a database, for each small file) leaves it
        to whoever looks, as if it were free, and wants it back at once. Threads that did so together would spend their
        time on handing it over, so to them it is held.

        Args:
            times: how often.
            looks: how often the ticker had it; at least once.
            preempted: how often the watched thread made room on its core for the ticker. That has looked then while
                the thread could ask for nothing: if it never asked, so many looks tell nothing of this.
        """
        if not times:
            looks -= preempted
        if looks <= 0:
            return
        seen_s, held_s = self.seen_s - self._told[0], self.held_s - self._told[1]
        self._asked_s += max(0.0, min(1.0, times / looks) * seen_s - held_s)
        self._asked = self._asked[0] + times, self._asked[1] + looks
        self._told = self.seen_s, self.held_s

    def share(self, enough_s: float, *, waits: bool = False) -> float | None:
        """Return which share of the computing held the GIL; None when less than `enough_s` of it was looked at.

        Args:
            enough_s: CPU seconds.
            waits: whether the watched thread waited for answers, rather than in line for a core, when it did not run.
        """
        if waits:
            work = self._at_work
            if work.seen_s > 0 and work.seen_s >= enough_s:
                # Only a few of them meet work, and one of these may be wrong: so one more is added that met the GIL
                # held, as it is by most of what waits and computes.
                look_s = work.seen_s / work.looks
                return (work.held_s + look_s) / (work.seen_s + look_s)
            return 1.0 if self.started else None  # that nobody held it may have been a wait
        if self.seen_s > 0 and self.seen_s >= enough_s:
            return (self.known_s + self.all_held_s - self.held_s) / self.seen_s
        return None if self.started is None else float(self.started)
