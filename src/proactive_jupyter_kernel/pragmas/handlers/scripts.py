"""Scripts around a task: pre, post, clean, selection, fork environment; for the job; and containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.code import check_code, check_decides, code_of
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.draft import DraftTask
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.parameters import LANGUAGE, PATH, SWITCH, TASK_NAME, TASK_NAMES
from proactive_jupyter_kernel.pragmas.registry import Bound, Parameter, pragma
from proactive_jupyter_kernel.pragmas.runtime_env import ENGINES, Container, script
from proactive_jupyter_kernel.pragmas.source_map import SourceMap, join
from proactive_jupyter_kernel.pragmas.values import Choice, FilePath, Plain
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, SelectionScript, Task

_FORCE = Parameter(
    name="force", kind=SWITCH, default=False, doc="Whether it also takes the place of what single tasks have."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A place for a script around a task."""

    #: How people call it.
    title: str
    #: How errors of the embedded scheduler label it.
    label: str
    #: What is there now; None or empty: nothing.
    has: Callable[[Task], object]
    #: The task with the script there, or with none.
    put: Callable[[Task, Script | None], Task]


def _with_selection(task: Task, script: Script | None) -> Task:
    return replace(task, selection=(SelectionScript(script=script),) if script else ())


def _with_fork_environment(task: Task, script: Script | None) -> Task:
    changed = replace(task.fork_environment or ForkEnvironment(), script=script)
    return replace(task, fork_environment=None if changed == ForkEnvironment() else changed)


def _script(source: SourceMap | None) -> Script | None:
    return None if source is None else Script(language=source.engine, code=source.script)


_PLACES: Mapping[str, _Place] = {
    "pre_script": _Place(
        title="pre script",
        label="pre script of",
        has=lambda task: task.pre,
        put=lambda task, script: replace(task, pre=script),
    ),
    "post_script": _Place(
        title="post script",
        label="post script of",
        has=lambda task: task.post,
        put=lambda task, script: replace(task, post=script),
    ),
    "clean_script": _Place(
        title="clean script",
        label="clean script of",
        has=lambda task: task.clean,
        put=lambda task, script: replace(task, clean=script),
    ),
    "selection_script": _Place(
        title="selection script",
        label="selection script of",
        has=lambda task: task.selection,
        put=_with_selection,
    ),
    "fork_env": _Place(
        title="fork environment",
        label="fork environment script of",
        has=lambda task: task.fork_environment and task.fork_environment.script,
        put=_with_fork_environment,
    ),
}


def around_tasks(context: Context, call: Bound) -> None:
    """Give a script to one or several tasks; without code, take theirs away."""
    place = _PLACES[call.pragma.name]
    names = (call["name"],) if isinstance(call["name"], str) else call["name"]
    entries = [_entry(context, call, name) for name in names]
    source = _source(context, call)
    if source is None and not any(place.has(entry.task) for entry in entries):
        raise call.fault(f"a {place.title} is expected below, or in a file.")
    written = _script(source)
    for entry in entries:
        scripts = {label: one for label, one in entry.scripts.items() if label != place.label}
        if source is not None:
            scripts[place.label] = source
        context.draft.tasks[entry.name] = replace(entry, task=place.put(entry.task, written), scripts=scripts)
    verb = "is taken away" if source is None else f"is set ({call['language'].name})"
    context.frontend.show(Text(text=f"The {place.title} of {', '.join(names)} {verb}."))


def _entry(context: Context, call: Bound, name: str) -> DraftTask:
    found = context.draft.tasks.get(name)
    if found is None:
        raise call.fault(f"there is no task {name!r}.", parameter="name", hint=did_you_mean(name, context.draft.tasks))
    return found


def _source(context: Context, call: Bound) -> SourceMap | None:
    """The script and where it was written; None where nothing is."""
    code = code_of(context, call, call["language"])
    return join(call["language"].engine, [code]) if code.text.strip() else None


def around_job(context: Context, call: Bound) -> None:
    """Give a script to every task that has none of its own; without code, take it away."""
    place = _PLACES[call.pragma.name.removeprefix("job_")]
    source = _source(context, call)
    had = context.draft.job_selection if place.title == "selection script" else context.draft.job_fork_environment
    if source is None and had is None:
        raise call.fault(f"a {place.title} is expected below, or in a file.")
    overwritten = _set_for_job(context, place, source, force=call["force"] and source is not None)
    if source is None:
        context.frontend.show(Text(text=f"The job's {place.title} is taken away."))
        return
    context.frontend.show(Text(text=f"Every task without a {place.title} of its own gets this one."))
    _say_overwritten(context, place, overwritten)


def _set_for_job(context: Context, place: _Place, source: SourceMap | None, *, force: bool) -> list[str]:
    """Keep a script for the job; gives the tasks that lost their own."""
    draft = context.draft
    written = _script(source)
    if place.title == "selection script":
        draft.job_selection = SelectionScript(script=written) if written else None
    else:
        draft.job_fork_environment = ForkEnvironment(script=written) if written else None
    draft.job_scripts.pop(place.label, None)
    if source is not None:
        draft.job_scripts[place.label] = source
    overwritten = []
    for entry in list(draft.tasks.values()) if force else ():
        if place.has(entry.task):
            overwritten.append(entry.name)
            scripts = {label: one for label, one in entry.scripts.items() if label != place.label}
            draft.tasks[entry.name] = replace(entry, task=place.put(entry.task, None), scripts=scripts)
    return overwritten


