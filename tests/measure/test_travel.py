"""What objects take on their way to another process, beside what the codec really makes of them."""

from __future__ import annotations

import array
import threading
from pickle import PickleBuffer
from time import perf_counter, thread_time
from typing import Any

import pytest

from corewise._measure import travel
from corewise._measure.travel import Travel, weigh
from corewise._transport import codec


class Large:
    """Something with a large buffer, such as an array."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: int) -> Any:
        return Large, (PickleBuffer(self.data),)


class Counts:
    """Knows how often it was pickled and unpickled."""

    written = read = 0

    def __getstate__(self) -> dict[str, int]:
        Counts.written += 1
        return {"some": 1}

    def __setstate__(self, state: dict[str, int]) -> None:
        Counts.read += 1


def packed_bytes(value: object) -> int:
    """Return how many bytes the codec makes of something."""
    packed = codec.pack(value)
    return sum(map(codec.bytes_of, (packed[0], *packed[1]))) if isinstance(packed, tuple) else len(packed)


@pytest.mark.parametrize(
    "value",
    [None, 5, "text", list(range(1000)), {number: str(number) for number in range(500)}, b"x" * 100_000],
    ids=lambda value: type(value).__name__,
)
def test_the_bytes_are_those_that_the_codec_makes(value: object) -> None:
    """To a few, as the pickler puts bytes into frames where it writes to a file."""
    seen = weigh([value])
    assert seen.size_bytes == pytest.approx(packed_bytes(value), abs=40)
    assert seen.whole
    assert seen.refusal == ""
    assert 0 <= seen.pickle_s < 0.1  # of a short one that travels among others, less than the clock tells
    assert 0 <= seen.unpickle_s < 0.1
    assert value in (None, 5, "text") or (seen.pickle_s > 0 and seen.unpickle_s > 0)


def test_what_a_pickle_takes_by_itself_is_no_matter_of_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one short value it is nearly all. Taken for each of 100,000, a run of 16 ms was foretold to take 117."""
    now_s = 0.0

    def dumps(values: list[int]) -> bytes:
        nonlocal now_s
        now_s += 2e-6 + 1e-8 * len(values)
        return bytes(10 + 5 * len(values))

    def loads(data: bytes) -> None:
        nonlocal now_s
        now_s += 1e-6 + 1e-9 * (len(data) - 10)

    monkeypatch.setattr(travel, "plain_dumps", dumps)
    monkeypatch.setattr(travel, "loads", loads)
    monkeypatch.setattr(travel, "perf_counter", lambda: now_s)
    for number in (1, 1000):
        seen = weigh(range(number))
        assert seen.pickle_s == pytest.approx(1e-8)
        assert seen.unpickle_s == pytest.approx(5e-9)


def test_plain_values_are_weighed_together_as_they_travel() -> None:
    """Alone or as arguments of one call: some bytes each, and far below a microsecond."""
    for seen in (weigh(range(1000)), weigh([(number, 0.5) for number in range(1000)], star=True)):
        assert 4 < seen.size_bytes < 20
        assert seen.pickle_s < 1e-6
        assert seen.whole
    assert weigh([(1, "two")] * 1000).pickle_s > weigh([(1, "two")] * 1000, star=True).pickle_s


def test_of_many_or_long_plain_values_a_part_is_looked_at() -> None:
    """A gigabyte of text is not written to see what it would take."""
    begin = perf_counter()
    texts = weigh(["x" * 10_000_000] * 20)
    assert perf_counter() - begin < 0.2
    assert texts.size_bytes == pytest.approx(10_000_000, rel=0.01)
    assert 0.0001 < texts.pickle_s < 1.0
    assert weigh(range(10**9)).size_bytes == pytest.approx(5, abs=1)
    assert not weigh(range(10**9)).whole


def test_large_buffers_are_counted_and_not_copied() -> None:
    """A gigabyte beside the pickle costs no time here; sent, it costs a copy."""
    data = bytearray(1 << 30)
    begin = perf_counter()
    seen = weigh([Large(data)])
    assert perf_counter() - begin < 0.1
    assert seen.size_bytes == pytest.approx(1 << 30, rel=0.001)
    assert seen.whole


def test_what_takes_long_is_extrapolated() -> None:
    """A list of a million lists is looked at for a few milliseconds, and told to the factor that decides."""
    rows = [[float(number)] * 3 for number in range(400_000)]
    begin = perf_counter(), thread_time()
    seen = weigh([rows], budget_s=0.01)
    share = (thread_time() - begin[1]) / (perf_counter() - begin[0])  # the rest it stood in line for a core
    took_s = thread_time() - begin[1]
    before = thread_time()
    real = codec.dumps(rows)
    real_s = thread_time() - before
    if share < 0.5:
        pytest.skip("the machine is crowded")
    assert not seen.whole
    assert took_s < real_s
    assert seen.size_bytes == pytest.approx(len(real), rel=0.7)
    assert real_s / 5 < seen.pickle_s < real_s * 5


@pytest.mark.parametrize("kind", [set, frozenset, tuple, lambda some: dict.fromkeys(some, 1)])
def test_all_collections_are_looked_into(kind: Any) -> None:
    """Not only lists."""
    value = kind(float(number) for number in range(500_000))
    assert weigh([value], budget_s=0.002).size_bytes == pytest.approx(len(codec.dumps(value)), rel=0.5)


def test_the_mean_is_given() -> None:
    """Of all objects that there was time for, and there is always time for one."""
    assert weigh([b"", b"x" * 20_000]).size_bytes == pytest.approx(10_000, rel=0.01)
    assert weigh([b"x" * 1000] * 10_000, budget_s=0.0).size_bytes == pytest.approx(1000, rel=0.1)
    assert weigh([]) == Travel()


def test_what_cannot_travel_says_why() -> None:
    """By the very part, as the codec does when it is really sent."""
    seen = weigh([1, {"guard": threading.Lock()}], "the result")
    assert "the result" in seen.refusal
    assert "lock" in seen.refusal
    assert seen.size_bytes > 0


def test_what_only_cloudpickle_can_send_is_weighed_by_it() -> None:
    """Lambdas, for example."""
    seen = weigh([lambda: 5])
    assert seen.size_bytes == pytest.approx(packed_bytes(lambda: 5), rel=0.2)


def test_nothing_of_a_class_runs_to_read_it() -> None:
    """To write it, what the class says about that has to run."""
    Counts.written = Counts.read = 0
    assert weigh([Counts()]).unpickle_s > 0
    assert Counts.written > 0
    assert Counts.read == 0


def test_classes_of_the_main_module_can_be_sent_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the other process cannot import them, they travel with every object, and weigh."""
    monkeypatch.setattr(Large, "__module__", "__main__")
    import __main__

    monkeypatch.setattr(__main__, "Large", Large, raising=False)
    by_name, by_value = weigh([Large(array.array("b"))]), weigh([Large(array.array("b"))], main_by_value=True)
    assert by_value.size_bytes > by_name.size_bytes + 100
