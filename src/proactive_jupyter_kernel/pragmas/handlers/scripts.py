"""Scripts around a task: pre, post, clean, selection, fork environment; for the job; and containers."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.code import check_code, check_decides, code_of
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import LANGUAGE, PATH, SWITCH, TASK_NAMES
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Choice, FilePath, Plain
from proactive_jupyter_kernel.pragmas.draft.contributions import JobScript, TaskScript
from proactive_jupyter_kernel.pragmas.draft.draft import NO_TASKS_YET, DraftTask
from proactive_jupyter_kernel.pragmas.draft.script_slots import SLOTS, ScriptSlot
from proactive_jupyter_kernel.pragmas.draft.source_map import SourceMap, join
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.runtime_env import ENGINES, Container, script

_FORCE = Parameter(name="force", kind=SWITCH, default=False, doc="Whether it replaces those of single tasks.")


def around_tasks(context: Context, call: BoundCall) -> None:
    """Give a script to one or several tasks; without code, take theirs away."""
    slot = SLOTS[call.pragma.name]
    names: tuple[str, ...] = call["name"]
    entries = [_entry(context, call, name) for name in names]
    source = _source(context, call)
    if source is None and not any(slot.has(entry.task) for entry in entries):
        raise call.fault(f"a {slot.title} is expected below, or in a file.")
    context.draft.contribute(TaskScript(slot=call.pragma.name, tasks=names, source=source))
    done, how = ("Removed", "") if source is None else ("Set", f" ({call['language'].name})")
    context.frontend.show(Text(text=f"{done} the {slot.title} of {', '.join(names)}{how}."))


def _entry(context: Context, call: BoundCall, name: str) -> DraftTask:
    found = context.draft.tasks.get(name)
    if found is None:
        hint = did_you_mean(name, context.draft.tasks) or NO_TASKS_YET
        raise call.fault(f"there is no task {name!r}.", parameter="name", item=name, hint=hint)
    return found


def _source(context: Context, call: BoundCall) -> SourceMap | None:
    """The script and where it was written; None where nothing is."""
    code = code_of(context, call, call["language"])
    return join(call["language"].engine, [code]) if code.text.strip() else None


def around_job(context: Context, call: BoundCall) -> None:
    """Set the script of every task that has none of its own; without code, remove it."""
    name = call.pragma.name.removeprefix("job_")
    slot, contents = SLOTS[name], context.draft.contents
    source = _source(context, call)
    had = contents.job_selection if name == "selection_script" else contents.job_fork_environment
    if source is None and had is None:
        raise call.fault(f"a {slot.title} is expected below, or in a file.")
    overwritten = _set_for_job(context, name, source, force=call["force"] and source is not None)
    if source is None:
        context.frontend.show(Text(text=f"Removed the job's {slot.title}."))
        return
    context.frontend.show(Text(text=f"Every task without a {slot.title} uses this one."))
    _say_overwritten(context, slot, overwritten)


def _set_for_job(context: Context, slot: str, source: SourceMap | None, *, force: bool) -> list[str]:
    """Keep a script for the job; gives the tasks that lost their own."""
    tasks = context.draft.tasks.values() if force else ()
    overwritten = [entry.name for entry in tasks if SLOTS[slot].has(entry.task)]
    context.draft.contribute(JobScript(slot=slot, source=source, force=force))
    return overwritten


def _say_overwritten(context: Context, slot: ScriptSlot, names: list[str]) -> None:
    if names:
        context.frontend.show(Notice(text=f"Removed the {slot.title} of {', '.join(names)}: the job's replaces it."))


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


_TASKS = Parameter(name="name", kind=TASK_NAMES, required=True, doc="The task, or tasks, that get the script.")
_SETS_FORK_ENVIRONMENT = ("preJavaHomeCmd", "forkEnvironment")

_declare(
    "pre_script",
    _TASKS,
    summary="A script that runs on the same node before the task.",
    example="#%pre_script(name=Greet, language=Linux_Bash)\nmkdir -p out",
)
_declare(
    "post_script",
    _TASKS,
    summary="A script that runs on the same node after the task, if it succeeded.",
    example="#%post_script(name=Greet)\nprint(result)",
)
_declare(
    "clean_script",
    _TASKS,
    summary="A script that runs after the task, with or without success, before the node is free again.",
    example="#%clean_script(name=Greet, language=Linux_Bash)\nrm -rf /tmp/greetings",
)
_declare(
    "selection_script",
    _TASKS,
    summary="A script that selects nodes: it sets selected to true on those that may run the task.",
    example="#%selection_script(name=[Greet, Ask])\nimport os\nselected = os.cpu_count() >= 4",
    sets=("selected",),
)
_declare(
    "fork_env",
    _TASKS,
    summary="Configures how the task's process is started: the script sets preJavaHomeCmd, or calls forkEnvironment.",
    example="#%fork_env(name=Greet)\nforkEnvironment.addSystemEnvironmentVariable('LANG', 'C.UTF-8')",
    sets=_SETS_FORK_ENVIRONMENT,
)
_declare(
    "job_selection_script",
    summary="A selection script for every task of the job without its own, defined before or after.",
    example="#%job_selection_script()\nselected = True",
    sets=("selected",),
)
_declare(
    "job_fork_env",
    summary="A fork environment for every task of the job without its own, defined before or after.",
    example="#%job_fork_env(force=on)\npreJavaHomeCmd = 'nice -n 10'",
    sets=_SETS_FORK_ENVIRONMENT,
)


def _switch(name: str, doc: str, *, default: bool = False) -> Parameter:
    return Parameter(name=name, kind=SWITCH, default=default, doc=doc)


@pragma(
    "runtime_env",
    Parameter(name="type", kind=Choice(tuple(ENGINES)), default="docker", doc="The program that runs containers."),
    Parameter(
        name="image",
        kind=Plain("an image's name"),
        default="docker://activeeon/dlm3",
        nameless=True,
        doc="The image, such as python:3.12-slim.",
    ),
    _switch("nvidia_gpu", "Whether the container gets the machine's NVIDIA cards."),
    Parameter(name="mount_host_path", kind=FilePath(), doc="A folder of the node that is mounted into the container."),
    Parameter(
        name="mount_container_path", kind=FilePath(), doc="Its path in the container; without it, the same path."
    ),
    _switch(
        "rootless", "Whether the program runs without root: docker and podman rootless, singularity with fakeroot."
    ),
    _switch("isolation", "Whether the rest of the node is hidden from the container; for singularity."),
    _switch("no_home", "Whether the home folder is not mounted; for singularity."),
    _switch("host_network", "Whether the container uses the node's network.", default=True),
    _switch("verbose", "Whether the command that starts the container is printed in the task's output."),
    _switch("debug", "Whether the container program prints its actions."),
    _FORCE,
    family="scripts",
    summary="Runs every task of the job inside a container.",
    example="#%runtime_env(type=docker, image=python:3.12-slim)",
    changes_draft=True,
)
def runtime_env(context: Context, call: BoundCall) -> None:
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
    slot = SLOTS["fork_env"]
    overwritten = _set_for_job(context, "fork_env", source, force=call["force"])
    which = "every task" if call["force"] else f"every task without a {slot.title} of its own"
    context.frontend.show(Text(text=f"With {call['type']}, {which} runs in a container of {call['image']}."))
    _say_overwritten(context, slot, overwritten)


_CONTAINER_SWITCHES = ("nvidia_gpu", "rootless", "isolation", "no_home", "host_network", "verbose", "debug")
