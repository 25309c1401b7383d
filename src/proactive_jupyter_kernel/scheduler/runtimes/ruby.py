"""Ruby: scripts of the engine ``ruby``, in the idiom of JRuby, the engine that ProActive runs them with."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.runtimes.script_engine import ScriptEngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage

__all__ = ["RUNTIMES", "Ruby"]


class Ruby(ScriptEngineRuntime):
    """Scripts of the engine ``ruby``."""

    engine = "ruby"
    programs = ("ruby", "jruby")
    install = "install Ruby 2.5 or newer (Debian: apt install ruby), and see that it is on the PATH"

    def launch(self, stage: Stage) -> Launch:
        """``ruby run.rb FOLDER``."""
        programs = self.program(stage)
        script = self.write_script(stage)
        self.write_request(stage, script)
        harness = self.harness_folder(stage, "ruby") / "run.rb"
        return Launch(
            programs=programs,
            arguments=("-E", "UTF-8", str(harness), str(stage.folder)),
            masks={str(script): stage.label},
        )


RUNTIMES = (Ruby(),)
