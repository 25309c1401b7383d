"""Jython: scripts of the engine ``python``, Python 2.7 on the Java machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.runtimes.jvm import JvmRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage

__all__ = ["RUNTIMES", "Jython"]

#: Where Debian keeps the archive, apart from the rest.
_DEBIAN = Path("/usr/share/java")
_NAMES = ("jython.jar", "jython-standalone.jar")
#: Run by Jython's own launcher, where its archive is out of sight.
_BOOT = "import sys\nsys.path.append(sys.argv[1])\nfrom proactive import Jython\nJython.main(sys.argv[2:])\n"
_UTF8 = ("-Dfile.encoding=UTF-8", "-Dpython.io.encoding=UTF-8")


class Jython(JvmRuntime):
    """Scripts of the engine ``python``."""

    engine = "python"
    programs = ("jython",)
    home_variable = "JYTHON_HOME"
    install = "install Jython 2.7 (Debian: apt install jython), or set JYTHON_HOME to the folder where it is"
    rehearsal = "import os, re, json\nresult = ','.join([str(each) for each in range(2)])\n"
    literals: ClassVar[Mapping[str, Wire]] = {"True": True, "False": False}

    def launch(self, stage: Stage) -> Launch:
        """``java -cp … proactive.Jython FOLDER``; inside a container by Jython's own launcher."""
        launchers = self.program(stage)
        script = self.write_script(stage)
        self.write_request(stage, script)
        archive = self.archive(stage)
        masks = {str(script): stage.label}
        environment = {"PYTHONIOENCODING": "UTF-8"}
        if stage.in_container:
            boot = stage.folder / "boot.py"
            boot.write_text(_BOOT, encoding="ascii")
            inside = (str(boot), str(archive), str(stage.folder))
            return self.launched(stage, launchers, inside, environment=environment, masks=masks)
        home, library = self._library(stage, launchers[0])
        classpath = os.pathsep.join([str(library), str(archive), *self.groovy(stage)])
        arguments = (*_UTF8, f"-Dpython.home={home}", "-cp", classpath, "proactive.Jython", str(stage.folder))
        return self.launched(stage, launchers, arguments, environment=environment, masks=masks)

    def _library(self, stage: Stage, launcher: str) -> tuple[Path, Path]:
        """The folder of the installation and its archive."""
        homes = list(self.homes(stage, launcher))
        for home in homes:
            for folder in (home, _DEBIAN):
                for name in _NAMES:
                    if (folder / name).is_file():
                        return home, folder / name
        places = ", ".join(map(str, homes))
        raise CannotStart(f"{launcher} is there, but Jython's archive (jython.jar) is not in {places}; set JYTHON_HOME")


RUNTIMES = (Jython(),)
