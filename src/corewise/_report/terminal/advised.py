"""The advice in a terminal, drawn from its document alone."""

from __future__ import annotations

from corewise._report.facts import machine_facts
from corewise._report.terminal.canvas import BAR, BEST, GOOD, HEADING, NOTE, QUIET, Canvas
from corewise._report.terminal.show import draw
from corewise._types import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from rich.text import Text

    from corewise._types.advised import AdviceDocument, Predicted, Sampled

_GAP = 2
_SHORTEST_BAR, _LONGEST_BAR = 8, 30  # columns
_MATTERS = 0.05  # a share, or cores, below which something is not worth a word
_LONG_ENOUGH_S = 0.005  # guess: in a shorter sample the threads that measure would be taken for native ones
_WORTH_BYTES = 1000  # guess: what is smaller costs nothing to send beside its chunk


def show(document: AdviceDocument, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw an advice.

    Args:
        document: the advice.
        file: where to; standard output by default.
        width: columns; the terminal's own (or ``COLUMNS``) by default.
    """
    draw(lambda canvas: _whole(document, canvas), file, width)


def _whole(document: AdviceDocument, canvas: Canvas) -> Iterator[Text]:
    yield canvas.line((f"corewise {document['corewise']}", HEADING))
    yield canvas.flow(machine_facts(document["machine"]), 0)
    yield canvas.text("")
    yield canvas.rule(document["function"])
    yield canvas.flow(_sample_facts(document))
    yield canvas.text("")
    yield _use(document, canvas)
    yield canvas.text("")
    yield from _predictions(document, canvas)
    yield from _other_cores(document, canvas)
    yield from _listed("What would make it faster", [one["advice"] for one in document["costs"]], canvas)
    yield from _listed("Look out", document["cautions"], canvas)


def _sample_facts(document: AdviceDocument) -> list[str]:
    sample, items = document["sample"], document["items"]
    ran = numbers.count(sample["items"], "item")
    if items is not None:
        ran = f"{sample['items']:,} of {numbers.count(items, 'item')}"
    run = f"{ran} run in {numbers.seconds(sample['wall_s'])}, results dropped"
    facts = [run, f"{numbers.seconds(sample['item_s'])} an item"]
    if sample["items"] > 1 and sample["first_s"] > 2 * sample["item_s"]:
        facts.append(f"the first took {numbers.seconds(sample['first_s'])}")
    facts.append(f"computing {numbers.share(min(1.0, sample['cpu_share']))} of the time")
    if sample["cpu_share"] >= _MATTERS:
        facts.append(f"GIL {_held(sample)}")
    if sample["native_cores"] >= _MATTERS and sample["wall_s"] >= _LONG_ENOUGH_S:
        facts.append(f"native threads keep {numbers.cores(sample['native_cores'])} more cores busy")
    if sample["children_cores"] >= _MATTERS:
        facts.append(f"programs that it starts keep {numbers.cores(sample['children_cores'])} cores busy")
    for what, size in (("an item", sample["argument_bytes"]), ("a result", sample["result_bytes"])):
        if size is not None and size >= _WORTH_BYTES:
            facts.append(f"{what} is {numbers.bytes_(size)}")
    if sample["read_s"] >= _MATTERS * sample["item_s"]:
        facts.append(f"to read one from the input takes {numbers.seconds(sample['read_s'])}")
    return facts


def _held(sample: Sampled) -> str:
    held = sample["held_share"]
    if held is not None:
        return f"held {numbers.share(held)} of that"
    return "not to be told in so short a time" if sample["wall_s"] < _LONG_ENOUGH_S else "not to be told"


def _use(document: AdviceDocument, canvas: Canvas) -> Text:
    choice = document["choice"]
    name = choice["approach"]
    how = f" with {numbers.count(choice['workers'], 'worker')}" if name != "sync" else ""
    if name == "asyncio":
        how = f" with {numbers.count(choice['workers'], 'coroutine')} at once"
    if choice["per_worker"] > 1:
        how += f", {choice['per_worker']} calls at once in each"
    head = f"Use {name}{how}." if name != "sync" else "Use sync, a plain loop."
    why = choice["why"]
    body = canvas.line((head, BEST), f" {why[:1].upper()}{why[1:]}.")
    return canvas.paragraph(body, canvas.line((f"{canvas.glyphs.mark} ", BEST)))


def _predictions(document: AdviceDocument, canvas: Canvas) -> Iterator[Text]:
    rows = document["predictions"]
    assumed = numbers.count(document["items_assumed"], "item")
    cores = numbers.count(document["machine"]["cores"], "core")
    alike = "" if document["items"] == document["sample"]["items"] else ", if all are like those that were run"
    yield canvas.paragraph(canvas.text(f"Predicted for {assumed} on {cores}{alike}", HEADING), indent=0)
    able = [row for row in rows if not row["veto"]]
    cells = [_cells(row, row is rows[0], canvas) for row in able]
    widths = [max((len(row[at]) for row in cells), default=0) for at in range(4)]
    columns = min(_LONGEST_BAR, canvas.width - sum(widths) - 4 * _GAP)
    longest_s = max((row["seconds"] for row in able), default=0.0)
    for row, texts in zip(able, cells, strict=True):
        best = row is rows[0]
        name, workers, seconds, band = texts
        line = canvas.line((f"{name:<{widths[0]}}", BEST if best else HEADING))
        if sum(widths) + 3 * _GAP > canvas.width:
            line.rstrip()
            yield line
            yield canvas.flow([workers, seconds, band])
            continue
        line.append(f"  {workers:>{widths[1]}}  ")
        line.append_text(canvas.text(f"{seconds:>{widths[2]}}", HEADING))
        line.append_text(canvas.text(f"  {band:<{widths[3]}}", QUIET))
        if columns >= _SHORTEST_BAR:
            line.append("  ")
            line.append_text(canvas.bar(row["seconds"], 0.0, longest_s, columns, GOOD if best else BAR))
        line.rstrip()
        yield line
    for row in rows:
        if row["veto"]:
            yield canvas.paragraph(canvas.line((row["approach"], HEADING), f" cannot be used: {row['why']}"), indent=2)


def _cells(row: Predicted, best: bool, canvas: Canvas) -> list[str]:  # noqa: FBT001 - one of two kinds of rows
    mark = canvas.glyphs.mark if best else " "
    workers = f"{row['workers']:,} at once" if row["approach"] == "asyncio" else numbers.count(row["workers"], "worker")
    if row["per_worker"] > 1:
        workers = canvas.text(f"{row['workers']:,} × {row['per_worker']:,} at once").plain
    return [
        canvas.text(f"{mark} {row['approach']}").plain,
        "" if row["approach"] == "sync" else workers,
        canvas.text(numbers.seconds(row["seconds"])).plain,
        canvas.text(f"({numbers.span(row['low_s'], row['high_s'])})").plain,
    ]


def _other_cores(document: AdviceDocument, canvas: Canvas) -> Iterator[Text]:
    rows = document["by_cores"]
    if not rows:
        return
    yield canvas.text("")
    head = canvas.text("On a machine like this one with other numbers of cores", HEADING)
    yield canvas.paragraph(head, indent=0)
    first = rows[0]
    if all(row["approach"] == "sync" for row in rows):
        yield canvas.paragraph(canvas.text("a plain loop on any: more cores gain nothing here"))
        return
    if all(abs(row["seconds"] - first["seconds"]) <= _MATTERS * first["seconds"] for row in rows):
        text = f"{first['approach']} on any, {numbers.seconds(first['seconds'])}: more cores gain nothing here"
        yield canvas.paragraph(canvas.text(text))
        return
    times = [numbers.seconds(row["seconds"]) for row in rows]
    width = max(map(len, times))
    for row, seconds in zip(rows, times, strict=True):
        how = "a plain loop" if row["approach"] == "sync" else f"{row['approach']} with {row['workers']:,}"
        each = f" × {row['per_worker']:,} at once" if row["per_worker"] > 1 else ""
        yield canvas.text(f"  {row['cores']:>2} cores  {seconds:>{width}}  {how}{each}")


def _listed(title: str, sentences: Sequence[str], canvas: Canvas) -> Iterator[Text]:
    if not sentences:
        return
    yield canvas.text("")
    yield canvas.text(title, HEADING)
    for sentence in sentences:
        yield canvas.paragraph(canvas.text(sentence), canvas.line((f"{canvas.glyphs.alarm} ", NOTE)))
