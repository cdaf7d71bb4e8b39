"""Runs small programs in an interpreter of their own, for what would change the tests' own process."""

from __future__ import annotations

import os
import subprocess
import sys


def run(text: str, limit_s: float = 15.0, **environment: str) -> str:
    """Run a program that must succeed without a word of complaint, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_s,
        env={**os.environ, **environment},
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.strip()
