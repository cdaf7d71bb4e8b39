"""Results of an endless input, one by one, while two processes run a little ahead; the loop ends when it has enough.

Prints:
    2 3 5 7 11 13 17 19 23 29 31 37 41
    at most 20 of the numbers behind them had been looked at
"""

import itertools

import corewise

ENOUGH = 13  # primes
BUFFER = 20  # items


def check(number: int) -> tuple[int, bool]:
    """Say whether a number is prime, by trying all that are smaller."""
    return number, number > 1 and all(number % divisor for divisor in range(2, number))


if __name__ == "__main__":
    primes: list[int] = []
    with corewise.stream(check, itertools.count(), approach="processes", workers=2, buffer=BUFFER) as results:
        for number, is_prime in results:
            if is_prime:
                primes.append(number)
            if len(primes) == ENOUGH:
                break
    print(*primes)
    ahead = results.stats.items - (primes[-1] + 1)
    print("at most 20" if ahead <= BUFFER else ahead, "of the numbers behind them had been looked at")
