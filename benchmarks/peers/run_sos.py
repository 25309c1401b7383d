"""SoS: a workflow file for each job. The time of a workflow with one step, its start-up, is subtracted."""

import subprocess
import sys
import time
from pathlib import Path

import timing

_SUM = """\
import glob
total = sum(int(open(name).read()) for name in glob.glob({pattern!r}))
open('{out}', 'w').write(str(total))
"""

_WORK = """\
[{name}_{step}]
input: for_each=dict(i=range({count}))
open(f'{name}-{{i}}.out', 'w').write(str(i))

"""


def _run(name, text):
    Path(f"{name}.sos").write_text(text)
    begin = time.perf_counter()
    command = [
        str(Path(sys.executable).with_name("sos")),
        "run",
        f"{name}.sos",
        name,
        "-j",
        "2",
        "-v",
        "0",
        "-s",
        "ignore",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return time.perf_counter() - begin


def _start():
    return _run("one", "[one_1]\nopen('one.out', 'w').write('0')\n")


def _sum(name):
    return sum(int(path.read_text()) for path in Path().glob(f"{name}-*.out"))


def independent(tasks):
    name = "independent"
    seconds = _run(name, _WORK.format(name=name, step=1, count=tasks)) - _start()
    return _sum(name), seconds


def chain(tasks):
    name = "chain"
    steps = [f"[{name}_0]\nopen('{name}.out', 'w').write('0')\n"]
    steps += [
        f"[{name}_{number}]\nbefore = int(open('{name}.out').read())\nopen('{name}.out', 'w').write(str(before + 1))\n"
        for number in range(1, tasks)
    ]
    seconds = _run(name, "\n".join(steps)) - _start()
    return int(Path(f"{name}.out").read_text()), seconds


def fan(tasks):
    name = "fan"
    text = f"[{name}_1]\nopen('first.out', 'w').write('0')\n\n" + _WORK.format(name=name, step=2, count=tasks - 2)
    text += f"[{name}_3]\n" + _SUM.format(pattern=f"{name}-*.out", out="last.out")
    seconds = _run(name, text) - _start()
    return int(Path("last.out").read_text()), seconds


if __name__ == "__main__":
    timing.main({"python": independent, "chain": chain, "fan": fan})
