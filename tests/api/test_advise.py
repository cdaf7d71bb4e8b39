"""`advise` runs a sample, drops it, and says what the whole input takes by each approach."""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import corewise
from corewise import errors
from corewise._choose import model
from corewise._measure.travel import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from corewise._measure.travel import Travel

SEEN: list[int] = []
RAN: list[int] = []


def spin(rounds: int) -> int:
    """Compute, holding the GIL; a million rounds take some tens of milliseconds."""
    total = 0
    for number in range(rounds):
        total += number
    return total


def wait(number: int) -> int:
    """Wait for 5 ms."""
    time.sleep(0.005)
    return number


def remembers(number: int) -> int:
    """Write to a global."""
    SEEN.append(number)
    return spin(100_000)


async def waits(number: int) -> int:
    """Wait for 5 ms in an event loop."""
    import asyncio

    await asyncio.sleep(0.005)
    return number


def counted(number: int) -> int:
    """Count how often it is run; each time for some milliseconds."""
    RAN.append(number)
    time.sleep(0.002)
    return number


def fails(number: int) -> int:
    """Fail at one item."""
    if number == 3:
        raise ValueError("no threes")
    return number


def first_is_slow(number: int) -> int:
    """Take long once."""
    if number == 0:
        time.sleep(0.1)
    return number


def drawn(advice: corewise.Advice, width: int = 100) -> str:
    """Return what an advice shows."""
    sheet = io.StringIO()
    advice.show(sheet, width=width)
    return sheet.getvalue()


def test_waits_go_to_threads() -> None:
    """Only a part is run, and the prediction is for all items, in words too."""
    advice = corewise.advise(wait, range(400))
    assert advice.choice.approach == "threads"
    assert advice.choice.code == "waits"
    assert 1 < advice.measurement.items < 100
    assert (advice.items, advice.measurement.remaining) == (400, 400)
    plain = next(one for one in advice.estimates if one.approach == "sync")
    assert plain.seconds == pytest.approx(400 * advice.measurement.item_s)
    assert advice.estimates[0].approach == "threads"
    assert advice.estimates[0].seconds < plain.seconds / 4
    text = str(advice)
    assert "Use threads with" in text
    assert "Predicted for 400 items" in text


def test_every_approach_is_predicted_with_its_band() -> None:
    """Those that cannot be used stand last, with the reason; other numbers of cores have a line each."""
    advice = corewise.advise(spin, [200_000] * 100)
    assert {one.approach for one in advice.estimates} == {"sync", "threads", "asyncio", "processes"}
    assert all(one.low_s <= one.seconds <= one.high_s for one in advice.estimates)
    assert advice.estimates[-1].veto == "plain-function"
    assert [cores for cores, _ in advice.by_cores] == [2, 4, 8, 16]
    times = [one.seconds for _, one in advice.by_cores]
    assert times == sorted(times, reverse=True)
    assert "16 cores" in drawn(advice)


def test_too_little_work_is_left_plain() -> None:
    """All of it was run, which is said; the predictions are there nevertheless."""
    advice = corewise.advise(abs, [1, -2, 3])
    assert advice.choice.approach == "sync"
    assert advice.measurement.items == 3
    assert len(advice.estimates) == 4
    assert "3 of 3 items run" in drawn(advice)


def test_each_item_of_the_sample_is_run_once_and_no_other_thread_runs_any() -> None:
    """Nothing is run beyond the sample."""
    RAN.clear()
    advice = corewise.advise(counted, range(1000))
    assert list(range(advice.measurement.items)) == RAN
    assert threading.active_count() < 5


def test_of_an_endless_input_only_the_sample_is_read() -> None:
    """And it is said for how many items the prediction holds."""
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in itertools.count():
            read.append(number)
            yield number

    advice = corewise.advise(wait, numbers())
    assert advice.items is None
    assert len(read) == advice.measurement.items
    assert advice.document["items_assumed"] == advice.measurement.remaining == 100
    assert "does not say how many items" in drawn(advice).replace("\n  ", " ")


def test_one_long_item_is_sample_enough() -> None:
    """Behind a first item of more than a second none is run, and the figures are called rough."""
    begun: list[float] = []

    def long(seconds: float) -> None:
        begun.append(seconds)
        time.sleep(seconds)

    advice = corewise.advise(long, [1.05] * 50)
    assert begun == [1.05]
    assert advice.measurement.items == 1
    assert any("One item was run" in one for one in advice.cautions)


