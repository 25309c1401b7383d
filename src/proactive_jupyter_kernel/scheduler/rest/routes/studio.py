"""``/studio``: the workflows that a user keeps on the scheduler (``StudioInterface.java``).

As on a server they are files in the user space: ``workflows/ID/name``, ``xml`` and ``metadata``.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import ANYTHING, JSON, Route

__all__ = ["ROUTES"]

#: Fields of a Workflow that are files.
_FIELDS = ("name", "xml", "metadata")
_MOST = 10_000


class _Shelf:
    """The workflows of a user. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[dict[str, Any]]:
        return [self.read(number) for number in self._numbers()]

    def read(self, number: str) -> dict[str, Any]:
        folder = self._place(number)
        values = {field: (folder / field).read_text(encoding="utf-8") for field in _FIELDS if (folder / field).exists()}
        changed = datetime.fromtimestamp((folder / "name").stat().st_mtime, UTC)
        return {
            "id": int(number),
            "name": values.get("name", ""),
            "xml": values.get("xml", ""),
            "metadata": values.get("metadata", ""),
            "modifyDate": changed.strftime("%a %b %d %H:%M:%S UTC %Y"),
        }

    def add(self, values: dict[str, str]) -> dict[str, Any]:
        known = self._numbers()
        if len(known) >= _MOST:
            raise ValueError(f"There are {_MOST} workflows in the studio already; delete some first.")
        number = str(max((int(each) for each in known), default=0) + 1)
        (self._folder / number).mkdir(parents=True)
        self._store(number, values)
        return self.read(number)

    def change(self, number: str, values: dict[str, str]) -> dict[str, Any]:
        self._place(number)
        self._store(number, values)
        return self.read(number)

    def delete(self, number: str) -> None:
        shutil.rmtree(self._place(number))

    def delete_named(self, name: str) -> None:
        for number in self._numbers():
            if self.read(number)["name"] == name:
                self.delete(number)

    def _numbers(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        found = [each.name for each in self._folder.iterdir() if _is_number(each.name) and (each / "name").is_file()]
        return sorted(found, key=int)

    def _place(self, number: str) -> Path:
        if not (_is_number(number) and (self._folder / number / "name").is_file()):
            raise RestError(404, "java.io.IOException", f"The studio has no workflow {number}.")
        return self._folder / number

    def _store(self, number: str, values: dict[str, str]) -> None:
        for field, value in values.items():
            (self._folder / number / field).write_text(value, encoding="utf-8", errors="replace")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _shelf(call: Call) -> _Shelf:
    return _Shelf(Path(call.service.site.spaces["user"], call.user, "workflows"))


async def _values(call: Call, *, whole: bool) -> dict[str, str]:
    body = await call.json()
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object with name, xml and metadata.")
    given = {field: body[field] for field in _FIELDS if body.get(field) is not None}
    if not all(isinstance(value, str) for value in given.values()):
        raise ValueError("The name, xml and metadata of a workflow must be texts.")
    return {**dict.fromkeys(_FIELDS, ""), **given} if whole else given


async def workflows(call: Call) -> Response:
    """All workflows."""
    return json_answer(await call.service.in_thread(_shelf(call).all))


async def create(call: Call) -> Response:
    """A new one; its id comes back."""
    return json_answer(await call.service.in_thread(_shelf(call).add, await _values(call, whole=True)))


async def workflow(call: Call) -> Response:
    """One workflow."""
    return json_answer(await call.service.in_thread(_shelf(call).read, call.params["id"]))


async def xml(call: Call) -> Response:
    """Its XML."""
    found = await call.service.in_thread(_shelf(call).read, call.params["id"])
    return Response(found["xml"].encode("utf-8"), media_type="application/xml")


async def update(call: Call) -> Response:
    """Change what the body names."""
    values = await _values(call, whole=False)
    return json_answer(await call.service.in_thread(_shelf(call).change, call.params["id"], values))


async def delete(call: Call) -> Response:
    """Delete one."""
    await call.service.in_thread(_shelf(call).delete, call.params["id"])
    return no_content()


async def delete_named(call: Call) -> Response:
    """Delete those of a name, which must be given."""
    name = call.text("workflowName")
    if not name:
        raise ValueError("The query parameter 'workflowName' must name what is to be deleted.")
    await call.service.in_thread(_shelf(call).delete_named, name)
    return no_content()


async def none(call: Call) -> Response:
    """Scripts and Java classes that were uploaded: none."""
    return json_answer([])


_ALL = "/studio/workflows"
_ONE = _ALL + "/{id}"

ROUTES = (
    Route("GET", _ALL, workflows, "Workflows kept in the studio."),
    Route("POST", _ALL, create, "Keep a workflow in the studio.", takes=JSON),
    Route("DELETE", _ALL, delete_named, "Delete the studio's workflows of a name.", gives=ANYTHING),
    Route("GET", _ONE, workflow, "A workflow of the studio."),
    Route("GET", _ONE + "/xml", xml, "Its XML.", gives=("application/xml",)),
    Route("PUT", _ONE, update, "Change a workflow of the studio.", takes=JSON),
    Route("DELETE", _ONE, delete, "Delete a workflow of the studio.", gives=ANYTHING),
    Route("GET", "/studio/scripts", none, "Scripts of the studio: none."),
    Route("GET", "/studio/classes", none, "Java classes of the studio: none."),
)
