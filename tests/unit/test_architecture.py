"""The arrows between the houses: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import proactive_jupyter_kernel

PACKAGE = Path(proactive_jupyter_kernel.__file__).parent
NAME = PACKAGE.name

#: What each house may import besides itself; `errors`, `user` and `version` are open to all.
ALLOWED = {
    "workflow": set(),
    "client": {"workflow"},
    "pragmas": {"workflow", "client"},
    "notebook": {"pragmas", "client", "workflow"},
    "scheduler": {"workflow"},
    "cli": {"notebook", "client", "scheduler", "workflow"},
    "hub": {"client"},
    "testing": {"client", "workflow"},
}
OPEN_TO_ALL = {"errors", "user", "version"}

#: What the inner rooms of the pragmas may import of the pragmas; the rooms behind them meet in the context.
PRAGMA_ROOMS: dict[str, set[str]] = {
    "grammar": set(),
    "analysis": set(),
    "declarations": {"grammar"},
    "draft": {"grammar", "analysis", "declarations"},
}

#: The same for the embedded scheduler. Its loose files stand below the rooms; the daemon puts all together.
SCHEDULER_ROOMS: dict[str, set[str]] = {
    "access": set(),
    "settings": set(),
    "sources": set(),
    "spaces": set(),
    "monitoring": {"settings"},
    "engine": set(),
    "store": {"access", "engine"},
    "runtimes": set(),
    "nodes": {"monitoring", "runtimes", "spaces"},
    "executors": {"nodes", "runtimes", "settings", "spaces"},
    "service": {"access", "engine", "executors", "monitoring", "settings", "sources", "spaces", "store"},
    "http": set(),
    "rest": {"access", "engine", "http", "monitoring", "service", "sources", "spaces", "store"},
    "portals": {"access", "engine", "http", "monitoring", "service", "sources", "store"},
    "daemon": {
        "access",
        "executors",
        "http",
        "monitoring",
        "portals",
        "rest",
        "service",
        "settings",
        "sources",
        "spaces",
        "store",
    },
}

#: The same for the parts of a workflow that stand in rooms of their own: how jobs are shown, Java's ways, and the
#: expressions above them.
WORKFLOW_ROOMS: dict[str, set[str]] = {
    "display": {"graph", "model", "picture", "python_tasks", "status", "values"},
    "java": {"values"},
    "spel": {"values", "java"},
}

#: The same for the REST server: requests and sessions, the records that answers hold, and the routes above both.
REST_ROOMS: dict[str, set[str]] = {
    "requests": set(),
    "dto": set(),
    "routes": {"requests", "dto"},
}

#: The same for the portals: pages that know nothing of each other, on what all of them share.
PORTAL_ROOMS = ("job", "nodes", "submit")
SHARED_BY_PORTALS = {"downloads", "page", "page_request", "widgets"}

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
#: Files that are pure in rooms that are not: what pages make of the facts that they have read.
PURE_FILES = (
    "job/head",
    "job/output",
    "job/panels",
    "job/questions",
    "job/results",
    "job/tasks",
    "job_lines",
    "nodes/facts",
    "nodes/history",
    "nodes/view",
    "nodes/waits",
    "submit/view",
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
            if (PACKAGE.parent / module.replace(".", "/")).is_dir():
                names.update(f"{module}.{alias.name}" for alias in node.names)
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


def wrong_imports(house: str, room: str, allowed: set[str]) -> list[str]:
    """What the files of a room import of the house around it beside the room itself and `allowed`."""
    prefix = f"{NAME}.{house.replace('/', '.')}."
    return [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files_of(PACKAGE / house / room)
        for name in sorted(imports_of(path))
        if name.startswith(prefix) and name.removeprefix(prefix).split(".")[0] not in {room, *allowed}
    ]


@pytest.mark.parametrize("room", sorted(PRAGMA_ROOMS))
def test_inner_room_of_the_pragmas_imports_only_what_it_may(room: str) -> None:
    """From the text to the draft, imports go one way."""
    assert wrong_imports("pragmas", room, PRAGMA_ROOMS[room]) == []


@pytest.mark.parametrize("room", sorted(REST_ROOMS))
def test_inner_room_of_the_rest_server_imports_only_what_it_may(room: str) -> None:
    """Requests and records know nothing of routes."""
    assert wrong_imports("scheduler/rest", room, REST_ROOMS[room]) == []


@pytest.mark.parametrize("room", PORTAL_ROOMS)
def test_page_of_the_portals_imports_no_other_page(room: str) -> None:
    """Each page stands on what all of them share."""
    assert wrong_imports("scheduler/portals", room, SHARED_BY_PORTALS) == []


@pytest.mark.parametrize("name", PURE_FILES)
def test_words_of_a_page_are_made_of_facts_alone(name: str) -> None:
    """They answer no request and read no clock, file or store themselves."""
    used = imports_of(PACKAGE / "scheduler" / "portals" / f"{name}.py")
    wrong = {f"{NAME}.scheduler.portals.page_request", f"{NAME}.scheduler.service.service"} & used
    assert wrong | ({each.split(".")[0] for each in used} & {*IMPURE_MODULES, "starlette"}) == set()


def test_only_the_daemon_knows_the_executor_of_a_cluster() -> None:
    """What executors share knows nothing of Dask, which need not be installed."""
    room = f"{NAME}.scheduler.executors.dask"
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in files_of(PACKAGE)
        if path.parent.name != "dask" and any(f"{name}.".startswith(f"{room}.") for name in imports_of(path))
    }
    assert found == {"scheduler/daemon/process.py"}


@pytest.mark.parametrize("room", sorted(WORKFLOW_ROOMS))
def test_inner_room_of_the_workflow_imports_only_what_it_may(room: str) -> None:
    """Java's numbers and texts know nothing of workflows, and expressions only of those."""
    assert wrong_imports("workflow", room, WORKFLOW_ROOMS[room]) == []


