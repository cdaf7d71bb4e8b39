"""Plain code runs coroutines in the background: at most ten at once, each held to a time limit, one cancelled.

Prints:
    service 0 answered
    service 1 answered
    service 2 was too slow: the call took longer than its time limit of 0.2 s
    service 3 is not asked any more
    2 finished, 1 failed, 1 cancelled
"""

import asyncio
from concurrent.futures import CancelledError

import corewise

ANSWERING = 2


async def ask(service: int) -> str:
    """Wait for an answer, as a call over the network does; some never come."""
    await asyncio.sleep(0.01 if service < ANSWERING else 60)
    return f"service {service} answered"


if __name__ == "__main__":
    with corewise.AsyncioExecutor(10, timeout=0.2) as executor:
        answers = [executor.submit(ask, service) for service in range(4)]
        answers[3].cancel()  # whether it runs already or not
        for service, answer in enumerate(answers):
            try:
                print(answer.result())
            except TimeoutError as error:
                print(f"service {service} was too slow: {error}")
            except CancelledError:
                print(f"service {service} is not asked any more")
    figures = executor.statistics()
    print(f"{figures.finished} finished, {figures.failed} failed, {figures.cancelled} cancelled")
