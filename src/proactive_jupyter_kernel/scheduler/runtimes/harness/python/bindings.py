"""The globals of a Python script: ``variables``, ``results``, ``progress`` and so on, as ProActive's engine has them.

The maps behave as the Java maps that ``jsr223-cpython`` shows to Python: a missing key gives None, whatever default is
named; Java's methods stand beside Python's.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
    from proactive_jupyter_kernel.workflow.python_tasks import tagged
else:
    values, tagged = sys.modules["_proactive_values"], sys.modules["_proactive_tasks.tagged"]

__all__ = [
    "PLAIN",
    "Absent",
    "JavaMap",
    "Progress",
    "TaskFailed",
    "TaskResult",
    "VariablesMap",
    "from_request",
    "wants_plain",
]

#: Java clients that only a ProActive server has.
_JAVA_CLIENTS = ("userspaceapi", "globalspaceapi", "schedulerapi", "rmapi")
#: Clients that the embedded scheduler has as well -> the file beside this one, and the class there.
_SERVICES = {"synchronizationapi": ("channels", "Synchronization"), "signalapi": ("signals", "SignalApi")}


#: Generic information ``PYTHON_VALUES=plain``: what the task hands on is plain, for tasks of other languages.
PLAIN = "PYTHON_VALUES"


class TaskFailed(Exception):
    """``results[i].value()`` of a parent that failed; as ``result``, the failure of this task, in its flow script."""


# Tracebacks name it without a module: the one it has is none of the script's business.
TaskFailed.__module__ = values.NotPortableValue.__module__ = "builtins"


class JavaMap(dict):  # type: ignore[type-arg]  # dict[…] cannot be a base on Python 3.8
    """A dict that gives None for a missing key, with the methods of a Java map."""

    def __missing__(self, key: Any) -> None:
        return None

    def get(self, key: Any, default: Any = None) -> Any:
        """The value, or None: as on a ProActive server, where the default is never looked at."""
        return self[key]

    def put(self, key: Any, value: Any) -> Any:
        """Set a value and return the old one."""
        old = self[key]
        self[key] = value
        return old

    def putAll(self, other: Mapping[Any, Any]) -> None:
        self.update(other)

    def remove(self, key: Any) -> Any:
        """Take a key out and return its value."""
        return self.pop(key)

    def containsKey(self, key: Any) -> bool:
        return key in self

    def containsValue(self, value: Any) -> bool:
        return value in self.values()

    def size(self) -> int:
        return len(self)

    def isEmpty(self) -> bool:
        return not self

    def keySet(self) -> set[Any]:
        return set(self)

    def entrySet(self) -> list[tuple[Any, Any]]:
        return list(self.items())

    def pop(self, key: Any, *default: Any) -> Any:
        value = self[key]
        if key in self:
            del self[key]
        return value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value, or None: as on a ProActive server, a missing key stays missing."""
        return self[key]


class VariablesMap(JavaMap):
    """``variables`` and ``resultMap``: takes values that can travel, and remembers what was put and removed.

    What travels tagged is opened when it is read for the first time; changed in place, it has to be put again.
    """

    def __init__(self, name: str, wires: Mapping[str, Any], *, plain: bool = False) -> None:
        self._name = name
        self._plain = plain
        self._put: dict[str, None] = {}
        self._removed: dict[str, None] = {}
        #: What could be changed in place, as it came.
        self._before = {key: wire for key, wire in wires.items() if isinstance(wire, (dict, list))}
        #: Values that hold tagged bytes, encoded; and the names of those not read yet.
        self._tagged: dict[str, Any] = {}
        self._closed: dict[str, None] = {}
        super().__init__()
        for key, wire in wires.items():
            if type(wire) is str:
                super().__setitem__(key, wire)
            else:
                self._keep(key, values.from_wire(wire))

    def _keep(self, key: str, value: Any) -> None:
        self._tagged.pop(key, None)
        self._closed.pop(key, None)
        if tagged.holds_tagged(value):
            self._tagged[key] = value
            self._closed[key] = None
        super().__setitem__(key, value)

    def __getitem__(self, key: Any) -> Any:
        if key in self._closed:
            super().__setitem__(key, tagged.opened(self._tagged[key], f"{self._name}[{key!r}]"))
            del self._closed[key]
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        # Also because `dict(variables)` reads the items by way of this class only if it has its own iteration.
        return super().__iter__()

    def _open(self) -> dict[str, Any]:
        """All values, opened as far as this Python can."""
        for key in list(self._closed):
            try:
                self[key]
            except tagged.Unreadable:
                continue  # whoever reads that value gets the error
        return {key: super(VariablesMap, self).__getitem__(key) for key in self}

    def items(self) -> Any:
        return self._open().items()

    def values(self) -> Any:
        return self._open().values()

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a key of {self._name} is a text, not {key!r}")
        self._keep(key, values.portable(value, f"{self._name}[{key!r}]", tags=True, plain=self._plain))
        self._put[key] = None
        self._removed.pop(key, None)

    def __delitem__(self, key: Any) -> None:
        if key in self:
            super().__delitem__(key)
            for known in (self._put, self._before, self._tagged, self._closed):
                known.pop(key, None)
            self._removed[key] = None

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> VariablesMap:  # type: ignore[misc]  # `|` gives a plain dict
        self.update(other)
        return self

    def clear(self) -> None:
        for key in list(self):
            del self[key]

    def popitem(self) -> tuple[Any, Any]:
        if not self:
            raise KeyError(f"{self._name} is empty")
        key = list(self)[-1]
        return key, self.pop(key)

    def copy(self) -> JavaMap:
        return JavaMap(self._open())

    def __repr__(self) -> str:
        return repr(self._open())

    def __reduce__(self) -> Any:
        return JavaMap, (self._open(),)

    @property
    def is_changed(self) -> bool:
        """Whether anything was put or removed, or could have been changed in place."""
        return bool(self._put or self._removed or self._before or self._tagged)

    def changes(self) -> tuple[dict[str, Any], list[str]]:
        """What was put, or changed in place, as wire values; what was removed."""
        changed = {}
        for key in self:
            if key in self._tagged:
                if key in self._put:
                    changed[key] = values.to_wire(self._tagged[key])
                continue
            value = self[key]
            if key in self._put or (key in self._before and self._wire(key, value) != self._before[key]):
                changed[key] = self._wire(key, value)
        return changed, list(self._removed)

    def _wire(self, key: str, value: Any) -> Any:
        return values.to_wire(values.portable(value, f"{self._name}[{key!r}]", tags=True, plain=self._plain))


