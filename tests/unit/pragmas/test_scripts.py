"""Scripts around tasks and jobs, and containers."""

from __future__ import annotations

import pytest
from tests.required import need_module

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.runtime_env import ENGINES, Container, script
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, SelectionScript


def task(notebook, name: str = "A"):
    return notebook.context.draft.build("job").workflow.task(name)


def fault(notebook, cell: str) -> str:
    with pytest.raises(PragmaError) as caught:
        notebook.run(cell)
    return caught.value.message


@pytest.fixture(autouse=True)
def tasks(notebook) -> None:
    """Three tasks."""
    notebook.run("#%task(A)\n#%task(B)\n#%task(C)")


@pytest.mark.parametrize(
    ("pragma", "attribute"), [("pre_script", "pre"), ("post_script", "post"), ("clean_script", "clean")]
)
def test_a_script_stands_around_its_task(notebook, pragma: str, attribute: str) -> None:
    """In any language; Python if none is named."""
    title = pragma.replace("_", " ")
    assert notebook.run(f"#%{pragma}(A)\nx = 1") == [f"Set the {title} of A (Python)."]
    assert getattr(task(notebook), attribute) == Script(language="cpython", code="x = 1")
    notebook.run(f"#%{pragma}(name=A, language=bash)\necho")
    assert getattr(task(notebook), attribute) == Script(language="bash", code="echo")
    assert notebook.run(f"#%{pragma}(A)") == [f"Removed the {title} of A."]
    assert getattr(task(notebook), attribute) is None
    assert fault(notebook, f"#%{pragma}(A)") == f"#%{pragma}: a {title} is expected below, or in a file."


def test_selection_and_fork_environment_go_to_several_tasks(notebook) -> None:
    """A list of names, or one."""
    assert notebook.run("#%selection_script(name=[A, B])\nselected = True") == [
        "Set the selection script of A, B (Python)."
    ]
    notebook.run("#%fork_env([B, C], language=groovy)\npreJavaHomeCmd = 'nice'")
    selection = (SelectionScript(script=Script(language="cpython", code="selected = True")),)
    environment = ForkEnvironment(script=Script(language="groovy", code="preJavaHomeCmd = 'nice'"))
    assert [(task(notebook, name).selection, task(notebook, name).fork_environment) for name in "ABC"] == [
        (selection, None),
        (selection, environment),
        ((), environment),
    ]


def test_a_task_that_is_redefined_keeps_its_scripts(notebook) -> None:
    """They were said apart."""
    notebook.run("#%pre_script(A)\nx = 1\n#%selection_script(A)\nselected = True\n#%task(A)\nagain")
    assert (task(notebook).pre.code, len(task(notebook).selection), task(notebook).executable.code) == (
        "x = 1",
        1,
        "again",
    )


def test_scripts_of_the_job_are_for_tasks_without_their_own(notebook) -> None:
    """Defined before or after; `force` takes away what tasks have."""
    notebook.run("#%selection_script(A)\nselected = False\n#%fork_env(A)\nx = 1")
    assert notebook.run("#%job_selection_script()\nselected = True") == [
        "Every task without a selection script uses this one."
    ]
    notebook.run("#%job_fork_env(language=js)\npreJavaHomeCmd = 'nice'\n#%task(D)")
    assert [task(notebook, name).selection[0].script.code for name in "ABD"] == [
        "selected = False",
        "selected = True",
        "selected = True",
    ]
    assert notebook.run("#%job_selection_script(force=on)\nselected = True")[-1] == (
        "* Removed the selection script of A: the job's replaces it."
    )
    notebook.run("#%job_fork_env(force=on)\npreJavaHomeCmd = 'x'")
    assert task(notebook).selection[0].script.code == "selected = True"
    assert task(notebook).fork_environment.script.code == "preJavaHomeCmd = 'x'"
    assert notebook.run("#%job_selection_script()") == ["Removed the job's selection script."]
    assert task(notebook).selection == ()


def test_the_draft_keeps_what_the_job_gives_apart(notebook) -> None:
    """A task's own script set after a forced one of the job wins again."""
    notebook.run("#%job_selection_script(force=on)\nselected = True\n#%selection_script(A)\nselected = False")
    assert [task(notebook, name).selection[0].script.code for name in "AB"] == ["selected = False", "selected = True"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("#%pre_script(Z)\nx", "#%pre_script: there is no task 'Z'."),
        ("#%selection_script([A, Z])\nx", "#%selection_script: there is no task 'Z'."),
        (
            "#%selection_script(A, language=bash)\ntrue",
            "#%selection_script: a Linux_Bash script cannot set variables, and this one must set selected.",
        ),
        (
            "#%job_fork_env(language=perl)\n1",
            "#%job_fork_env: a Perl script cannot set variables, and this one must set preJavaHomeCmd or "
            "forkEnvironment.",
        ),
        ("#%post_script(A)\nx = = 1", "#%post_script: the code is not Python: invalid syntax."),
        ("#%job_selection_script()", "#%job_selection_script: a selection script is expected below, or in a file."),
        (
            "#%runtime_env(image=x, isolation=on)",
            "#%runtime_env: isolation is for singularity; docker has nothing like it.",
        ),
        (
            "#%runtime_env(image=x, mount_container_path=/x)",
            "#%runtime_env: mount_container_path needs a mount_host_path.",
        ),
        ("#%runtime_env(image=x, type=lxc)", "#%runtime_env: type must be docker, podman or singularity, not 'lxc'."),
    ],
)
def test_what_cannot_be_is_refused(notebook, cell: str, message: str) -> None:
    """And nothing of it is done."""
    before = dict(notebook.context.draft.tasks)
    assert fault(notebook, cell) == message
    assert notebook.context.draft.tasks == before


