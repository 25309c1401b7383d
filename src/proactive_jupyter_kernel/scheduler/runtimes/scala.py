"""Scala: scripts of the engine ``scalaw``, Scala 2 from 2.11 on."""

from __future__ import annotations

import os
import re
from pathlib import Path

from proactive_jupyter_kernel.scheduler.runtimes.jvm import JvmRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage

__all__ = ["RUNTIMES", "Scala"]


class Scala(JvmRuntime):
    """Scripts of the engine ``scalaw``."""

    engine = "scalaw"
    programs = ("scala",)
    home_variable = "SCALA_HOME"
    install = "install Scala 2 (Debian: apt install scala), or set SCALA_HOME to the folder where it is"
    rehearsal = (
        'val all = Map("a" -> 1).map { case (name, value) => s"$name $value" }.toSeq.sorted\n'
        'result = List(1, 2).map(each => each * 2).sum\nif (all.isEmpty) println(variables.get("x"))\n'
    )

    def launch(self, stage: Stage) -> Launch:
        """``java … proactive.Scala FOLDER``; inside a container the same by Scala's own launcher."""
        launchers = self.program(stage)
        script = self.write_script(stage)
        self.write_request(stage, script, name=_class_name(stage.task_name))
        archive = self.archive(stage)
        masks = {str(script): stage.label}
        if stage.in_container:
            inside = ("-nc", "-cp", str(archive), "proactive.Scala", str(stage.folder))
            return self.launched(stage, launchers, inside, masks=masks)
        home = self._home(stage, launchers[0])
        classpath = os.pathsep.join(
            [str(archive), str(home / "lib" / "*"), *self.libraries(stage), *self.groovy(stage)]
        )
        options = ("-Dfile.encoding=UTF-8", f"-Dscala.home={home}", "-Xss4m")
        arguments = (*options, "-cp", classpath, "proactive.Scala", str(stage.folder))
        return self.launched(stage, launchers, arguments, masks=masks)

    def _home(self, stage: Stage, launcher: str) -> Path:
        homes = list(self.homes(stage, launcher))
        for home in homes:
            if (home / "lib" / "scala-compiler.jar").is_file():
                return home
        places = ", ".join(str(home / "lib") for home in homes)
        raise CannotStart(
            f"{launcher} is there, but the compiler of Scala 2 (scala-compiler.jar) is not in {places}; "
            "set SCALA_HOME to an installation of Scala 2"
        )


def _class_name(task_name: str) -> str:
    """A name for the class around the script."""
    return "Script_" + re.sub(r"\W", "_", task_name, flags=re.ASCII)[:80]


RUNTIMES = (Scala(),)