class TaskId:
    """A parent's id: ``str`` gives ``12t0``."""

    def __init__(self, job: str, number: int, name: str) -> None:
        self._job, self._number, self._name = job, number, name

    def value(self) -> str:
        return str(self._number)

    def getReadableName(self) -> str:
        return self._name

    def __str__(self) -> str:
        return f"{self._job}t{self._number}"

    __repr__ = toString = __str__


class TaskResult:
    """One entry of ``results``."""

    def __init__(self, job: str, parent: Mapping[str, Any]) -> None:
        self._job = job
        self._parent = parent

    def value(self) -> Any:
        """The parent's value; raises `TaskFailed` if the parent failed."""
        failure = self.getException()
        if failure is not None:
            raise failure
        return tagged.opened(self._travelled(), f"The result of {self._parent['taskName']}")

    def _travelled(self) -> Any:
        return values.from_wire(self._parent["value"])

    def portable(self) -> Any:
        """What a script that hands on the entry itself hands on: the value, or the text of the failure."""
        return str(self) if self.hadException() else self._travelled()

    getValue = value

    def hadException(self) -> bool:
        return self._parent["failure"] is not None

    def getException(self) -> TaskFailed | None:
        failure = self._parent["failure"]
        if failure is None:
            return None
        return TaskFailed(f"task {self._parent['taskName']} failed: {failure['text']}")

    def getMetadata(self) -> JavaMap:
        return JavaMap(self._parent["metadata"])

    def getTaskId(self) -> TaskId:
        return TaskId(self._job, self._parent["taskId"], self._parent["taskName"])

    def __str__(self) -> str:
        failure = self._parent["failure"]
        if failure is not None:
            return " ".join(failure["text"].split())
        value = self._travelled()
        return "Result not available" if value is None else str(values.text(value))

    toString = __str__

    def __repr__(self) -> str:
        return f"<result of {self._parent['taskName']}: {self}>"


class Progress:
    """``progress``: how far the task is, 0 to 100."""

    def __init__(self, path: str) -> None:
        self._path = path

    def set(self, percent: int) -> None:
        if not 0 <= int(percent) <= 100:
            raise ValueError(f"progress goes from 0 to 100, not {percent}")
        with open(self._path, "w", encoding="ascii") as file:
            file.write(str(int(percent)))

    def get(self) -> int:
        try:
            with open(self._path, encoding="ascii") as file:
                return int(file.readline() or 0)
        except (OSError, ValueError):
            return 0


