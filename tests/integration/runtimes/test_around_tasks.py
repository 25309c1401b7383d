"""Scripts around a task in other languages: fork environment, selection, clean; and tasks inside of a container."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Selection, Slot
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, SelectionScript

PROGRAMS = {
    "javascript": (),
    "groovy": ("groovy", "java"),
    "python": ("jython", "java"),
    "ruby": ("ruby",),
    "R": ("Rscript",),
    "scalaw": ("scala", "java"),
    "perl": ("perl",),
}

FORK_SCRIPTS = {
    "javascript": """
var a = forkEnvironment.getSystemEnvironmentVariable("A");
forkEnvironment.addSystemEnvironmentVariable("B", variables.get("V") + a);
forkEnvironment.setPreJavaCommand(["env", "C=three"]);
forkEnvironment.addJVMArgument("-Xmx1g"); print(forkEnvironment.getPreJavaCommand().length);
""",
    "groovy": """
forkEnvironment.addSystemEnvironmentVariable("B", variables.V + forkEnvironment.getSystemEnvironmentVariable("A"))
forkEnvironment.setPreJavaCommand(["env", "C=${'three'}"])
forkEnvironment.addJVMArgument("-Xmx1g"); println forkEnvironment.preJavaCommand.size()
""",
    "python": """
forkEnvironment.addSystemEnvironmentVariable("B", variables["V"] + forkEnvironment.getSystemEnvironmentVariable("A"))
preJavaHomeCmd = "env C=three"
forkEnvironment.addJVMArgument("-Xmx1g"); print 2
""",
    "ruby": """
a = forkEnvironment.getSystemEnvironmentVariable("A")
forkEnvironment.add_system_environment_variable("B", variables["V"] + a)
forkEnvironment.setPreJavaCommand(["env", "C=three"])
forkEnvironment.addJVMArgument("-Xmx1g"); puts forkEnvironment.getPreJavaCommand.size
""",
    "R": """
a <- forkEnvironment$getSystemEnvironmentVariable("A")
forkEnvironment$addSystemEnvironmentVariable("B", paste0(variables$V, a))
forkEnvironment$setPreJavaCommand(c("env", "C=three"))
forkEnvironment$addJVMArgument("-Xmx1g"); cat(length(forkEnvironment$getPreJavaCommand()), "\\n", sep = "")
""",
}


@pytest.mark.parametrize("language", FORK_SCRIPTS)
def test_fork_environment(bench: Any, require: Any, language: str) -> None:
    """A fork environment script reads and changes environment and command prefix of the task's process."""
    require(*PROGRAMS[language], "env")
    fork = ForkEnvironment(
        environment={"A": "one"}, script=Script(language=language, code=FORK_SCRIPTS[language].strip("\n"))
    )
    run = bench.run("bash", 'echo "$A $B $C"', fork_environment=fork, inherited={"V": "two"})
    assert (run.outcome.failure, run.out) == (None, "2\none twoone three\n")


UTILS = "org.ow2.proactive.scripting.helper.selection.SelectionUtils"
SELECTION_SCRIPTS = {
    "javascript": f"var u = {UTILS};\nselected = [u.checkOSName('{{os}}'), u.checkExec('sh'), u.checkFileExist('/'), "
    "u.checkFreeMemory(1), u.checkFreeSpaceTmpDir(1)].every(Boolean) && nodename == 'local-7';",
    "groovy": f"import {UTILS}\nselected = SelectionUtils.checkOSName('{{os}}') && SelectionUtils.checkExec('sh') && "
    "SelectionUtils.checkFileExist('/') && SelectionUtils.checkFreeMemory(1) && "
    "SelectionUtils.checkFreeSpaceTmpDir(1) && nodename == 'local-7'",
    "python": f"from {UTILS.rpartition('.')[0]} import SelectionUtils\n"
    "selected = SelectionUtils.checkOSName('{os}') and SelectionUtils.checkExec('sh') and nodename == 'local-7'",
    "ruby": "require 'etc'\n$selected = Etc.uname[:sysname].downcase == '{os}' && $nodename == 'local-7'",
    "R": "selected <- tolower(Sys.info()[['sysname']]) == '{os}' && nodename == 'local-7'",
}


@pytest.mark.parametrize("language", SELECTION_SCRIPTS)
def test_selection(bench: Any, require: Any, language: str) -> None:
    """A selection script asks for properties of the machine, by ProActive's helper where Java's names are known."""
    require(*PROGRAMS[language])

    def asked(system: str) -> bool:
        code = SELECTION_SCRIPTS[language].replace("{os}", system)
        script = SelectionScript(script=Script(language=language, code=code))
        answer = bench.select(
            Selection(job_id=1, task_id=1, task_name="T1", slot=Slot(name="local-7"), scripts=(script,))
        )
        return bool(answer)

    assert asked("linux")
    if language in ("javascript", "groovy"):
        assert not asked("beos")


#: What public workflows, and the reference kernel for `nodesource=`, write.
BY_SOURCE = {
    "groovy": 'selected = "gpu".equals(System.getProperty("proactive.node.nodesource"))',
    "javascript": 'selected = java.lang.System.getProperty("proactive.node.nodesource") == "gpu"',
    "python": "from java.lang import System\nselected = System.getProperty('proactive.node.nodesource') == 'gpu'",
}


