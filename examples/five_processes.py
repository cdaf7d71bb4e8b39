"""Start five processes and wait for all of them.

All five run at the same time, and print in the order in which they get done: it may differ from run to run.

Prints:
    starting five processes
    ...primes below...
    all have ended, with exit codes [0, 0, 0, 0, 0]
"""

from corewise import Process


def count_primes(number: int, limit: int) -> None:
    """Print how many primes there are below `limit`."""
    primes = sum(all(value % divisor for divisor in range(2, int(value**0.5) + 1)) for value in range(2, limit))
    print(f"process {number} has counted {primes} primes below {limit}")


if __name__ == "__main__":
    print("starting five processes", flush=True)
    processes = [Process(target=count_primes, args=(number, 4000 * number)) for number in range(1, 6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(f"all have ended, with exit codes {[process.exitcode for process in processes]}")
