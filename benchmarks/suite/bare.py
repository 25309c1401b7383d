"""Bare fork and wait: the smallest cost of a process for each task, and the unit of the ratios.

    python -I -S benchmarks/suite/bare.py [FORKS] [captured]

A small Python process, which has imported nothing, forks FORKS children that end at once, two at a time, and waits for
each. Prints milliseconds a child. With `captured`, each child writes a line into a pipe, and the parent reads it to
its end: what a task with captured output costs at least.
"""

import os
import sys
import time


def plain(forks: int) -> None:
    alive = started = 0
    while started < forks or alive:
        while alive < 2 and started < forks:
            if os.fork() == 0:
                os._exit(0)
            alive, started = alive + 1, started + 1
        os.wait()
        alive -= 1


def captured(forks: int) -> None:
    pipes: dict[int, int] = {}
    started = 0
    while started < forks or pipes:
        while len(pipes) < 2 and started < forks:
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.dup2(writing, 1)
                os.write(1, b"1\n")
                os._exit(0)
            os.close(writing)
            pipes[pid] = reading
            started += 1
        pid, reading = next(iter(pipes.items()))
        while os.read(reading, 4096):
            pass
        os.close(reading)
        os.waitpid(pid, 0)
        del pipes[pid]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    work = captured if "captured" in sys.argv else plain
    begin = time.perf_counter()
    work(count)
    print((time.perf_counter() - begin) * 1000 / count)
