"""Hypothesis strategies for workflows: everything that the model can say and XML can carry.

`workflows()` gives records that are valid by the schema, with any flow; `graphs()` gives plain graphs of tasks,
`controlled()` gives valid workflows of nested controls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ErrorPolicy,
    FileSelector,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Priority,
    Reference,
    Replicate,
    RestartMode,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)

__all__ = ["controlled", "graphs", "names", "scripts", "tasks", "texts", "workflows"]

_LEGAL = st.characters(
    exclude_categories=("Cs",),
    exclude_characters=[*map(chr, range(9)), "\x0b", "\x0c", *map(chr, range(14, 32)), "\ufffe", "\uffff"],
)
#: Any text that XML can carry, with the sequences that are hard to carry.
texts = st.text(_LEGAL, max_size=12) | st.sampled_from(["]]>", "a]]>b\r\n", "<&\"'>", "$A ${B}", "\t\r", " x "])
lines = st.text(_LEGAL.filter(lambda character: character not in "\n\r"), min_size=1, max_size=10)
names = st.from_regex(r"[A-Za-z_À-ÖØ-öα-ω][A-Za-z0-9_.\-À-Ö]{0,8}", fullmatch=True)
references = st.from_regex(r"[A-Za-z0-9._]{1,6}", fullmatch=True).map(lambda name: Reference(name))
class_names = st.from_regex(r"([A-Za-z_$][A-Za-z_0-9$]{0,3}\.){0,2}[A-Za-z_$][A-Za-z_0-9$]{0,4}", fullmatch=True)
uris = st.from_regex(r"(https?://[a-z]{1,5}(:80)?)?(/[A-Za-z0-9._~é-]{1,5}){1,3}(\?a=%20)?", fullmatch=True)
uris = uris | references.map(str)
counts = st.integers(1, 2**31 - 1) | references
durations = st.integers(1, 10**7) | references
flags = st.booleans() | references
languages = st.sampled_from(["cpython", "bash", "groovy", "javascript", "R", "own language"])


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def pairs(keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(keys, texts, max_size=2)


@st.composite
def explicit(draw: st.DrawFn, record: Any, fields: Mapping[str, str]) -> Any:
    """`record` with some of its defaults given explicitly; `fields`: attribute or element -> field, in their order."""
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    possible = [name for name, field in fields.items() if getattr(record, field) == defaults[field]]
    chosen = draw(st.sets(st.sampled_from(possible))) if possible else set()
    return replace(record, explicit=tuple(name for name in possible if name in chosen))


_DECORATION = {"model": "model", "description": "description", "group": "group"}
_VARIABLE_FIELDS = {**_DECORATION, "advanced": "advanced", "hidden": "hidden"}
_TASK_FIELDS = {"runAsMe": "run_as_me", "preciousResult": "precious_result", "preciousLogs": "precious_logs"}
_TASK_FIELDS |= {"description": "description", "metadata": "metadata"}
_JOB_FIELDS = {"projectName": "project", "tags": "tags", "description": "description"}
_JOB_FIELDS |= {f"{space}Space": f"{space}_space" for space in ("input", "output", "global", "user")}
_FORK_FIELDS = {"workingDir": "working_dir", "javaHome": "java_home"}

inline_scripts = st.builds(Script, language=languages, code=texts, arguments=some(texts))
url_scripts = st.builds(Script, language=languages | st.just(""), code=st.just(""), url=uris, arguments=some(texts))
scripts = inline_scripts | url_scripts
executables = (
    scripts
    | st.builds(JavaClass, name=class_names | references.map(str), parameters=pairs(texts))
    | st.builds(NativeCommand, command=texts, arguments=some(texts))
)
flows = (
    st.builds(Branch, script=scripts, target=texts, otherwise=texts, continuation=texts).flatmap(
        lambda branch: explicit(branch, {"continuation": "continuation"})
    )
    | st.builds(Loop, script=scripts, target=texts)
    | st.builds(Replicate, script=scripts)
)


def unique_variables(kind: type[Variable], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    variable = st.builds(
        kind,
        name=names,
        value=texts,
        model=texts,
        description=texts,
        group=texts,
        advanced=st.booleans(),
        hidden=st.booleans(),
        **more,
    ).flatmap(lambda one: explicit(one, {**({"inherited": "inherited"} if more else {}), **_VARIABLE_FIELDS}))
    return st.lists(variable, max_size=2, unique_by=lambda one: one.name).map(tuple)


def selectors(modes: list[str]) -> st.SearchStrategy[Any]:
    mode = st.sampled_from(modes) | references.map(str)
    return some(st.builds(FileSelector, includes=lines, excludes=lines | st.just(""), access_mode=mode))


fork_environments = st.builds(
    ForkEnvironment,
    working_dir=texts,
    java_home=uris | st.just(""),
    environment=pairs(texts),
    jvm_arguments=some(texts),
    classpath=some(texts),
    script=optional(scripts),
).flatmap(lambda environment: explicit(environment, _FORK_FIELDS))
#: Number of nodes, topology and threshold, which belong together.
placements = st.one_of(
    st.fixed_dictionaries({"nodes": counts}),
    st.fixed_dictionaries(
        {"nodes": counts, "topology": st.sampled_from([one for one in Topology if one.value != "thresholdProximity"])}
    ),
    st.fixed_dictionaries(
        {
            "nodes": counts,
            "topology": st.just(Topology.THRESHOLD_PROXIMITY),
            "threshold": st.integers(0, 2**31 - 1),
        }
    ),
)
#: `fork` and `run_as_me`, of which one pair is refused.
accounts = st.fixed_dictionaries({"fork": optional(flags), "run_as_me": flags}).filter(
    lambda pair: not (pair["fork"] is False and pair["run_as_me"] is True)
)
leaves = st.tuples(names | names.map(lambda name: f"{{urn:other}}{name}"), texts)


@st.composite
def tasks(draw: st.DrawFn, name: str, depends: tuple[str, ...] = ()) -> Task:
    """A task of this name with whatever else a task may have."""
    task = Task(
        name=name,
        depends=depends,
        executable=draw(executables),
        description=draw(texts),
        variables=draw(unique_variables(TaskVariable, inherited=st.booleans())),
        generic_information=draw(pairs(names)),
        input_files=draw(selectors(["transferFromInputSpace", "cacheFromUserSpace", "none"])),
        output_files=draw(selectors(["transferToOutputSpace", "transferToUserSpace", "none"])),
        selection=draw(some(st.builds(SelectionScript, script=scripts, static=st.booleans()))),
        fork_environment=draw(optional(fork_environments)),
        pre=draw(optional(scripts)),
        post=draw(optional(scripts)),
        clean=draw(optional(scripts)),
        flow=draw(optional(flows)),
        block=draw(st.sampled_from(Block)),
        on_error=draw(optional(st.sampled_from(ErrorPolicy) | references)),
        restart=draw(optional(st.sampled_from(RestartMode) | references)),
        retry_delay=draw(optional(durations)),
        max_executions=draw(optional(counts)),
        walltime=draw(optional(durations)),
        precious_result=draw(flags),
        precious_logs=draw(flags),
        result_preview_class=draw(class_names | st.just("")),
        metadata=draw(some(leaves)),
        **draw(placements),
        **draw(accounts),
    )
    return draw(explicit(task, _TASK_FIELDS))  # type: ignore[no-any-return]


@st.composite
def workflows(draw: st.DrawFn, most: int = 3) -> Workflow:
    """A workflow that the schema accepts; its flow may be nonsense."""
    chosen = draw(st.lists(names, min_size=1, max_size=most, unique=True))
    members = [draw(tasks(name, tuple(draw(st.lists(st.sampled_from(chosen), max_size=2))))) for name in chosen]
    workflow = Workflow(
        name=draw(st.text(_LEGAL, min_size=2, max_size=10)),
        tasks=tuple(members),
        variables=draw(unique_variables(Variable)),
        description=draw(texts),
        generic_information=draw(pairs(names)),
        priority=draw(st.sampled_from([one for one in Priority if one is not Priority.IDLE]) | references),
        on_error=draw(optional(st.sampled_from(ErrorPolicy) | references)),
        restart=draw(optional(st.sampled_from(RestartMode) | references)),
        retry_delay=draw(optional(durations)),
        max_executions=draw(optional(counts)),
        project=draw(texts),
        tags=draw(some(st.from_regex(r"[A-Za-z_0-9-]{1,5}( [a-z]{1,3})?", fullmatch=True))),
        input_space=draw(uris | st.just("")),
        output_space=draw(uris | st.just("")),
        global_space=draw(uris | st.just("")),
        user_space=draw(uris | st.just("")),
        visualization=draw(texts),
    )
    return draw(explicit(workflow, _JOB_FIELDS))  # type: ignore[no-any-return]


@st.composite
def graphs(draw: st.DrawFn, most: int = 8) -> Workflow:
    """Plain tasks ``T0``, ``T1`` …, each depending on earlier ones: always valid, in every shape."""
    size = draw(st.integers(1, most))
    members = []
    for index in range(size):
        parents = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=3)) if index else []
        members.append(
            Task(
                name=f"T{index}",
                executable=Script(language="cpython", code=f"result = {index}"),
                depends=tuple(f"T{parent}" for parent in parents),
            )
        )
    return Workflow(name="graph", tasks=tuple(members))


class _Builder:
    """Builds a workflow out of nested controls; each `part` appends tasks and gives its first and its last one."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.tasks: dict[str, Task] = {}

    def task(self, *depends: str, **more: Any) -> str:
        name = f"T{len(self.tasks)}"
        language = self.draw(st.sampled_from(["cpython", "bash", "groovy"]))
        other = "print('é\\n')" if language == "cpython" else "a -> b; // é\\n"
        code = self.draw(st.sampled_from(["", "x = 1\nprint('\"', x)", other]))
        self.tasks[name] = Task(name=name, executable=Script(language=language, code=code), depends=depends, **more)
        return name

    def change(self, name: str, **changes: Any) -> None:
        self.tasks[name] = replace(self.tasks[name], **changes)

    def part(self, depth: int, *depends: str) -> tuple[str, str]:
        kinds = ["single"] if depth <= 0 else ["single", "series", "diamond", "loop", "replicate", "branch"]
        build = getattr(self, self.draw(st.sampled_from(kinds)))
        first, last = build(depth - 1, *depends)
        return first, last

    def block(self, depth: int, *depends: str) -> tuple[str, str]:
        """A start, a part and an end."""
        start = self.task(*depends, block=Block.START)
        _, last = self.part(depth, start)
        return start, self.task(last, block=Block.END)

    def single(self, depth: int, *depends: str) -> tuple[str, str]:
        name = self.task(*depends)
        return name, name

    def series(self, depth: int, *depends: str) -> tuple[str, str]:
        first, middle = self.part(depth, *depends)
        return first, self.part(depth, middle)[1]

    def diamond(self, depth: int, *depends: str) -> tuple[str, str]:
        first = self.task(*depends)
        lasts = [self.part(depth, first)[1] for _ in range(2)]
        return first, self.task(*lasts)

    def loop(self, depth: int, *depends: str) -> tuple[str, str]:
        start, end = self.block(depth, *depends)
        self.change(end, flow=Loop(script=Script(language="javascript", code="loop = false"), target=start))
        return start, end

    def replicate(self, depth: int, *depends: str) -> tuple[str, str]:
        script = Script(language="groovy", code="runs = 2")
        split = self.task(*depends, block=Block.START, flow=Replicate(script=script))
        _, last = self.block(depth, split)
        return split, self.task(last, block=Block.END)

    def branch(self, depth: int, *depends: str) -> tuple[str, str]:
        chooser = self.task(*depends)
        (yes, _), (no, _) = self.block(depth), self.block(depth)
        join = self.task()
        script = Script(language="javascript", code='branch = "if"')
        self.change(chooser, flow=Branch(script=script, target=yes, otherwise=no, continuation=join))
        return chooser, join


@st.composite
def controlled(draw: st.DrawFn, depth: int = 3) -> Workflow:
    """Valid workflows of nested loops, replications, branches and blocks."""
    builder = _Builder(draw)
    builder.part(depth)
    return Workflow(name="controlled", tasks=tuple(builder.tasks.values()))
