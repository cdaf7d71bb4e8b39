"""Starts a process from the top of the program, without `if __name__ == "__main__"`, by any start method."""

import sys

import corewise

factor = 20


class Answer:
    """An object of a class of this program."""

    def __init__(self, value: int) -> None:
        self.value = value


def work(number: int) -> Answer:
    """Use what else this program defines."""
    return Answer(number * factor + 2)


print("the program runs")
process = corewise.Process(target=work, args=(2,), start_method=sys.argv[1])
process.start()
answer = process.result(20)
print(answer.value, type(answer) is Answer)
process.join()
