"""Snakemake: a file of rules for each job. The time of a run with one rule, its start-up, is subtracted."""

import subprocess
import sys
import time
from pathlib import Path

import timing


def _run(name, rules, goal):
    folder = Path(name)
    folder.mkdir(exist_ok=True)
    text = f"rule all:\n    input: {goal}\n\n" + rules
    (folder / "Snakefile").write_text(text)
    begin = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "-j", "2", "--quiet", "all", "--directory", name]
    done = subprocess.run([*command, "-s", f"{name}/Snakefile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return time.perf_counter() - begin


def _rule(name, output, body, source=""):
    given = f"    input: {source}\n" if source else ""
    return f"rule {name}:\n{given}    output: {output}\n    run:\n        {body}\n\n"


def _start():
    name = f"one-{time.monotonic_ns()}"
    return _run(name, _rule("one", "'one.out'", "open(output[0], 'w').write('0')"), "'one.out'")


def independent(tasks):
    rule = _rule("work", "'work-{i}.out'", "open(output[0], 'w').write(wildcards.i)")
    seconds = _run("independent", rule, f"expand('work-{{i}}.out', i=range({tasks}))") - _start()
    return sum(int(path.read_text()) for path in Path("independent").glob("work-*.out")), seconds


def chain(tasks):
    rules = _rule("t0", "'t0.out'", "open(output[0], 'w').write('0')")
    for number in range(1, tasks):
        body = "open(output[0], 'w').write(str(int(open(input[0]).read()) + 1))"
        rules += _rule(f"t{number}", f"'t{number}.out'", body, source=f"'t{number - 1}.out'")
    seconds = _run("chain", rules, f"'t{tasks - 1}.out'") - _start()
    return int(Path(f"chain/t{tasks - 1}.out").read_text()), seconds


def fan(tasks):
    rules = _rule("first", "'first.out'", "open(output[0], 'w').write('0')")
    body = "open(output[0], 'w').write(str(int(open(input[0]).read()) + int(wildcards.i)))"
    rules += _rule("work", "'work-{i}.out'", body, source="'first.out'")
    body = "open(output[0], 'w').write(str(sum(int(open(one).read()) for one in input)))"
    rules += _rule("last", "'last.out'", body, source=f"expand('work-{{i}}.out', i=range({tasks - 2}))")
    seconds = _run("fan", rules, "'last.out'") - _start()
    return int(Path("fan/last.out").read_text()), seconds


if __name__ == "__main__":
    timing.main({"python": independent, "chain": chain, "fan": fan})
