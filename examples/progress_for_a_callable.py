"""Progress told to a function of one's own, at most ten times a second; `progress=True` would draw a bar instead.

Prints:
    60 items by threads
    ... of 60 done, about ... s left
    60 done, 0 failed
"""

import time

import corewise


def ask_a_service(number: int) -> int:
    """Wait as a call over the network does; a thread that waits leaves its core to others."""
    time.sleep(0.02)
    return number


def tell(event: corewise.Progress) -> None:
    """Print what is known; the remaining time is None until the first item is done."""
    if event.kind == "started":
        print(f"{event.total} items by {event.approach}")
    elif event.kind == "finished":
        print(f"{event.done} done, {event.failed} failed")
    elif event.remaining_s is not None:
        print(f"{event.done} of {event.total} done, about {event.remaining_s:.1f} s left")


if __name__ == "__main__":
    corewise.map(ask_a_service, range(60), approach="threads", workers=4, progress=tell)
