"""PowerShell: scripts of the engine ``powershell``, by PowerShell 7 or by the one that comes with Windows."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import ParentResult, Wire
from proactive_jupyter_kernel.scheduler.runtimes.base import REPORT
from proactive_jupyter_kernel.scheduler.runtimes.bindings import result_text
from proactive_jupyter_kernel.scheduler.runtimes.script_engine import ScriptEngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage
from proactive_jupyter_kernel.workflow.values import TAG

__all__ = ["RUNTIMES", "PowerShell", "text"]

_OPTIONS = ("-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass")
#: What may stand in single quotes; PowerShell takes typographic quotes for quotes, too.
_PLAIN = re.compile(r"[A-Za-z0-9 _.,:;/\\!?@#%&*()+=<>\[\]{}|~^$-]*")
_INT = 2**31


class PowerShell(ScriptEngineRuntime):
    """Scripts of the engine ``powershell``."""

    engine = "powershell"
    programs = ("pwsh", "powershell")
    install = "install PowerShell 7 (pwsh), and see that it is on the PATH"
    literals: ClassVar[Mapping[str, Wire]] = {"$true": True, "$false": False, "$True": True, "$False": False}

    def launch(self, stage: Stage) -> Launch:
        """``pwsh … -File powershell.ps1 FOLDER``."""
        programs = self.program(stage)
        # Windows PowerShell takes a file without a byte order mark for one in the system's code page.
        script = self.write_script(stage, before="\ufeff")
        (stage.folder / "request.ps1").write_text(_request(stage, script), encoding="ascii")
        harness = self.harness(stage, "powershell.ps1")
        return Launch(
            programs=programs,
            arguments=(*_OPTIONS, "-File", str(harness), str(stage.folder)),
            masks={str(script): stage.label},
        )


class _Writer:
    """Writes values as PowerShell; maps are put together by statements of their own."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._maps = 0

    def assign(self, name: str, expression: str) -> None:
        """A statement that sets a variable."""
        self.statements.append(f"${{{name}}} = {expression}")

    def literal(self, wire: Wire) -> str:
        """An expression for a wire value."""
        if wire is None:
            return "$null"
        if isinstance(wire, bool):
            return "$true" if wire else "$false"
        if isinstance(wire, int):
            return f"({wire})" if abs(wire) < _INT else f"([long]'{wire}')"
        if isinstance(wire, float):
            return _real(wire)
        if isinstance(wire, str):
            return text(wire)
        if isinstance(wire, list):
            return self.array(wire)
        return self._tagged(wire) if TAG in wire else self.map(wire.items())

    def array(self, wires: Iterable[Wire]) -> str:
        """An array, also of one item, also of arrays."""
        items = [self.literal(wire) for wire in wires]
        return f"([object[]](,{items[0]}))" if len(items) == 1 else f"([object[]]@({', '.join(items)}))"

    def map(self, entries: Iterable[tuple[Wire, Wire]]) -> str:
        """A map, by the name of the variable that holds it."""
        self._maps += 1
        name = f"ProActiveMap{self._maps}"
        self.assign(name, "New-ProActiveMap")
        for key, item in entries:
            shown = key if isinstance(key, str) else json.dumps(key)
            self.statements.append(f"${name}[[string] {text(shown)}] = {self.literal(item)}")
        return f"${name}"

    def _tagged(self, wire: Mapping[str, Wire]) -> str:
        tag, value = wire[TAG], wire["value"]
        if tag == "bytes":
            return f"([Convert]::FromBase64String('{value}'))"
        if tag == "float":
            return _real(float(value))
        if tag == "decimal":
            return f"([decimal]::Parse('{value}', 'Float', [Globalization.CultureInfo]::InvariantCulture))"
        if tag == "set":
            return self.array(value)
        return self.map(value) if tag == "dict" else text(str(value))


def text(value: str) -> str:
    """A string, in ASCII."""
    if _PLAIN.fullmatch(value):
        return f"'{value}'"
    encoded = base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")
    return f"([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{encoded}')))"


def _real(value: float) -> str:
    if math.isnan(value):
        return "([double]::NaN)"
    if math.isinf(value):
        return "([double]::PositiveInfinity)" if value > 0 else "([double]::NegativeInfinity)"
    return f"([double]'{value!r}')"


def _request(stage: Stage, script: Path) -> str:
    """The script that makes the bindings and tells the harness what to do."""
    bindings = stage.bindings
    writer = _Writer()
    found: dict[str, Wire] = {
        "ProActiveLabel": stage.label,
        "ProActiveStage": stage.kind.value,
        "ProActiveScript": str(script),
        "ProActiveReport": str(stage.folder / REPORT),
        "ProActiveReturns": list(stage.returns),
        "ProActiveProgressFile": bindings.progress_file,
        **bindings.spaces,
        **bindings.node,
    }
    if bindings.node_urls is not None:
        found["nodesurl"], found["allnodesurl"] = list(bindings.node_urls[1:]), list(bindings.node_urls)
    if bindings.has_result:
        found["result"] = bindings.result
    elif bindings.failure is not None:
        found["result"] = bindings.failure.text
    for name, wire in found.items():
        writer.assign(name, writer.literal(wire))
    for name, entries in (
        ("variables", bindings.variables),
        ("genericInformation", bindings.generic_information),
        ("credentials", bindings.credentials),
        ("resultMetadata", bindings.result_metadata),
        ("resultMap", bindings.result_map),
        ("ProActiveFork", bindings.fork_environment),
    ):
        if entries is not None:
            writer.assign(name, writer.map(entries.items()))
    if bindings.results is not None:
        parents = [writer.map(_parent(parent).items()) for parent in bindings.results]
        writer.assign("results", f"@({', '.join(f'(New-ProActiveResult {parent})' for parent in parents)})")
    # Last, since every script has a variable of that name already.
    writer.assign("args", writer.array(bindings.arguments))
    return "\n".join([*writer.statements, ""])


def _parent(parent: ParentResult) -> dict[str, Wire]:
    failure = parent.failure
    return {
        "name": parent.task_name,
        "id": parent.task_id,
        "value": parent.value.decoded(),
        "text": result_text(parent),
        "metadata": dict(parent.metadata),
        "failure": None if failure is None else failure.text,
    }


RUNTIMES = (PowerShell(),)
