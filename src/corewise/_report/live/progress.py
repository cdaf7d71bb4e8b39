"""The progress of a run: a bar with count, rate and remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

from corewise._report.glyphs import fit
from corewise._report.live.line import line_for
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

    from rich.console import RenderableType

    from corewise._types.events import Progress

PLAIN_EVERY_S = 5.0  # between two plain lines; a guess: often enough to see life, seldom enough to keep a log readable
LONGEST_BAR = 40  # columns
SHORTEST_BAR = 6


class Bar:
    """Shows the progress of one run; call it with each event.

    Args:
        description: what is run, such as ``"corewise"``; stands at the start of the line.
        file: where to; standard error by default.
    """

    def __init__(self, description: str, file: TextIO | None = None) -> None:
        self._description = description
        self._line = line_for(file)
        self._closed = False
        self._said_at_s: float | None = None

    def __call__(self, event: Progress) -> None:
        """Show an event. After `close`, or after the event that says ``"finished"``, nothing is shown any more."""
        if self._closed:
            return
        if self._line.live:
            description = fit(self._description, self._line.encoding)
            self._line.show(lambda columns: _picture(description, event, columns))
        elif event.kind == "finished" or self._said_at_s is None or event.elapsed_s - self._said_at_s >= PLAIN_EVERY_S:
            self._said_at_s = event.elapsed_s
            self._line.say(f"{self._description}: {', '.join(words(event))}")
        if event.kind == "finished":
            self.close()

    def close(self) -> None:
        """Let the last line stand and end it, so that whatever is printed next begins a line of its own."""
        if not self._closed:
            self._line.keep()
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def bar(description: str = "corewise", file: TextIO | None = None) -> Bar:
    r"""Return an observer that shows the progress of one run.

    Args:
        description: what is run; stands at the start of the line.
        file: where to; standard error by default, so that what a program prints stays clean.

    Returns:
        A callable for `Progress` events with a `close` method, which is also a context manager.

    Example:
        >>> import io
        >>> from corewise._types.events import Progress
        >>> out = io.StringIO()
        >>> with bar("squares", out) as observer:
        ...     observer(
        ...         Progress(
        ...             kind="finished",
        ...             approach="threads",
        ...             workers=2,
        ...             done=400,
        ...             failed=0,
        ...             total=400,
        ...             elapsed_s=10.8,
        ...             rate_per_s=37.0,
        ...             remaining_s=0.0,
        ...         )
        ...     )
        >>> out.getvalue()
        'squares: 400/400 done, 37.0/s, 10.8 s in all\n'
    """
    return Bar(description, file)


def words(event: Progress) -> list[str]:
    """Return what an event says, in short parts: how many, how fast, how long still, how many failed."""
    parts = [f"{count(event)} done"]
    if event.rate_per_s is not None and event.done:
        parts.append(numbers.rate(event.rate_per_s))
    if event.kind == "finished":
        parts.append(f"{numbers.seconds(event.elapsed_s)} in all")
    elif event.kind == "started":
        parts.append(f"{event.approach} with {numbers.count(event.workers, 'worker')}")
    elif event.remaining_s is not None:
        parts.append(f"{numbers.clock(event.remaining_s)} left")
    else:
        parts.append(f"{numbers.clock(event.elapsed_s)} so far")
    if event.failed:
        parts.append(f"{event.failed:,} failed")
    return parts


def count(event: Progress) -> str:
    """Return how many items are done, of how many if that is known."""
    return f"{event.done:,}" if event.total is None else f"{event.done:,}/{event.total:,}"


def _picture(description: str, event: Progress, columns: int) -> RenderableType:
    """Return the line: as long a bar as there is room for between the description and the figures."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    told = words(event)
    failed = told.pop() if event.failed else ""
    figures = Text("  ".join(told)).append(f"  {failed}" if failed else "", style="red")
    name = Text(description)
    room = min(LONGEST_BAR, columns - name.cell_len - figures.cell_len - 2)
    grid = Table.grid(padding=(0, 1, 0, 0))
    if room < SHORTEST_BAR:
        grid.add_row(name, figures)
        return grid
    finished = event.kind == "finished"
    total = max(1, event.done if event.total is None and finished else event.total or 1)
    picture = ProgressBar(
        total=total,
        completed=min(event.done, total),
        width=room,
        pulse=event.total is None and not finished,
        animation_time=event.elapsed_s,
        style="bright_black",
        complete_style="blue",
        finished_style="red" if event.failed else "green",
        pulse_style="blue",
    )
    grid.add_row(name, picture, figures)
    return grid