class Absent:
    """Stands where a ProActive server has a Java client, and says so when it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise RuntimeError(f"{self._name} is a Java client of a ProActive server; the embedded scheduler has none")


class Service:
    """Stands for a client of the scheduler until a script uses it: HTTP takes longer to load than a small task."""

    def __init__(self, name: str, services: Mapping[str, str]) -> None:
        self._name = name
        self._services = services

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if "_client" not in self.__dict__:
            from importlib import import_module

            module, name = _SERVICES[self._name]
            self._client = getattr(import_module(f"{__package__}.{module}"), name)(self._services)
        return getattr(self._client, attribute)


class ForkEnvironment:
    """``forkEnvironment``: how the task's process will be started. What only a Java machine knows is kept, unused."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.report: dict[str, Any] = {
            "workingDir": start.get("workingDir") or "",
            "systemEnvironment": dict(start.get("systemEnvironment") or {}),
            "preJavaCommand": list(start.get("preJavaCommand") or ()),
            "jvmArguments": list(start.get("jvmArguments") or ()),
        }
        self._java_home = start.get("javaHome") or ""
        self._classpath: list[str] = list(start.get("classpath") or ())

    def setWorkingDir(self, path: Any) -> None:
        self.report["workingDir"] = str(path)

    def getWorkingDir(self) -> str | None:
        return self.report["workingDir"] or None

    def addSystemEnvironmentVariable(self, name: Any, value: Any) -> None:
        self.report["systemEnvironment"][str(name)] = str(value)

    def getSystemEnvironmentVariable(self, name: Any) -> str | None:
        value: str | None = self.report["systemEnvironment"].get(str(name))
        return value

    def getSystemEnvironment(self) -> JavaMap:
        return JavaMap(self.report["systemEnvironment"])

    def setPreJavaCommand(self, words: Iterable[Any]) -> None:
        self.report["preJavaCommand"] = [str(word) for word in words]

    def addPreJavaCommand(self, word: Any) -> None:
        self.report["preJavaCommand"].append(str(word))

    def getPreJavaCommand(self) -> list[str]:
        return list(self.report["preJavaCommand"])

    def setJavaHome(self, path: Any) -> None:
        self._java_home = str(path)

    def getJavaHome(self) -> str | None:
        return self._java_home or None

    def addJVMArgument(self, argument: Any) -> None:
        self.report["jvmArguments"].append(str(argument))

    def getJVMArguments(self) -> list[str]:
        return list(self.report["jvmArguments"])

    def addAdditionalClasspath(self, *paths: Any) -> None:
        self._classpath.extend(str(path) for path in paths)

    def getAdditionalClasspath(self) -> list[str]:
        return list(self._classpath)

    def setDockerWindowsToLinux(self, wanted: Any) -> None:
        """Windows paths are no matter here."""

    def isDockerWindowsToLinux(self) -> bool:
        return False

    @staticmethod
    def convertToLinuxPath(path: Any) -> str:
        return str(path)


def wants_plain(request: Mapping[str, Any]) -> bool:
    """Whether the task hands on plain values, where there are any."""
    information = request["genericInformation"]
    return bool(information) and str(information.get(PLAIN, "")).strip().lower() == "plain"


def from_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """The globals of the script that the request is about."""
    scope: dict[str, Any] = {
        "variables": VariablesMap("variables", request["variables"], plain=wants_plain(request)),
        "genericInformation": JavaMap(request["genericInformation"]),
        "credentials": JavaMap(request["credentials"]),
    }
    if request["args"]:  # otherwise a server has no such name
        scope["args"] = list(request["args"])
    scope.update(request["spaces"])
    scope.update(request["node"])
    for name in _JAVA_CLIENTS:
        scope[name] = Absent(name)
    for name in _SERVICES:
        scope[name] = Service(name, request["services"]) if request["services"] else Absent(name)
    for name, make in _OPTIONAL.items():
        found = request[name]
        if found is not None and found != "":
            scope.update(make(request, found))
    return scope


def _results(request: Mapping[str, Any], parents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    job = str(request["variables"].get("PA_JOB_ID", ""))
    return {"results": tuple(TaskResult(job, parent) for parent in parents)}


def _result(request: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    if "failure" in found:
        return {"result": TaskFailed(found["failure"]["text"])}
    value = values.from_wire(found["value"])
    try:
        return {"result": tagged.opened(value, "The result")}
    except tagged.Unreadable:
        return {"result": value}  # the script may not read it: it is handed on unchanged


#: Key of the request -> what it binds, where the stage has it.
_OPTIONAL: dict[str, Callable[[Mapping[str, Any], Any], dict[str, Any]]] = {
    "results": _results,
    "result": _result,
    "resultMetadata": lambda request, found: {"resultMetadata": JavaMap(found)},
    "resultMap": lambda request, found: {"resultMap": VariablesMap("resultMap", found, plain=wants_plain(request))},
    "nodesurl": lambda request, found: {"nodesurl": list(found), "allnodesurl": list(request["allnodesurl"])},
    "progressFile": lambda request, found: {"progress": Progress(found)},
    "forkEnvironment": lambda request, found: {"forkEnvironment": ForkEnvironment(found)},
}