def test_a_first_item_that_loads_something_does_not_stand_for_the_others() -> None:
    """There are others behind it, and they tell."""
    advice = corewise.advise(first_is_slow, range(2000))
    assert advice.measurement.items > 1
    assert advice.measurement.item_s < 0.01
    assert advice.choice.approach == "sync"


def test_a_failure_in_the_sample_is_raised_as_in_a_plain_loop() -> None:
    """The item is named."""
    with pytest.raises(ValueError, match="no threes") as caught:
        corewise.advise(fails, [1, 2, 3, 4])
    assert caught.value.__notes__ == ["item 2: 3"]
    advice = corewise.advise(fails, [1, 2, 3, 4], on_error="return")
    assert advice.measurement.items == 4


def test_an_effect_is_named_with_its_line() -> None:
    """A process would lose it, so processes are vetoed."""
    advice = corewise.advise(remembers, range(300))
    apart = next(one for one in advice.estimates if one.approach == "processes")
    assert apart.veto == "effect"
    line = remembers.__code__.co_firstlineno + 2
    assert f"appends to the global 'SEEN' (test_advise.py, line {line})" in apart.why
    assert "processes cannot be used" in drawn(advice)


def test_a_doubtful_effect_is_a_caution() -> None:
    """Unless the sample shows that there is nothing in it: numbers that come back are no matter."""

    def extended(row: list[int]) -> list[int]:
        row += [spin(50_000)]
        return row

    rows: list[Any] = [[number] for number in range(200)]
    advice = corewise.advise(extended, rows)
    assert advice.cautions or any(one.veto == "effect" for one in advice.estimates)
    assert not any("very object" in one for one in corewise.advise(wait, range(50)).cautions)


def test_what_cannot_travel_is_named() -> None:
    """The captured lock, unless workers can be forked, which inherit it."""
    lock = threading.Lock()

    def guarded(rounds: int) -> int:
        with lock:
            return spin(rounds)

    advice = corewise.advise(guarded, [100_000] * 200, start_method="spawn")
    apart = next(one for one in advice.estimates if one.approach == "processes")
    assert apart.veto == "cannot-travel"
    assert "'lock'" in apart.why


def test_what_forked_workers_inherit_is_not_sent() -> None:
    """As in a real run over a list; of a generator each item would travel."""
    blocks = [bytes(100_000)] * 100
    assert corewise.advise(len, blocks, start_method="fork").measurement.argument_bytes == 0
    assert corewise.advise(len, iter(blocks), start_method="fork").measurement.argument_bytes == pytest.approx(1e5, 0.1)


