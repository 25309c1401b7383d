"""How long a picture takes: layout, drawing, text and PNG, for workflows of many sizes.

    python benchmarks/picture.py [--own] [--json]

`--own` measures our own layout where fast-sugiyama is installed. The promise: 1,000 tasks are drawn in under a second.
However dense the graph is (two, four and ten parents for each of 1,000 tasks), each form takes less than two seconds.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable

from proactive_jupyter_kernel.workflow import picture
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow
from proactive_jupyter_kernel.workflow.picture import layers
from proactive_jupyter_kernel.workflow.picture.layout import lay_out
from proactive_jupyter_kernel.workflow.picture.scene import scene_of
from proactive_jupyter_kernel.workflow.picture.svg import svg_of

#: Tasks and dependencies.
SIZES = ((10, 14), (60, 90), (200, 300), (1_000, 1_400), (5_000, 7_000))
LIMIT = 1.0
#: The parents of each of 1,000 tasks of a dense graph, and the seconds for every form of its picture.
PARENTS = (2, 4, 10)
DENSE_LIMIT = 2.0


def random_workflow(tasks: int, links: int, *, families: bool) -> Workflow:
    """Every task but the first depends on one or more of the 30 before it; without families no two names are alike."""
    chance = random.Random(1)
    parents: list[set[int]] = [set(), *({chance.randrange(max(0, task - 30), task)} for task in range(1, tasks))]
    for _ in range(links - tasks):
        task = chance.randrange(1, tasks)
        parents[task].add(chance.randrange(max(0, task - 30), task))

    def name(task: int) -> str:
        return f"work_{task}" if families else "".join(chr(97 + int(digit)) for digit in str(task))

    script = Script(language="cpython")
    return Workflow(
        name="random",
        tasks=tuple(
            Task(name=name(task), executable=script, depends=tuple(map(name, sorted(parents[task]))))
            for task in range(tasks)
        ),
    )


def dense_workflow(parents: int) -> Workflow:
    """1,000 tasks that each depend on so many of all tasks before."""
    chance = random.Random(1)
    script = Script(language="cpython")
    names = ["".join(chr(97 + int(digit)) for digit in str(task)) for task in range(1_000)]
    return Workflow(
        name="dense",
        tasks=tuple(
            Task(
                name=name,
                executable=script,
                depends=tuple(
                    names[one] for one in sorted({chance.randrange(task) for _ in range(parents)} if task else ())
                ),
            )
            for task, name in enumerate(names)
        ),
    )


def timed(action: Callable[[], object]) -> float:
    """The best of three, in seconds."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> int:
    """Print a table; 1 where the promise is broken."""
    engine = layers.own if "--own" in sys.argv else layers.engine()
    found: dict[str, dict[str, float]] = {}
    say = (lambda text: None) if "--json" in sys.argv else print
    say(f"layout by {engine.__module__.rpartition('.')[2]}.{engine.__name__}")
    say(f"{'tasks':>6} {'names':>9} {'boxes':>6} {'crossings':>9} {'svg':>9} {'text':>9} {'html':>9} {'svg size':>9}")
    broken = False
    for tasks, links in SIZES:
        for families in (False, True):
            workflow = random_workflow(tasks, links, families=families)
            scene = scene_of(workflow)
            number = {key: index for index, key in enumerate(scene.boxes)}
            edges = [(number[edge.source], number[edge.target]) for edge in scene.edges]
            crossed = layers.crossings(layers.tidy(len(number), engine(len(number), edges)))

            def draw(workflow: Workflow = workflow) -> str:
                found = scene_of(workflow)
                return svg_of(found, lay_out(found, engine), picture.LIGHT)

            drawn = timed(draw)
            broken = broken or (tasks <= 1_000 and drawn > LIMIT)
            row = [drawn, timed(lambda: picture.text(workflow)), timed(lambda: picture.html(workflow))]  # noqa: B023
            kind = "families" if families else "unlike"
            found[f"{tasks} tasks, {kind}"] = dict(zip(("svg_s", "text_s", "html_s"), row, strict=True))
            say(
                f"{tasks:>6} {kind:>9} {len(scene.boxes):>6} {crossed:>9} "
                + " ".join(f"{one * 1000:>6.0f} ms" for one in row)
                + f" {len(draw()) / 1000:>6.0f} kB"
            )
    for parents in PARENTS:
        dense = dense_workflow(parents)
        forms = (picture.draw, picture.text, picture.html)
        row = [timed(lambda form=form: form(dense)) for form in forms]  # type: ignore[misc]  # noqa: B023
        broken = broken or max(row) > DENSE_LIMIT
        found[f"1000 tasks, {parents} parents each"] = dict(zip(("svg_s", "text_s", "html_s"), row, strict=True))
        say(f"1000 tasks, {parents} parents each: " + " ".join(f"{one * 1000:.0f} ms" for one in row))
    small = picture.draw(random_workflow(10, 14, families=False))
    png = timed(lambda: picture.png(small))
    say(f"PNG of 10 tasks: {png * 1000:.0f} ms")
    if "--json" in sys.argv:
        print(json.dumps({**found, "PNG of 10 tasks": {"png_s": png}}))
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
