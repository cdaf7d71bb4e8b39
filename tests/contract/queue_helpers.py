"""What the tests of queues share: both transports, processes, and calls that wait in threads."""

from __future__ import annotations

import multiprocessing
import threading
from typing import TYPE_CHECKING, Any, Self

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_S = 10.0  # nothing takes so long unless it hangs (guess)
KINDS = [corewise.Queue, corewise.JoinableQueue]
START_METHODS = multiprocessing.get_all_start_methods()


class Started:
    """A process that runs a function and is waited for."""

    def __init__(self, method: str, target: Callable[..., None], *arguments: Any) -> None:
        self.process = multiprocessing.get_context(method).Process(target=target, args=arguments)

    def __enter__(self) -> Self:
        self.process.start()  # type: ignore[attr-defined]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.process.kill()  # type: ignore[attr-defined]
        self.process.join(LONG_S)  # type: ignore[attr-defined]
        exitcode = self.process.exitcode  # type: ignore[attr-defined]
        self.process.close()  # type: ignore[attr-defined]
        assert exitcode == 0 or kind is not None


class Waiting(threading.Thread):
    """A call in a thread, whose result or error is asked for later."""

    def __init__(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        super().__init__(daemon=True)
        self._call = lambda: call(*arguments, **options)
        self._outcome: tuple[Any, BaseException | None] | None = None
        self.start()

    def run(self) -> None:
        """Call it."""
        try:
            self._outcome = self._call(), None
        except BaseException as error:  # noqa: BLE001 - raised by `result`
            self._outcome = None, error

    def result(self) -> Any:
        """Wait for its end."""
        self.join(LONG_S)
        assert self._outcome is not None, "it hangs"
        value, error = self._outcome
        if error is not None:
            raise error
        return value