def test_short_items_are_weighed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they travel; what is not plain is weighed one by one, so it is a few."""
    weighed: list[int] = []

    def noted(values: Sequence[Any], what: str) -> Travel:
        weighed.append(len(values))
        return weigh(values, what)

    monkeypatch.setattr("corewise._measure.travel.weigh", noted)
    corewise.advise(abs, iter(range(20_000)))
    assert min(weighed) > 100
    weighed.clear()
    corewise.advise(len, iter([[number] for number in range(20_000)]))
    assert min(weighed) == 5


def test_a_coroutine_function_is_sampled_too() -> None:
    """Its waits overlap in one event loop."""
    advice = corewise.advise(waits, range(300))
    assert advice.choice.approach == "asyncio"
    assert "300 items" in drawn(advice)


def test_several_iterables_and_an_initializer() -> None:
    """As for `map`."""
    called: list[str] = []
    advice = corewise.advise(pow, [2, 3], [3, 2], initializer=called.append, initargs=("once",))
    assert advice.items == 2
    assert called == ["once"]


def test_what_may_be_chosen_is_kept_to() -> None:
    """And so is the number of workers."""
    advice = corewise.advise(spin, [200_000] * 60, approaches=("threads",))
    assert advice.choice.approach == "threads"
    assert {one.veto for one in advice.estimates[1:]} == {"not-allowed"}
    assert corewise.advise(wait, range(400), workers=3).choice.workers == 3


@pytest.mark.parametrize("options", [{"workers": 0}, {"seed": "x"}, {"buffer": 3}])
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    """By the same checks as those of `map`."""
    with pytest.raises(errors.OptionError):
        corewise.advise(abs, [1], **options)


def test_no_items_and_no_function() -> None:
    """There is nothing to learn from."""
    with pytest.raises(errors.OptionError, match="no items"):
        corewise.advise(abs, [])
    with pytest.raises(TypeError, match="must be a function"):
        corewise.advise(3, [1])  # type: ignore[arg-type]


def test_the_document_holds_it_all(tmp_path: Path) -> None:
    """As JSON, in a file too."""
    advice = corewise.advise(spin, [100_000] * 100)
    file = tmp_path / "advice.json"
    document = json.loads(advice.to_json(file))
    assert (document["format"], document["version"]) == ("corewise-advice", 1)
    assert json.loads(file.read_text("utf-8"))["choice"] == document["choice"]
    assert document["choice"]["why"] == advice.choice.why
    assert [one["approach"] for one in document["predictions"]] == [one.approach for one in advice.estimates]
    assert document["sample"]["items"] == advice.measurement.items
    assert document["machine_costs"]["measured"] is True


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_it_fits_any_terminal(width: int) -> None:
    """No line is longer, and no word is lost."""
    advice = corewise.advise(remembers, range(100))
    lines = drawn(advice, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "cannot be used" in " ".join(line.strip() for line in lines)


def test_a_prediction_says_what_it_takes_for_granted() -> None:
    """That the others are like the sample; unless there are no others."""
    assert "cores, if all are like those that were run" in drawn(corewise.advise(wait, range(400)))
    assert "like those" not in drawn(corewise.advise(abs, [1, -2, 3]))


def test_calls_at_once_in_each_process_are_part_of_the_advice() -> None:
    """Without them it is another prediction."""
    advice = corewise.advise(wait, range(400))
    several = next(one for one in advice.estimates if one.approach == "processes").replace(workers=2, per_worker=12)
    choice = advice.choice.replace(approach="processes", workers=2, per_worker=12)
    advice = advice.replace(choice=choice, estimates=(several,), by_cores=((2, several), (4, several)))
    assert advice.document["choice"]["per_worker"] == advice.document["predictions"][0]["per_worker"] == 12
    several = several.replace(seconds=several.seconds * 2)
    text = drawn(advice.replace(by_cores=((2, several), (4, advice.estimates[0]))))
    assert "Use processes with 2 workers, 12 calls at once in each." in text
    assert "processes  2 × 12 at once " in text
    assert "processes with 2 × 12 at once\n" in text


def test_seconds_for_other_cores_stand_in_one_column() -> None:
    """However long they are to read."""
    advice = corewise.advise(wait, range(400))
    rows = tuple((2 * one, advice.estimates[0].replace(seconds=s)) for one, s in enumerate((515.0, 120.0, 0.5), 1))
    lines = [line for line in drawn(advice.replace(by_cores=rows)).splitlines() if " cores  " in line]
    assert len({line.index("  threads with") for line in lines}) == 1


def test_what_reading_takes_is_a_fact_where_it_counts() -> None:
    """Else the figures would not add up."""

    def read(number: int) -> int:
        time.sleep(0.002)
        return number

    text = drawn(corewise.advise(wait, map(read, range(10**6)))).replace("\n", " ")
    assert "to read one from the input takes" in text
    assert " items run in " in text
    assert "to read one" not in drawn(corewise.advise(wait, range(400)))


@pytest.mark.parametrize(
    ("wall_s", "words"), [(0.001, "not to be told in so short a time"), (0.05, "not to be told\n")]
)
def test_a_share_of_the_gil_that_is_not_known(wall_s: float, words: str) -> None:
    """The shortness of the sample is to blame only where it is short."""
    advice = corewise.advise(spin, [1000] * 3)
    measured = advice.measurement.replace(wall_s=wall_s, cpu_s=wall_s, held_s=None, native_cpu_s=0.0)
    assert f"GIL {words}" in drawn(advice.replace(choice=advice.choice.replace(measurement=measured)))


def test_more_is_said_where_map_would_do_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where an environment variable forces an approach."""
    monkeypatch.setenv("COREWISE_APPROACH", "sync")
    assert any("corewise.map would use sync" in one for one in corewise.advise(wait, range(400)).cautions)


def test_a_prediction_without_a_wait_in_line_is_not_longer_than_its_items() -> None:
    """The longest item is taken without its time in line for a core, as all others are."""
    measured = corewise.Measurement(
        items=1,
        wall_s=1.0,
        first_s=1.0,
        deviation_s=0.0,
        longest_s=1.0,
        cpu_s=0.25,
        native_cpu_s=0.0,
        held_s=0.25,
        queued_s=0.75,
        remaining=4,
    )
    assert measured.own_share == pytest.approx(0.25)
    costs = corewise.advise(abs, [1]).machine_costs.replace(cores=4, worker_start_s=0.0, worker_more_s=0.0)
    assert model.predict(measured, costs, approach="processes", workers=4).seconds < 0.5
