"""Classes of a server that fork environment scripts of ProActive's own clients name."""

from __future__ import annotations

import os
from typing import Any

from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script

FORK_SCRIPT = """
import org.ow2.proactive.utils.OperatingSystem
import org.ow2.proactive.utils.OperatingSystemFamily
import com.google.common.base.Splitter;
import no.such.Unused

sigar = new org.hyperic.sigar.Sigar()
owner = sigar.getProcCred(sigar.getPid())
sigar.close()
system = OperatingSystem.resolveOrError(System.getProperty("os.name"))
if (system.family == OperatingSystemFamily.LINUX) {
    forkEnvironment.addSystemEnvironmentVariable("FOUND", system.label + " " + owner.uid + ":" + owner.gid)
}
"""


def test_the_fork_environment_of_containers_finds_its_classes(bench: Any, require: Any) -> None:
    """The operating system and the user; an import that is not used needs no class."""
    require("groovy", "java")
    fork = ForkEnvironment(script=Script(language="groovy", code=FORK_SCRIPT))
    run = bench.run("bash", 'echo "$FOUND"', fork_environment=fork)
    assert (run.outcome.failure, run.out) == (None, f"Linux {os.getuid()}:{os.getgid()}\n")


def test_an_import_that_is_used_must_exist(bench: Any, require: Any) -> None:
    """The message names the class and the line."""
    require("groovy", "java")
    run = bench.run("groovy", "import java.util.List\nimport no.such.Thing\n\nresult = Thing.of(1)")
    assert "unable to resolve class no.such.Thing" in str(run.outcome.failure)
    assert "line 2" in str(run.outcome.failure)