def _say_overwritten(context: Context, place: _Place, names: list[str]) -> None:
    if names:
        context.frontend.show(Notice(text=f"{', '.join(names)} had a {place.title} of their own, which is gone."))


def _declare(name: str, *parameters: Parameter, summary: str, example: str, sets: tuple[str, ...] = ()) -> None:
    pragma(
        name,
        *parameters,
        LANGUAGE,
        PATH,
        *((_FORCE,) if name.startswith("job_") else ()),
        family="scripts",
        summary=summary,
        example=example,
        takes_code=True,
        changes_draft=True,
        check=check_decides(*sets) if sets else check_code,
    )(around_job if name.startswith("job_") else around_tasks)


_TASK = Parameter(name="name", kind=TASK_NAME, required=True, doc="The task that gets the script.")
_TASKS = Parameter(name="name", kind=TASK_NAMES, required=True, doc="The task, or tasks, that get the script.")
_SETS_FORK_ENVIRONMENT = ("preJavaHomeCmd", "forkEnvironment")

_declare(
    "pre_script",
    _TASK,
    summary="A script that runs before the task, on the same node.",
    example="#%pre_script(name=Greet, language=Linux_Bash)\nmkdir -p out",
)
_declare(
    "post_script",
    _TASK,
    summary="A script that runs after the task, if that went well, on the same node.",
    example="#%post_script(name=Greet)\nprint(result)",
)
_declare(
    "clean_script",
    _TASK,
    summary="A script that runs after the task however it ended, before the node is free again.",
    example="#%clean_script(name=Greet, language=Linux_Bash)\nrm -rf /tmp/greetings",
)
_declare(
    "selection_script",
    _TASKS,
    summary="A script that chooses nodes: it sets selected to true on those that may run the task.",
    example="#%selection_script(name=[Greet, Ask])\nimport os\nselected = os.cpu_count() >= 4",
    sets=("selected",),
)
_declare(
    "fork_env",
    _TASKS,
    summary="A script that says how the task's process is started: it sets preJavaHomeCmd, or calls forkEnvironment.",
    example="#%fork_env(name=Greet)\nforkEnvironment.addSystemEnvironmentVariable('LANG', 'C.UTF-8')",
    sets=_SETS_FORK_ENVIRONMENT,
)
_declare(
    "job_selection_script",
    summary="A selection script for every task of the job that has none of its own, defined before or after.",
    example="#%job_selection_script()\nselected = True",
    sets=("selected",),
)
_declare(
    "job_fork_env",
    summary="A fork environment for every task of the job that has none of its own, defined before or after.",
    example="#%job_fork_env(force=on)\npreJavaHomeCmd = 'nice -n 10'",
    sets=_SETS_FORK_ENVIRONMENT,
)


def _switch(name: str, doc: str, *, default: bool = False) -> Parameter:
    return Parameter(name=name, kind=SWITCH, default=default, doc=doc)


@pragma(
    "runtime_env",
    Parameter(name="type", kind=Choice(tuple(ENGINES)), default="docker", doc="The program that runs containers."),
    Parameter(name="image", kind=Plain("an image's name"), required=True, doc="The image, such as python:3.12-slim."),
    _switch("nvidia_gpu", "Whether the container gets the machine's NVIDIA cards."),
    Parameter(name="mount_host_path", kind=FilePath(), doc="A folder of the node that the container gets to see."),
    Parameter(
        name="mount_container_path", kind=FilePath(), doc="Where it sees that folder; without it, under the same path."
    ),
    _switch(
        "rootless", "Whether the program runs without root: docker and podman rootless, singularity with fakeroot."
    ),
    _switch("isolation", "Whether nothing else of the node is seen; for singularity."),
    _switch("no_home", "Whether the home folder is left out; for singularity."),
    _switch("host_network", "Whether the container uses the node's network.", default=True),
    _switch("verbose", "Whether the command that starts the container is printed in the task's output."),
    _switch("debug", "Whether the container program tells what it does."),
    _FORCE,
    family="scripts",
    summary="Runs every task of the job inside a container.",
    example="#%runtime_env(type=docker, image=python:3.12-slim)",
    changes_draft=True,
)
def runtime_env(context: Context, call: Bound) -> None:
    """Make a fork environment for the job that starts a container."""
    for name in ("isolation", "no_home"):
        if call[name] and call["type"] != "singularity":
            raise call.fault(f"{name} is for singularity; {call['type']} has nothing like it.", parameter=name)
    host, inside = call["mount_host_path"] or "", call["mount_container_path"] or ""
    if inside and not host:
        raise call.fault("mount_container_path needs a mount_host_path.", parameter="mount_container_path")
    given = {name: call[name] for name in ("type", "image", *_CONTAINER_SWITCHES)}
    written = script(Container(mount_host_path=host, mount_container_path=inside or host, **given))
    source = SourceMap(engine=written.language, script=written.code)
    place = _PLACES["fork_env"]
    overwritten = _set_for_job(context, place, source, force=call["force"])
    which = "every task" if call["force"] else f"every task without a {place.title} of its own"
    context.frontend.show(Text(text=f"With {call['type']}, {which} runs in a container of {call['image']}."))
    _say_overwritten(context, place, overwritten)


_CONTAINER_SWITCHES = ("nvidia_gpu", "rootless", "isolation", "no_home", "host_network", "verbose", "debug")
