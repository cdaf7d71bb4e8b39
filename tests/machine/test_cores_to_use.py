"""How many cores a process may use: the least of what affinity, quota, environment and the outer call allow."""

from __future__ import annotations

import os
import sys
from fractions import Fraction

import hypothesis.strategies as st
import own_process
import pytest
from hypothesis import given

import corewise
from corewise._machine import cpus

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="affinity and control groups as Linux has them")


@needs_linux
def test_affinity_is_a_limit() -> None:
    """A process that may be scheduled on one core has one, whatever the machine has."""
    program = """
import os, corewise
before = corewise.cpu_count()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(before, corewise.cpu_count())
"""
    before, after = map(int, own_process.run(program).split())
    assert before == corewise.cpu_count()
    assert after == 1


@pytest.mark.parametrize("asked", ["1", "64", "0", "-3", "two", " 1", ""])
def test_the_environment_may_lower_the_number_and_never_raises_it(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no whole number from 1 on is not heard."""
    monkeypatch.delenv("PYTHON_CPU_COUNT", raising=False)
    allowed = corewise.cpu_count()
    monkeypatch.setenv("PYTHON_CPU_COUNT", asked)
    assert corewise.cpu_count() == (min(int(asked), allowed) if asked in ("1", "64") else allowed)


@pytest.mark.parametrize(("share", "expected"), [(1, 1), (0, 1), (10_000, None)])
def test_what_an_outer_call_hands_down_is_a_limit(share: int, expected: int | None) -> None:
    """At least one core is left, and never more than there are."""
    program = (
        f"import corewise; from corewise._machine import cpus; cpus.hand_down({share}); print(corewise.cpu_count())"
    )
    assert int(own_process.run(program)) == (expected or corewise.cpu_count())


@needs_linux
def test_the_least_of_all_limits_counts() -> None:
    """Together they allow what the strictest of them allows."""
    program = """
import os, corewise
from corewise._machine import cpus
counts = []
os.environ["PYTHON_CPU_COUNT"] = "1"
counts.append(corewise.cpu_count())
cpus.hand_down(5)
counts.append(corewise.cpu_count())
del os.environ["PYTHON_CPU_COUNT"]
counts.append(corewise.cpu_count() <= 5)
print(counts)
"""
    assert own_process.run(program) == "[1, 1, True]"


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000\n", None),
        ("150000 100000\n", 1.5),
        ("200000 100000", 2.0),
        ("10000 100000", 0.1),
        ("-1 100000", None),
        ("50000 25000", 2.0),
        ("100000 0", None),
        ("100000", None),
        ("100000 ", None),
        ("", None),
        (" ", None),
        ("rubbish", None),
        ("max", None),
    ],
)
def test_a_quota_is_read_from_the_kernels_text(quota: str, cores: float | None) -> None:
    """Both versions of control groups, and files that are missing or make no sense."""
    assert cpus.share_of(quota) == cores


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_any_quota_is_a_share_of_its_period(limit: int, period: int) -> None:
    """Exactly."""
    share = cpus.share_of(f"{limit} {period}\n")
    assert share == pytest.approx(float(Fraction(limit, period)))


@given(st.text())
def test_no_text_makes_reading_a_quota_fail(text: str) -> None:
    """What is not understood is no limit."""
    share = cpus.share_of(text)
    assert share is None or share >= 0


@pytest.mark.parametrize(
    ("membership", "groups"),
    [
        ("0::/\n", [""]),
        ("0::/user.slice/app.scope\n", ["", "/user.slice", "/user.slice/app.scope"]),
        ("12:cpu:/docker/abc\n0::/docker/abc\n", ["", "/docker", "/docker/abc"]),
        ("0::/../../outside\n", ["", "/outside"]),
        ("12:cpu,cpuacct:/old\n", [""]),
        ("", [""]),
    ],
)
@needs_linux
def test_every_group_above_may_set_a_limit(membership: str, groups: list[str]) -> None:
    """From the root to the process's own group; a group beyond the container's border has no folder here."""
    assert cpus.groups_of(membership) == [f"/sys/fs/cgroup{group}" for group in groups]


def test_the_number_is_possible_on_this_machine() -> None:
    """At least one core, no more than the machine has."""
    assert 1 <= corewise.cpu_count() <= cpus.logical_cores()
    assert cpus.logical_cores() == (os.cpu_count() or 1)
