"""R: scripts of the engine ``R``, as ProActive's ``connector-r`` runs them.

R has no built-in JSON, and reading it in R would be slow: the bindings are written as R source.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.runtimes.base import REPORT
from proactive_jupyter_kernel.scheduler.runtimes.rsource import Writer, text
from proactive_jupyter_kernel.scheduler.runtimes.script_engine import ScriptEngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage, StageReport

__all__ = ["RUNTIMES", "R"]

#: What R writes for a raw vector. No text in JSON can look like that: its quotes would have a backslash.
_HEX = re.compile(rb'\{"\$type":"hex","value":"([0-9a-f]*)"\}')
_UTF8 = re.compile(r"utf-?8", re.IGNORECASE)


class R(ScriptEngineRuntime):
    """Scripts of the engine ``R``."""

    engine = "R"
    programs = ("Rscript",)
    install = "install R (Debian: apt install r-base-core), and see that Rscript is on the PATH"
    literals: ClassVar[Mapping[str, Wire]] = {"TRUE": True, "FALSE": False, "T": True, "F": False}

    def launch(self, stage: Stage) -> Launch:
        """``Rscript run.R FOLDER``."""
        programs = self.program(stage)
        script = self.write_script(stage)
        (stage.folder / "request.R").write_text(_request(stage, script), encoding="ascii")
        harness = self.harness_folder(stage, "r")
        return Launch(
            programs=programs,
            arguments=(str(harness / "run.R"), str(stage.folder)),
            environment=_utf8(stage.environment),
            masks={str(script): stage.label},
        )

    def conclude(self, stage: Stage, launch: Launch, exit_code: int) -> StageReport:
        """As any engine, once bytes are in the form of a report."""
        path = stage.folder / REPORT
        if path.exists() and path.stat().st_size <= stage.limit:
            path.write_bytes(_HEX.sub(_base64, path.read_bytes()))
        return super().conclude(stage, launch, exit_code)


def _request(stage: Stage, script: Path) -> str:
    """The source that makes the harness' ``request``."""
    bindings = stage.bindings
    writer = Writer()
    entries: dict[str, Wire] = {
        "variables": dict(bindings.variables),
        "genericInformation": dict(bindings.generic_information),
        "credentials": dict(bindings.credentials),
        **bindings.spaces,
        **bindings.node,
    }
    for name, found in (("resultMetadata", bindings.result_metadata), ("resultMap", bindings.result_map)):
        if found is not None:
            entries[name] = dict(found)
    parts = {
        name: writer.named(wire) if isinstance(wire, dict) else writer.literal(wire) for name, wire in entries.items()
    }
    if bindings.arguments:  # otherwise a server has no such name
        parts["args"] = _texts(bindings.arguments)
    if bindings.node_urls is not None:
        parts["nodesurl"] = _texts(bindings.node_urls[1:])
        parts["allnodesurl"] = _texts(bindings.node_urls)
    if bindings.results is not None:
        parts["results"] = writer.named(
            {parent.task_name: None if parent.failure else parent.value.decoded() for parent in bindings.results}
        )
    if bindings.failure is not None:
        parts["result"] = f"simpleError({text(bindings.failure.text)})"
    elif bindings.has_result:
        parts["result"] = writer.literal(bindings.result)
    told = {
        "label": text(stage.label),
        "stage": text(stage.kind.value),
        "script": text(str(script)),
        "report": text(str(stage.folder / REPORT)),
        "returns": _texts(stage.returns),
        "progress": text(bindings.progress_file),
        "fork": _fork(bindings.fork_environment, writer),
        "bindings": "list(" + ", ".join(f"{_name(name)} = {part}" for name, part in parts.items()) + ")",
    }
    request = "request <- list(" + ",\n  ".join(f"{name} = {part}" for name, part in told.items()) + ")"
    return "\n".join([*writer.statements, request, ""])


def _fork(start: Mapping[str, Wire] | None, writer: Writer) -> str:
    if start is None:
        return "NULL"
    return writer.named(
        {
            "workingDir": start.get("workingDir") or "",
            "systemEnvironment": dict(start.get("systemEnvironment") or {}),
            "preJavaCommand": [[word] for word in start.get("preJavaCommand") or ()],
        }
    )


def _name(name: str) -> str:
    return "`" + re.sub(r"[`\\]", "_", name) + "`"


def _texts(items: tuple[str, ...]) -> str:
    return f"c({', '.join(map(text, items))})" if items else "character(0)"


def _utf8(environment: Mapping[str, str]) -> dict[str, str]:
    """A locale in which R shows every text, where the one that is set does not."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    if os.name != "posix" or _UTF8.search(locale):
        return {}
    return {"LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"}


def _base64(match: re.Match[bytes]) -> bytes:
    encoded = base64.b64encode(bytes.fromhex(match[1].decode("ascii")))
    return b'{"$type":"bytes","value":"' + encoded + b'"}'


RUNTIMES = (R(),)
