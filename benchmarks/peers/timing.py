"""What the scripts of the peers share: the arguments, the clock, the check of the results."""

import json
import os
import sys
import time


def expected(case, tasks):
    """The sum, or the last number, that a job must give."""
    if case == "chain":
        return tasks - 1
    middle = tasks - 2 if case == "fan" else tasks
    return middle * (middle - 1) // 2


def main(jobs, prepare=None):
    """Run the jobs that the command line asks for; `jobs`: case -> function of the number of tasks.

    A function returns the sum of the results, or, for a chain, the last one; or a pair of that and its own seconds.
    """
    os.chdir(sys.argv[1])
    found = {}
    for argument in sys.argv[2:]:
        case, _, number = argument.partition("=")
        tasks = int(number)
        ready = prepare(case, tasks) if prepare else tasks
        begin = time.perf_counter()
        result = jobs[case](ready)
        seconds = time.perf_counter() - begin
        if isinstance(result, tuple):
            result, seconds = result
        assert result == expected(case, tasks), (case, result, expected(case, tasks))
        found[case] = seconds
    print(json.dumps(found), flush=True)