@pytest.mark.parametrize("language", BY_SOURCE)
def test_selection_by_node_source(bench: Any, require: Any, language: str) -> None:
    """The node source is a system property, as on a node of a server."""
    require(*PROGRAMS[language])
    script = SelectionScript(script=Script(language=language, code=BY_SOURCE[language]))
    slots = (Slot(name="gpu-0", source="gpu"), Slot(name="local-0"))
    questions = [Selection(job_id=1, task_id=1, task_name="T1", slot=slot, scripts=(script,)) for slot in slots]
    assert [bench.select(question) for question in questions] == [True, False]


def test_clean(bench: Any, require: Any, tmp_path: Path) -> None:
    """A clean script sees the variables that the task left, and whether it went well."""
    require("ruby")
    target = tmp_path / "seen"
    code = f'File.write("{target}", $variables["W"] + $variables["PA_TASK_SUCCESS"])'
    bench.run("javascript", "variables.put('W', 'w')", clean=Script(language="ruby", code=code))
    assert target.read_text() == "wtrue"


ENCLOSED = {
    "javascript": "variables.put('W', '😀'); result = variables.get('V')",
    "groovy": "variables.put('W', '😀'); result = variables.V",
    "python": "variables.put('W', u'\\U0001F600'); result = variables['V']",
    "ruby": "$variables['W'] = '😀'; $result = $variables['V']",
    "R": "variables$W <- '😀'; result <- variables$V",
    "scalaw": 'variables.put("W", "😀"); result = variables.get("V")',
    "perl": 'exit($ENV{"variables_V"} ne "é");',
}


@pytest.mark.parametrize("language", ENCLOSED)
def test_enclosed(bench: Any, require: Any, tmp_path: Path, language: str) -> None:
    """Inside of a sandbox, which hides this package, the language's own launcher runs the script just as well."""
    programs = ("node",) if language == "javascript" else PROGRAMS[language]
    require("bwrap", *programs)
    import proactive_jupyter_kernel

    package = Path(proactive_jupyter_kernel.__file__).parent
    prefix = (
        f"bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --tmpfs {package} --bind $localspace $localspace "
        "--die-with-parent --unshare-pid"
    )
    java = shutil.which("java")
    fork = ForkEnvironment(
        # Where Debian's default JRE is not there, its launchers do not find another.
        environment={"JAVA_HOME": str(Path(java).resolve().parents[1])} if java else {},
        script=Script(language="cpython", code=f"preJavaHomeCmd = {prefix!r}.replace('$localspace', localspace)"),
    )
    run = bench.run(language, ENCLOSED[language], fork_environment=fork, inherited={"V": "é"})
    assert run.outcome.failure is None, (run.message, run.err)
    if language != "perl":
        assert (run.outcome.value, run.outcome.variables_set) == ("é", {"W": "😀"})


def test_javascript_has_the_methods_of_java(bench: Any) -> None:
    """Nashorn finds them in Java's classes; properties of the language, such as length, stay its own."""
    code = """
result = ["true".equals("true"), "true".equals(true), "A".equalsIgnoreCase("a"), "abc".contains("b"), "".isEmpty(),
          "abc".hashCode(), "a.b".replaceAll(".", "x"), "a.b".replaceFirst("[.]", "-"), "ab".matches("a."),
          "b".compareTo("a"), "ab".length, (3).equals(3), (3.7).intValue(), true.equals(false)]
"""
    assert bench.run("javascript", code).outcome.value == [
        *(True, False, True, True, True, 96354, "xxx", "a-b", True, 1, 2, True, 3, False)
    ]


def test_javascript_replaces_as_java_does(bench: Any) -> None:
    """Groups are ``$1`` and ``${name}``, a backslash makes a character plain; what only JavaScript knows is text."""
    code = r"""
function failing(f) { try { return f(); } catch (e) { return e.message; } }
result = [
    "a.b".replaceAll("[.]", "$0$0"), "abc".replaceAll("(?<x>b)", "${x}!"), "a1".replaceAll("([a-z])(\\d)", "$2$10"),
    "b".replaceAll("b", "\\$5\\\\"), "x".replaceAll("(a)?x", "[$1]"), "aB".replaceFirst("(?i)b", "-"),
    "abc".replaceAll(/b/, "$&$&"),
    failing(function() { return "b".replaceAll("b", "$9"); }),
    failing(function() { return "b".replaceAll("b", "5 $"); }),
    "AB".matches("(?i)ab"), "é".getBytes().length, "abcd".subSequence(1, 3),
    "Hello".regionMatches(true, 1, "ELL", 0, 3),
];
"""
    write = r"; write \$ and \\ for the characters themselves"
    assert bench.run("javascript", code).outcome.value == [
        *("a..b", "ab!c", "1a0", "$5\\", "[]", "a-", "abbc"),
        f'no group 9 in the replacement "$9"{write}',
        f'a single $ in the replacement "5 $"{write}',
        *(True, 2, "bc", True),
    ]


@pytest.mark.parametrize("before", [0, 12_000])
def test_javascript_names_the_line_of_an_error(bench: Any, before: int) -> None:
    """Also in a script with more lines than stand before the code of the harness, whose frames are left out."""
    run = bench.run("javascript", "\n" * before + "throw new Error('late')")

    assert run.err.splitlines()[:2] == ["Error: late", f"    at <task T1>:{before + 1}:11"]
