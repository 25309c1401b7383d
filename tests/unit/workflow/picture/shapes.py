"""The workflows of the pictures that tests draw, written short."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ForkEnvironment,
    Loop,
    Replicate,
    Script,
    SelectionScript,
    Task,
    Workflow,
)

__all__ = [
    "BRANCH",
    "LOOP",
    "NAMES",
    "NESTED",
    "REPLICATE",
    "SIMPLE",
    "any_workflow",
    "family",
    "js",
    "task",
    "workflow",
]


def js(code: str) -> Script:
    """A flow script."""
    return Script(language="javascript", code=code)


def task(name: str, *depends: str, language: str = "cpython", scripts: str = "", **more: Any) -> Task:
    """A task; `scripts` are words such as ``pre fork``."""
    script = Script(language="bash", code="true")
    around: dict[str, Any] = {word: script for word in ("pre", "post", "clean") if word in scripts.split()}
    if "selection" in scripts:
        around["selection"] = (SelectionScript(script=script),)
    if "fork" in scripts:
        around["fork_environment"] = ForkEnvironment(script=script)
    return Task(name=name, executable=Script(language=language), depends=depends, **around, **more)


def workflow(name: str, *tasks: Task) -> Workflow:
    return Workflow(name=name, tasks=tasks)


def family(count: int) -> Workflow:
    """One task, many of the same name after it, one after these."""
    names = [f"work_{index:03d}" for index in range(count)]
    return workflow("family", task("load"), *(task(name, "load") for name in names), task("merge", *names))


@st.composite
def any_workflow(draw: st.DrawFn) -> Workflow:
    """Any graph with any controls, also what no server would take: unknown parents, circles, targets that overlap."""
    count = draw(st.integers(0, 9))
    names = [f"t{index}" for index in range(count)]
    some = st.sampled_from([*names, "unknown"])
    flows = st.one_of(
        st.none(),
        st.builds(Branch, script=st.just(js("x")), target=some, otherwise=some, continuation=some | st.just("")),
        st.builds(Loop, script=st.just(js("loop = false")), target=some),
        st.builds(Replicate, script=st.just(js("runs = 3"))),
    )
    tasks = []
    for index, name in enumerate(names):
        depends = draw(st.lists(st.sampled_from([*names[:index], "unknown"]) | some, max_size=3))
        tasks.append(task(name, *depends, flow=draw(flows), block=draw(st.sampled_from(Block))))
    return workflow("any", *tasks)


SIMPLE = workflow(
    "simple",
    task("load", scripts="pre"),
    task("check", "load"),
    task("train", "load", language="R", scripts="fork selection"),
    task("report", "check", "train", scripts="post clean"),
    task("mail", "report", language="bash"),
)

BRANCH = workflow(
    "branch",
    task("score", flow=Branch(script=js('branch = "if"'), target="retrain", otherwise="keep", continuation="publish")),
    task("retrain", language="R"),
    task("keep", language="bash"),
    task("publish", language="groovy"),
)

LOOP = workflow(
    "loop",
    task("fetch", block=Block.START),
    task("parse", "fetch", language="javascript"),
    task(
        "test", "parse", block=Block.END, flow=Loop(script=js('loop = variables.get("error") > 0.1;'), target="fetch")
    ),
    task("store", "test"),
)

REPLICATE = workflow(
    "replicate",
    task("split", flow=Replicate(script=js("runs = 24;"))),
    task("train", "split", language="R"),
    task("merge", "train"),
)

NESTED = workflow(
    "nested",
    task("init"),
    task("split", "init", block=Block.START, flow=Replicate(script=js('runs = Number(variables.get("nb"))'))),
    task("simulate", "split", language="R", scripts="pre fork"),
    task("merge", "simulate"),
    task(
        "judge",
        "merge",
        flow=Branch(script=js('branch = "if"'), target="refine", otherwise="accept", continuation="next"),
    ),
    task("refine"),
    task("accept", language="bash"),
    task("next", block=Block.END, flow=Loop(script=js('loop = variables.get("error") > 0.1'), target="split")),
    task("report", "next"),
)

NAMES = workflow(
    "names",
    task("download_sentinel2_level1C_granules_2026_eu_west"),
    task("Überprüfung_der_Messwerte", language="R"),
    task(
        "気象データの集計",
        "download_sentinel2_level1C_granules_2026_eu_west",
        "Überprüfung_der_Messwerte",
        language="ruby",
    ),
    task("отчёт", "気象データの集計", language="groovy", scripts="pre post clean selection fork"),
)
