"""Groovy: scripts of the engine ``groovy``, any version from 2.4 on."""

from __future__ import annotations

import os
from pathlib import Path

from proactive_jupyter_kernel.scheduler.runtimes.base import file_stem
from proactive_jupyter_kernel.scheduler.runtimes.jvm import JvmRuntime, groovy_library
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage

__all__ = ["RUNTIMES", "Groovy"]

#: Run by Groovy's own launcher, where its archives are out of sight: it puts the harness onto its class path.
_BOOT = "proactive.Groovy.main(args)\n"


class Groovy(JvmRuntime):
    """Scripts of the engine ``groovy``."""

    engine = "groovy"
    programs = ("groovy",)
    home_variable = "GROOVY_HOME"
    install = "install Groovy (Debian: apt install groovy), or set GROOVY_HOME to the folder where it is"
    rehearsal = (
        "def all = [a: 1, b: 'x'].collectEntries { name, value -> [name, \"${value}\"] }\n"
        "if (all.size() > 2) { println all }\nresult = [1, 2].collect { it * 2 }.sum()\n"
    )

    def launch(self, stage: Stage) -> Launch:
        """``java -cp groovy's archives proactive.Groovy FOLDER``; inside a container ``groovy boot.groovy FOLDER``."""
        launchers = self.program(stage)
        script = self.write_script(stage)
        self.write_request(stage, script, name=_class_name(stage.task_name))
        archive = self.archive(stage)
        masks = {str(script): stage.label}
        if stage.in_container:
            boot = stage.folder / "boot.groovy"
            boot.write_text(_BOOT, encoding="ascii")
            inside = ("-cp", str(archive), str(boot), str(stage.folder))
            return self.launched(stage, launchers, inside, masks=masks)
        library = str(self._library(stage, launchers[0]) / "*")
        classpath = os.pathsep.join([str(archive), library, *self.libraries(stage)])
        arguments = ("-Dfile.encoding=UTF-8", "-cp", classpath, "proactive.Groovy", str(stage.folder))
        return self.launched(stage, launchers, arguments, masks=masks)

    def _library(self, stage: Stage, launcher: str) -> Path:
        homes = list(self.homes(stage, launcher))
        if folder := groovy_library(homes):
            return folder
        places = ", ".join(str(home / "lib") for home in homes)
        raise CannotStart(
            f"{launcher} is there, but Groovy's archives (groovy-*.jar) are not in {places}; set GROOVY_HOME"
        )


def _class_name(task_name: str) -> str:
    """What Groovy calls the script's class, as messages show it: ``No such property: x for class: T1``."""
    stem = file_stem(task_name).replace("-", "_")
    return f"_{stem}" if stem[0].isdigit() else stem


RUNTIMES = (Groovy(),)
