"""The functions of the parallel block; the processes of the pool import them."""

from hamilton.htypes import Collect, Parallelizable


def number(tasks: int) -> Parallelizable[int]:
    yield from range(tasks)


def work(number: int) -> int:
    return number


def total(work: Collect[int]) -> int:
    return sum(work)
