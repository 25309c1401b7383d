"""What the scripts of one attempt share and change, from stage to stage, and the outcome that it adds up to."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Failure, Outcome, Wire
from proactive_jupyter_kernel.scheduler.nodes.launch_environment import LaunchEnvironment, of_node
from proactive_jupyter_kernel.scheduler.nodes.scratch import Scratch
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings, node_properties
from proactive_jupyter_kernel.scheduler.runtimes.stage import StageKind, StageReport
from proactive_jupyter_kernel.workflow import references
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, NativeCommand, Script
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT

__all__ = ["LOGGED_LENGTH", "LOGGED_LINES", "AttemptState"]

#: How many lines of the output of selection and clean scripts go to the scheduler's log, and characters of each.
LOGGED_LINES, LOGGED_LENGTH = 20, 500
#: Generic information that a task's ``resultMetadata`` starts with.
_METADATA = ("content.type", "file.name", "file.extension")


class AttemptState:
    """Variables in their layers, maps, value and failure of one attempt."""

    def __init__(self, attempt: Attempt, scratch: Scratch) -> None:
        self._attempt = attempt
        self._scratch = scratch
        self._known: dict[str, str] = {}
        #: All layers in one, as scripts see them.
        self.visible: dict[str, Wire] = {}
        self._set: dict[str, Wire] = {}
        self._removed: dict[str, None] = {}
        self._result_map: dict[str, Wire] = {}
        self._metadata = {
            name: attempt.generic_information[name] for name in _METADATA if name in attempt.generic_information
        }
        self._value: Wire = None
        self._has_value = False
        self._set_result = False
        self._flow: Wire = None
        self._flow_decided = False
        self._exit_code: int | None = None
        self.failure: Failure | None = None
        #: What the clean script wrote, and why it failed.
        self.clean_output: deque[str] = deque(maxlen=LOGGED_LINES)
        self.clean_failure = ""
        self.launch_environment = LaunchEnvironment()

    def prepare(self) -> None:
        """Add what is known only now that there is a folder. Writes the file of nodes; may block."""
        self.locate()
        fork = self._attempt.fork_environment
        if fork is not None:
            self.launch_environment = LaunchEnvironment(
                working_dir=self._text(fork.working_dir),
                environment=of_node({name: self._text(value) for name, value in fork.environment.items()}),
                jvm_arguments=tuple(self._text(argument) for argument in fork.jvm_arguments),
            )

    def locate(self) -> None:
        """Say in the variables where things lie; again, when they have been moved before any script of the task."""
        attempt = self._attempt
        self._known = {
            "localspace": str(self._scratch.local),
            "PA_TASK_PROGRESS_FILE": self._scratch.progress_file,
            "PA_NODESFILE": self._nodes_file(),
        }
        self.visible = {**self._resolved(attempt.inherited), **self._known, **self._resolved(attempt.scope)}

    @property
    def fork_script(self) -> Script | None:
        """The script that prepares the fork environment."""
        fork = self._attempt.fork_environment
        return fork.script if fork is not None else None

    @property
    def main(self) -> tuple[Script, tuple[str, ...]]:
        """The main script; a native command as its words, with an empty script."""
        main = self._attempt.main
        if isinstance(main, NativeCommand):
            return Script(language="native"), (main.command, *main.arguments)
        return main, ()

    def bindings(self, kind: StageKind, script: Script, variable: str = "") -> Bindings:
        """What a stage of the attempt sees."""
        attempt = self._attempt
        common = self._common(script)
        if kind is StageKind.FORK:
            fork = self._fork_start(attempt.fork_environment or ForkEnvironment())
            return replace(common, fork_environment=fork, node_urls=attempt.node_urls, spaces=self._spaces())
        variables = self.visible
        if kind is StageKind.FLOW:
            variables = {**variables, "PA_TASK_SUCCESS": self.failure is None}
        sees_result = kind in (StageKind.POST, StageKind.FLOW)
        return replace(
            common,
            variables=variables,
            results=attempt.results,
            result=self._value,
            has_result=sees_result and self._has_value and self.failure is None,
            failure=self.failure if sees_result else None,
            result_metadata=self._metadata,
            result_map=self._result_map,
            spaces=self._spaces(),
            node_urls=attempt.node_urls,
            progress_file=self._scratch.progress_file,
        )

    def clean_bindings(self, script: Script) -> Bindings:
        """What the clean script sees: the variables as they ended."""
        slot = self._attempt.slot
        success = "true" if self.failure is None else "false"
        return replace(
            self._common(script),
            variables={**self.visible, "PA_TASK_SUCCESS": success},
            node={
                "nodeurl": next(iter(self._attempt.node_urls), ""),
                "nodename": slot.name,
                "nodehost": slot.host,
            },
        )

    def take(self, kind: StageKind, report: StageReport) -> None:
        """Note what a stage's script has changed."""
        for name in report.variables_removed:
            self.visible.pop(name, None)
            self._set.pop(name, None)
            self._removed[name] = None
        for name, value in report.variables_set.items():
            self.visible[name] = self._set[name] = value
            self._removed.pop(name, None)
        self._result_map.update(report.result_map)
        if report.metadata is not None:
            self._metadata = dict(report.metadata)
        if kind is StageKind.MAIN:
            self._exit_code = report.exit_code
            # A script that sets no result has the result true, on a ProActive server, too.
            self._value = report.values.get("result", True)
            self._set_result = "result" in report.values
            self._has_value = report.failure is None
        elif kind is StageKind.POST:
            found = report.values.get("result", self._value)
            self._set_result = self._set_result or found != self._value
            self._value = found

    def decide(self, value: Wire) -> None:
        """The flow script's answer."""
        self._flow, self._flow_decided = value, True

    def outcome(self, *, duration: int) -> Outcome:
        """What came of the attempt."""
        return Outcome(
            failure=self.failure,
            value=None if self.failure is not None else self._value,
            metadata=self._metadata if self._set_result or self.failure else {**self._metadata, NO_RESULT: "true"},
            variables_set=self._set,
            variables_removed=tuple(self._removed),
            result_map=self._result_map,
            flow=self._flow,
            flow_decided=self._flow_decided,
            exit_code=self._exit_code,
            clean_output=tuple(self.clean_output),
            clean_failure=self.clean_failure,
            duration=duration,
        )

    def _common(self, script: Script) -> Bindings:
        return Bindings(
            variables=self.visible,
            generic_information=self._attempt.generic_information,
            credentials=self._attempt.credentials,
            node_properties=node_properties(self._attempt.slot, self._attempt.inherited),
            arguments=tuple(self._text(argument) for argument in script.arguments),
            services=self._attempt.services,
        )

    def _spaces(self) -> dict[str, str]:
        return {**self._attempt.spaces, "localspace": str(self._scratch.local)}

    def _fork_start(self, fork: ForkEnvironment) -> dict[str, Wire]:
        return {
            "workingDir": self.launch_environment.working_dir,
            "systemEnvironment": dict(self.launch_environment.environment),
            "preJavaCommand": [],
            "javaHome": fork.java_home,
            "jvmArguments": list(self.launch_environment.jvm_arguments),
            "classpath": list(fork.classpath),
        }

    def _nodes_file(self) -> str:
        """The path of a file with the hosts, one a line; empty where the task has one node alone."""
        urls = self._attempt.node_urls
        if len(urls) < 2:
            return ""
        path = self._scratch.folder / "nodes"
        path.write_text(f"{platform.node()}\n" * len(urls), encoding="utf-8")
        return str(path)

    def _resolved(self, layer: Mapping[str, Wire]) -> dict[str, Wire]:
        return {name: self._text(value) if isinstance(value, str) else value for name, value in layer.items()}

    def _text(self, text: str) -> str:
        """With the references that only the node can resolve replaced; the others were before."""
        return references.substitute(text, self._known) if "$" in text else text