@pytest.mark.parametrize("room", sorted(SCHEDULER_ROOMS))
def test_inner_room_of_the_scheduler_imports_only_what_it_may(room: str) -> None:
    """From the engine over the service to REST, imports go one way, and no room knows the daemon."""
    assert wrong_imports("scheduler", room, {*SCHEDULER_ROOMS[room], *loose_files("scheduler")}) == []


def test_loose_file_of_the_scheduler_imports_no_room() -> None:
    """What stands in no room is below all of them."""
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sorted((PACKAGE / "scheduler").glob("*.py"))
        for name in sorted(imports_of(path))
        if name.startswith(f"{NAME}.scheduler.") and name.split(".")[2] not in loose_files("scheduler")
    ]
    assert wrong == []


def test_requests_read_the_store_beside_the_loop() -> None:
    """A route reads through `Call.read` or `Reader.query`, never in the loop's thread."""
    routes = sorted((PACKAGE / "scheduler/rest/routes").glob("*.py"))
    assert [path.name for path in routes if "service.ask" in path.read_text(encoding="utf-8")] == []


def test_the_service_knows_executors_by_their_interface() -> None:
    """Which executor runs the tasks is the daemon's choice."""
    prefix = f"{NAME}.scheduler.executors."
    used = {name for path in files_of(PACKAGE / "scheduler/service") for name in imports_of(path)}
    assert {name for name in used if name.startswith(prefix)} == {f"{prefix}base"}


def test_nothing_in_the_service_knows_the_whole_of_it() -> None:
    """`Service` puts the parts of its room together; none of them imports it."""
    whole = f"{NAME}.scheduler.service.service"
    room = PACKAGE / "scheduler" / "service"
    found = {path.name for path in files_of(room) if whole in imports_of(path)}
    assert found == set()


def loose_files(house: str) -> set[str]:
    """The modules of a house that stand in no room."""
    return {path.stem for path in (PACKAGE / house).glob("*.py")}


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


#: Calls that read the clock or the zone of this machine, unless a zone is given: name -> arguments without one.
ZONE_CALLS = {"now": 0, "today": 0, "utcnow": 0, "astimezone": 0, "fromtimestamp": 1}


@pytest.mark.parametrize("room", PURE)
def test_pure_room_reads_no_time_zone(room: str) -> None:
    """Clocks and time zones come from outside: with an event, with the facts, as an argument."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} calls {node.func.attr}"
        for path in files_of(PACKAGE / room)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and len(node.args) + len(node.keywords) <= ZONE_CALLS.get(node.func.attr, -1)
    ]
    assert wrong == []


def test_every_house_is_named() -> None:
    """A new house needs a row in the table above."""
    houses = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert houses - {"cli"} == set(ALLOWED) - {"cli"}


def test_every_room_of_the_scheduler_is_named() -> None:
    """A new room needs a row as well."""
    rooms = {path.name for path in (PACKAGE / "scheduler").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert rooms == set(SCHEDULER_ROOMS)
