"""Functions that show what surrounds a worker, importable by worker processes however they are started."""

from __future__ import annotations

import contextvars
import logging
import os
import random
import signal
import sys
import time
import warnings
from typing import Any

import corewise

LOGGER = logging.getLogger("corewise.tests.contract")
request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="nobody")


def log_line(number: int) -> int:
    """Log at two levels, by a logger and by the module's own function."""
    LOGGER.info("info of %d", number)
    logging.error("error of %d", number)  # noqa: LOG015 - scripts do so
    return number


def log_then_die_at_3(number: int) -> int:
    """Be killed just after a line was written."""
    if number == 3:
        LOGGER.error("last words of %d", number)
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def warn_of_the_same(number: int) -> int:
    """Warn at one and the same line."""
    warnings.warn("the same for all", UserWarning, stacklevel=1)
    return number


def draw(number: int) -> tuple[int, float, float | None]:
    """Draw random numbers; by NumPy only where it is loaded."""
    numpy = sys.modules.get("numpy")
    return number, random.random(), None if numpy is None else float(numpy.random.rand())


def blas_threads(number: int) -> list[int]:
    """Tell how many threads BLAS would use here."""
    import numpy as np  # in a worker that was started afresh, only now
    import threadpoolctl

    np.ones((2, 2)) @ np.ones((2, 2))
    return [library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]


def blas_threads_after_a_while(number: int) -> list[int]:
    """Tell how many threads BLAS would use at the end of an item that is long."""
    time.sleep(0.1)
    return blas_threads(number)


def cores_left(number: int) -> int:
    """Tell how many cores a call made here may use."""
    return corewise.cpu_count()


def inner_workers(number: int) -> int:
    """Tell how many processes a call made here starts by default."""
    inner = corewise.map(abs, range(20), approach="processes")
    return inner.stats.workers


def seen(number: int) -> Any:
    """Tell the value of the context variable."""
    return request.get()
