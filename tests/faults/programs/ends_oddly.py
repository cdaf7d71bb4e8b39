"""Opens an executor or a map whose workers say their process ids, and ends in the way it is told to."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time

import corewise


def say_and_sleep() -> None:
    """Say which process this is, and never end."""
    os.write(1, f"{os.getpid()}\n".encode())  # in one piece, as two workers write to one pipe
    while True:
        signal.pause()


def say_and_spin() -> None:
    """Say which process this is, and compute for ever."""
    os.write(1, f"{os.getpid()}\n".encode())
    while True:
        pass


def say_and_go_on(seconds: float) -> int:
    """Say which process this is, and end soon."""
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(seconds)
    return os.getpid()


def log(path: str, number: int) -> None:
    """Leave a mark."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(descriptor, f"{number}\n".encode())
    os.close(descriptor)


def stay_idle(executor: corewise.ProcessExecutor) -> None:
    """Have workers that wait for work."""
    for future in [executor.submit(say_and_go_on, 0.05) for _ in range(2)]:
        future.result()
    print("idle", flush=True)
    signal.pause()


def stay_busy(executor: corewise.ProcessExecutor) -> None:
    """Do something else while workers work."""
    executor.submit(say_and_sleep)
    executor.submit(say_and_spin)
    signal.pause()


def wait_for_result(executor: corewise.ProcessExecutor) -> None:
    """Wait for what never comes."""
    futures = [executor.submit(say_and_sleep) for _ in range(2)]
    futures[0].result()


def wait_inside_with(executor: corewise.ProcessExecutor) -> None:
    """Wait for what never comes, with an executor to close on the way out."""
    with executor:
        wait_for_result(executor)


def map_inside_with(executor: corewise.ProcessExecutor) -> None:
    """Wait for the results of a map."""
    with executor:
        list(executor.map(lambda _: say_and_sleep(), range(2)))


def leave_with(executor: corewise.ProcessExecutor) -> None:
    """Wait for the end of all calls."""
    with executor:
        executor.submit(say_and_sleep)
        executor.submit(say_and_sleep)


def leave_by_os_exit(executor: corewise.ProcessExecutor) -> None:
    """Leave when told to, past every handler of Python's."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for _ in range(2):
        executor.submit(say_and_sleep)
    signal.sigwait({signal.SIGUSR1})
    os._exit(7)


def leave_work_pending(executor: corewise.ProcessExecutor) -> None:
    """Submit, and come to the end of the program."""
    for number in range(50):
        executor.submit(log, PATH, number)


def shut_down_without_waiting(executor: corewise.ProcessExecutor) -> None:
    """Submit, and say that nothing more will come."""
    leave_work_pending(executor)
    executor.shutdown(wait=False)


def raise_error(executor: corewise.ProcessExecutor) -> None:
    """Submit, and fail."""
    leave_work_pending(executor)
    raise ValueError("the program's own")


def leave_by_sys_exit(executor: corewise.ProcessExecutor) -> None:
    """Submit, and leave with a code of one's own."""
    leave_work_pending(executor)
    sys.exit(5)


WAYS = {
    "idle": stay_idle,
    "busy": stay_busy,
    "waiting": wait_for_result,
    "waiting inside with": wait_inside_with,
    "mapping inside with": map_inside_with,
    "leaving with": leave_with,
    "os._exit": leave_by_os_exit,
    "work pending": leave_work_pending,
    "shut down without waiting": shut_down_without_waiting,
    "dropped": leave_work_pending,
    "raising": raise_error,
    "sys.exit": leave_by_sys_exit,
}

if __name__ == "__main__":
    how, start_method, PATH = sys.argv[1:]
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which whoever runs the tests may ignore, as `nohup` does
    executor = corewise.ProcessExecutor(2, mp_context=multiprocessing.get_context(start_method))
    WAYS[how](executor)
    if how == "dropped":
        del executor
        gc.collect()
