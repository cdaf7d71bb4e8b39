"""The progress of a comparison: one live line on a terminal, a plain line for each finished trial elsewhere."""

from __future__ import annotations

from corewise._report.glyphs import fit
from corewise._report.live.line import line_for
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

    from rich.console import RenderableType

    from corewise._types.events import Trial

BAR_COLUMNS = 16  # of the part of the budget that is spent
BAR_FROM = 70  # columns, from which there is room for it


class Trials:
    """Shows the trials of a comparison; call it with each event.

    Args:
        file: where to; standard error by default.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._line = line_for(file)
        self._closed = False

    def __call__(self, event: Trial) -> None:
        """Show an event. After `close` nothing is shown any more."""
        if self._closed:
            return
        if not self._line.live:
            text = _plain(event)
            if text:
                self._line.say(f"corewise: {text}")
        elif event.kind == "end":
            self._line.clear()
        else:
            fitting = event.replace(
                case=fit(event.case, self._line.encoding), approach=fit(event.approach, self._line.encoding)
            )
            self._line.show(lambda columns: _picture(fitting, columns, self._line.encoding))

    def close(self) -> None:
        """Take the live line away: the tables say the same, and more."""
        if not self._closed:
            self._line.clear()
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def live(file: TextIO | None = None) -> Trials:
    r"""Return an observer that shows the trials of a comparison.

    Args:
        file: where to; standard error by default, so that a document written to standard output stays clean.

    Returns:
        A callable for `Trial` events with a `close` method, which is also a context manager.

    Example:
        >>> import io
        >>> from corewise._types.events import Trial
        >>> out = io.StringIO()
        >>> with live(out) as observer:
        ...     observer(Trial(kind="finished", case="squares", approach="threads", round=1, rounds=3, wall_s=0.21))
        >>> out.getvalue()
        'corewise: squares: threads, round 1 of 3: 210 ms\n'
    """
    return Trials(file)


def _round(event: Trial) -> str:
    if event.kind == "warm-up":
        return "first call, not timed"
    if event.round < 1:
        return ""
    return (
        f"round {event.round}" if event.rounds is None else f"round {event.round} of {max(event.rounds, event.round)}"
    )


def _plain(event: Trial) -> str:
    if event.kind == "case":
        return f"{event.case}: begins"
    if event.kind == "end":
        return f"{event.case}: done, {numbers.seconds(event.elapsed_s)} in all"
    if event.kind != "finished":
        return ""
    what = ", ".join(part for part in (event.approach, _round(event)) if part)
    return f"{event.case}: {what}: {'failed' if event.wall_s is None else numbers.seconds(event.wall_s)}"


def _picture(event: Trial, columns: int, encoding: str) -> RenderableType:
    """Return the line: case, approach and round, and how much of the budget is spent."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    words = Text(event.case, style="bold")
    for part in (event.approach, _round(event)):
        words.append(f"  {part}" if part else "", style="not bold")
    if event.kind == "finished":
        wall = "failed" if event.wall_s is None else fit(numbers.seconds(event.wall_s), encoding)
        words.append(f"  {wall}", style="not bold")
    clock = Text(_clock(event), style="dim")
    grid = Table.grid(padding=(0, 2, 0, 0))
    room = columns - clock.cell_len - 2
    if columns >= BAR_FROM and event.budget_s > 0 and event.kind != "case":
        room -= BAR_COLUMNS + 2
        words.truncate(room, overflow="ellipsis")
        spent = ProgressBar(
            total=event.budget_s,
            completed=min(event.elapsed_s, event.budget_s),
            width=BAR_COLUMNS,
            style="bright_black",
            complete_style="blue",
            finished_style="blue",
        )
        grid.add_row(words, spent, clock)
    else:
        words.truncate(max(1, room), overflow="ellipsis")
        grid.add_row(words, clock)
    return grid


def _clock(event: Trial) -> str:
    if event.kind == "case" or event.budget_s <= 0:
        return ""
    return f"{numbers.clock(event.elapsed_s)} of {numbers.limit(event.budget_s)}"