@pytest.mark.memory_only("the labels are those of the embedded scheduler")
def test_errors_of_scripts_name_lines_of_the_cell(notebook) -> None:
    """By the labels that the embedded scheduler gives them."""
    notebook.run("#%job_selection_script()\nselected = True")
    notebook.run("#%task(A)\nx = 1\n\n#%pre_script(A)\ny = 2\nz = 3\n#%submit_job()")
    text = 'File "<pre script of A>", line 2\n<selection script of A>:1\n<task A>: line 1'
    assert notebook.context.translate(1, "A", text) == "Cell In[3], line 6\nCell In[2], line 2\nCell In[3], line 2"


# -- containers


def words(container: Container, **folders: str) -> list[str]:
    """The words that the script puts in front of a task's command."""
    import json

    engine = need_module("_quickjs").Context()
    present = {"localspace": "/scratch/1", "cachespace": "/cache", "home": "/opt/pa", **folders}
    engine.eval(
        f"var present = {json.dumps(present)}, found = [], printed = [];"
        "var localspace = present.localspace, cachespace = present.cachespace;"
        "var variables = {get: function (name) { return name === 'PA_SCHEDULER_HOME' ? present.home : null; }};"
        "var forkEnvironment = {addPreJavaCommand: function (word) { found.push(word); }, javaHome: '',"
        " setJavaHome: function (path) { this.javaHome = path; }};"
        "function print(text) { printed.push(text); }"
    )
    if present["home"]:
        engine.eval(
            "var java = {io: {File: function (path) {"
            " this.isDirectory = this.canExecute = function () { return path.indexOf(present.home) === 0; }; }}};"
        )
    engine.eval(script(container).code)
    assert engine.eval("forkEnvironment.javaHome") == (present["home"] and present["home"] + "/jre")
    printed = json.loads(engine.eval("JSON.stringify(printed)"))
    found: list[str] = json.loads(engine.eval("JSON.stringify(found)"))
    assert printed == (["Started by: " + " ".join(found)] if container.verbose else [])
    return found


MOUNTS = ["/scratch/1:/scratch/1", "/cache:/cache", "/opt/pa:/opt/pa"]


def option(name: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (name, value)]


def test_docker_runs_as_the_user_of_the_task() -> None:
    """Its command line, to the argument; rootless docker needs no user."""
    tail = [
        "--env",
        "HOME=/tmp",
        "--network",
        "host",
        *option("--volume", MOUNTS),
        "--workdir",
        "/scratch/1",
        "busybox",
    ]
    found = words(Container(type="docker", image="docker://busybox", verbose=True))
    assert found[:2] == ["sh", "-c"]
    assert found[2].endswith('exec docker run --user "$(id -u):$(id -g)" "$@"')
    assert found[3:] == ["docker", "--rm", *tail]
    assert words(Container(type="docker", image="busybox", rootless=True)) == ["docker", "run", "--rm", *tail]
    assert "exec docker --debug run --user" in words(Container(type="docker", image="busybox", debug=True))[2]


def test_podman_and_singularity_have_their_own_words() -> None:
    """Every switch, to the argument."""
    every = {"nvidia_gpu": True, "rootless": True, "debug": True, "host_network": False}
    mount = {"mount_host_path": "/data", "mount_container_path": "/in"}
    assert words(Container(type="podman", image="busybox", **every, **mount)) == [
        *["podman", "--log-level", "debug", "run", "--rm", "--env", "HOME=/tmp", "--userns", "keep-id"],
        *["--device", "nvidia.com/gpu=all", *option("--volume", [*MOUNTS, "/data:/in"]), "--workdir", "/scratch/1"],
        "busybox",
    ]
    assert words(Container(type="singularity", image="docker://x", isolation=True, no_home=True, **every, **mount)) == [
        *["singularity", "--debug", "exec", "--fakeroot", "--containall", "--no-home", "--net", "--nv"],
        *[*option("--bind", [*MOUNTS, "/data:/in"]), "--pwd", "/scratch/1", "docker://x"],
    ]


def test_a_folder_that_a_node_does_not_have_is_not_mounted() -> None:
    """Neither the option nor an empty mount is left; without Java, nothing of the scheduler's own is mounted."""
    found = words(Container(type="podman", image="x y", host_network=False), home="", cachespace="")
    assert found == [
        *[
            "podman",
            "run",
            "--rm",
            "--env",
            "HOME=/tmp",
            "--volume",
            "/scratch/1:/scratch/1",
            "--workdir",
            "/scratch/1",
        ],
        "x y",
    ]


@pytest.mark.parametrize("kind", ENGINES)
def test_a_container_is_a_fork_environment_of_the_job(notebook, kind: str) -> None:
    """For tasks without their own, or, with `force`, for all."""
    notebook.run("#%fork_env(A)\nx = 1")
    assert notebook.run(f"#%runtime_env(type={kind}, image=busybox)") == [
        f"With {kind}, every task without a fork environment of its own runs in a container of busybox."
    ]
    assert task(notebook).fork_environment.script.code == "x = 1"
    assert task(notebook, "B").fork_environment == ForkEnvironment(script=script(Container(type=kind, image="busybox")))
    notebook.run(f"#%runtime_env(type={kind}, image=busybox, force=on, mount_host_path=/data)")
    assert "/data:/data" in task(notebook).fork_environment.script.code
