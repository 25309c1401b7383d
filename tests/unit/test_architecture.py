"""The arrows between the houses: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import proactive_jupyter_kernel

PACKAGE = Path(proactive_jupyter_kernel.__file__).parent
NAME = PACKAGE.name

#: What each house may import besides itself; `errors` and `version` are open to all.
ALLOWED = {
    "workflow": set(),
    "client": {"workflow"},
    "pragmas": {"workflow", "client"},
    "notebook": {"pragmas", "client", "workflow"},
    "scheduler": {"workflow"},
    "cli": {"notebook", "client", "scheduler", "workflow"},
    "testing": {"client", "workflow"},
}
OPEN_TO_ALL = {"errors", "version"}

#: What the inner rooms of the pragmas may import of the pragmas; the rooms behind them meet in the context.
PRAGMA_ROOMS: dict[str, set[str]] = {
    "grammar": set(),
    "analysis": set(),
    "declarations": {"grammar"},
    "draft": {"grammar", "analysis", "declarations"},
}

#: The same for the REST server: from what HTTP says over the records that answers hold to the routes.
REST_ROOMS: dict[str, set[str]] = {
    "http": set(),
    "dto": set(),
    "routes": {"http", "dto"},
}

#: Files of pure rooms that may read a clock after all: regular expressions of workflows need a deadline.
CLOCKS = {PACKAGE / "workflow" / "java" / "deadlines.py": {"time"}}

#: Rooms that open no file, socket or process and read no clock.
PURE = (
    "workflow",
    "scheduler/engine",
    "notebook/card",
    "pragmas/grammar",
    "pragmas/draft",
    "pragmas/analysis",
)
IMPURE_MODULES = {
    "asyncio",
    "httpx2",
    "os",
    "pathlib",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
}


def imports_of(path: Path) -> set[str]:
    """Full names of the modules that a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            module = node.module or ""
            names.add(module)
            if module == NAME:
                names.update(f"{NAME}.{alias.name}" for alias in node.names)
    return names


def files_of(folder: Path) -> list[Path]:
    """The package's own files; what task processes run under foreign interpreters is not a part of the arrows."""
    task_side = {PACKAGE / "scheduler" / "runtimes" / "harness", PACKAGE / "workflow" / "python_tasks"}
    return [path for path in sorted(folder.rglob("*.py")) if not task_side & {*path.parents}]


def house_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("house", sorted(ALLOWED))
def test_house_imports_only_what_it_may(house: str) -> None:
    """No file of a house imports a house that the architecture does not give it."""
    wrong = []
    for path in files_of(PACKAGE):
        if house_of(path) != house:
            continue
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == NAME and len(parts) > 1 and parts[1] not in {house} | ALLOWED[house] | OPEN_TO_ALL:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("room", sorted(PRAGMA_ROOMS))
def test_inner_room_of_the_pragmas_imports_only_what_it_may(room: str) -> None:
    """From the text to the draft, imports go one way."""
    allowed = {room, *PRAGMA_ROOMS[room]}
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files_of(PACKAGE / "pragmas" / room)
        for name in imports_of(path)
        if name.startswith(f"{NAME}.pragmas.") and name.split(".")[2] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted(REST_ROOMS))
def test_inner_room_of_the_rest_server_imports_only_what_it_may(room: str) -> None:
    """Requests and records know nothing of routes."""
    allowed = {room, *REST_ROOMS[room]}
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files_of(PACKAGE / "scheduler" / "rest" / room)
        for name in imports_of(path)
        if name.startswith(f"{NAME}.scheduler.rest.") and name.split(".")[3] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("room", PURE)
def test_pure_room_imports_nothing_that_touches_the_world(room: str) -> None:
    """The rooms called pure import no module with which they could read a clock, a file or a socket."""
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files_of(PACKAGE / room)
        for name in imports_of(path)
        if name.split(".")[0] in IMPURE_MODULES - CLOCKS.get(path, set())
    ]
    assert wrong == []


def test_every_house_is_named() -> None:
    """A new house needs a row in the table above."""
    houses = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert houses - {"cli"} == set(ALLOWED) - {"cli"}
