"""Java machines that stay from script to script: nothing of one script reaches the next."""

from __future__ import annotations

import os
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, FlowScript
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes stay where nothing of them is lost")

#: The machine that it runs in, and all that a script before could have left there.
PROBES = {
    "groovy": """
        result = [new File('/proc/self').canonicalFile.name as int, System.getProperty('left'),
            Locale.getDefault().toString(),
            TimeZone.getDefault().getID(), Thread.getAllStackTraces().keySet().count { it.name == 'left' },
            'x'.respondsTo('shout').size(), new File('left').exists(), binding.hasVariable('left'),
            new File('left').absolutePath == "$localspace/left", System.getProperty('user.dir') == localspace]
        System.err.println('probed')
        """,
    "python": """
import os
from java.io import File
from java.lang import System, Thread
from java.util import ArrayList, Locale, TimeZone
result = [int(File('/proc/self').canonicalFile.name), System.getProperty('left'), str(Locale.getDefault()),
    TimeZone.getDefault().getID(), len([each for each in Thread.getAllStackTraces().keySet() if each.name == 'left']),
    hasattr(ArrayList, 'shout'), os.path.exists('left'), 'left' in globals() or 'left' in dir(os),
    os.path.abspath('left') == localspace + '/left', os.getcwd() == localspace]
System.err.println('probed')
""",
    "scalaw": """
        import scala.collection.JavaConverters._
        val named = Thread.getAllStackTraces.keySet.asScala.count(_.getName == "left")
        result = List(new File("/proc/self").getCanonicalFile.getName.toInt, System.getProperty("left"),
            Locale.getDefault.toString,
            TimeZone.getDefault.getID, named, 0, new File("left").exists, false,
            new File("left").getAbsolutePath == s"$localspace/left", System.getProperty("user.dir") == localspace)
        System.err.println("probed")
        """.replace("        import", "        import java.io.File; import java.util.{Locale, TimeZone}; import", 1),
}
PROGRAMS = {"groovy": ("groovy", "java"), "python": ("jython", "java"), "scalaw": ("scala", "java")}
#: Scripts that do not leave things behind for others: the machine stays.
HARMLESS = {
    "groovy": "class Left { static int count }\nnew File('left').text = left = 'x'; Left.count++; result = Left.count",
    "python": "import os\nleft = 1\nopen('left', 'w').write('x')\nresult = 1",
    "scalaw": "val left = 1; object Left { var count = 0 }; Left.count += 1; result = Left.count",
}
#: Scripts that do: the machine ends with them.
LEAVING = {
    "groovy": {
        "a thread": "Thread.start('left') { sleep(100000) }; sleep(20)",
        "a property": "System.setProperty('left', 'x')",
        "a locale": "Locale.setDefault(Locale.FRANCE)",
        "a time zone": "TimeZone.setDefault(TimeZone.getTimeZone('Asia/Tokyo'))",
        "standard error": "System.setErr(new PrintStream(new ByteArrayOutputStream()))",
        "a method": "String.metaClass.shout = { -> 1 }",
        "a provider": "java.security.Security.insertProviderAt(new java.security.Provider('left', 1.0d, '') {}, 1)",
        "a process": "['sleep', '1000'].execute()",
        "an open file": "left = new FileReader('/proc/self/status'); left.read()",
    },
    "python": {
        "a method": "from java.util import ArrayList\nArrayList.shout = lambda self: 1",
        "a module's name": "import os, __builtin__\n__builtin__.left = os.left = 1",
    },
    "scalaw": {"a property": 'System.setProperty("left", "x")'},
}


def probe(bench: Any, language: str) -> tuple[int, Any]:
    run = bench.run(language, PROBES[language])
    assert (run.outcome.failure, run.err) == (None, "probed\n")
    machine, *rest = run.outcome.value
    return machine, rest


@pytest.mark.parametrize("language", HARMLESS)
def test_scripts_share_a_machine_and_nothing_else(bench: Any, require: Any, language: str) -> None:
    """Neither globals nor classes nor files of one are there for the next, which finds itself in its own folder."""
    require(*PROGRAMS[language])
    first, clean = probe(bench, language)
    values = [bench.run(language, HARMLESS[language]).outcome.value for _ in range(2)]
    assert (values, probe(bench, language)) == ([1, 1], (first, clean))
    assert clean[-2:] == [True, True]


@pytest.mark.parametrize(("language", "what"), [(language, what) for language in LEAVING for what in LEAVING[language]])
def test_what_a_script_leaves_behind_ends_with_its_machine(bench: Any, require: Any, language: str, what: str) -> None:
    """The next one starts in another machine, as if there had been none before."""
    require(*PROGRAMS[language])
    first, clean = probe(bench, language)
    run = bench.run(language, LEAVING[language][what])
    second, found = probe(bench, language)
    assert (run.outcome.failure, found, first == second, psutil.pid_exists(first)) == (None, clean, False, False)


def test_a_script_ends_its_machine(bench: Any, require: Any) -> None:
    """With its exit code and its hooks, as where it has one to itself."""
    require(*PROGRAMS["groovy"])
    code = "Runtime.runtime.addShutdownHook(new Thread({ println 'hook' })); System.exit(3)"
    run = bench.run("groovy", code)
    assert run.outcome.failure is not None
    assert (run.outcome.failure.kind, run.outcome.exit_code, run.out) == (FailureKind.DIED, 3, "hook\n")


def test_hooks_run_with_their_script(bench: Any, require: Any) -> None:
    """What is to be done at the end of the machine is done at the end of the script."""
    require(*PROGRAMS["groovy"])
    code = "Runtime.runtime.addShutdownHook(new Thread({ println 'hook' })); println 'script'"
    assert bench.run("groovy", code).out == "script\nhook\n"


def test_an_environment_of_its_own_takes_a_machine_of_its_own(bench: Any, require: Any) -> None:
    """Variables and options of a fork environment are those of one task."""
    require(*PROGRAMS["groovy"])
    first, _ = probe(bench, "groovy")
    code = (
        "result = [new File('/proc/self').canonicalFile.name as int, System.getenv('LEFT'), System.getProperty('left')]"
    )
    fork = ForkEnvironment(environment={"LEFT": "here"}, jvm_arguments=("-Dleft=too",))
    machine, *found = bench.run("groovy", code, fork_environment=fork).outcome.value
    second, _ = probe(bench, "groovy")
    assert (found, machine == first, second) == (["here", "too"], False, first)


def test_all_scripts_of_a_task_use_the_machine(bench: Any, require: Any) -> None:
    """Pre, main, post and flow script, in this order, with their lines in the log."""
    require(*PROGRAMS["groovy"])
    first, _ = probe(bench, "groovy")

    def script(name: str, more: str = "") -> Script:
        return Script(language="groovy", code=f"println '{name} ' + new File('/proc/self').canonicalFile.name{more}")

    run = bench.run(
        "groovy",
        script("main", "; throw new IllegalStateException('no') ").code.replace("throw", "if (false) throw"),
        pre=script("pre"),
        post=script("post"),
        flow=FlowScript(script=script("flow", "; loop = false; if (loop) println 1"), variable="loop"),
    )
    assert (run.outcome.failure, run.out.split()) == (
        None,
        [word for name in ("pre", "main", "post", "flow") for word in (name, str(first))],
    )
