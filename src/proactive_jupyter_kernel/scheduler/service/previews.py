"""What a person sees of a workflow before it is submitted: what a file holds, what the checks say, how it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.service import notebooks
from proactive_jupyter_kernel.scheduler.service.check_question import Question
from proactive_jupyter_kernel.scheduler.service.checking import Checker
from proactive_jupyter_kernel.scheduler.service.drafts import Drafts
from proactive_jupyter_kernel.scheduler.service.workflow_files import (
    Amendment,
    Drawing,
    Examination,
    ReadWorkflow,
    Upload,
    amended,
    drawn,
    examine,
    read_upload,
)
from proactive_jupyter_kernel.scheduler.settings import Settings

__all__ = ["Previews"]

#: Seconds for the picture of a workflow: somebody waits for the page.
_DRAWING_SECONDS = 5.0
#: Characters of a picture that a page contains.
_LARGEST_DRAWING = 2_000_000


class Previews:
    """All of it happens in the processes that check workflows, with their limits. Nothing is submitted or stored."""

    def __init__(self, *, checker: Checker, settings: Settings, question: Callable[..., Question]) -> None:
        """`question` makes what the checks must know: text, variables, generic information, owner."""
        self._checker = checker
        self._settings = settings
        self._question = question
        #: What was read and is not submitted yet.
        self.drafts = Drafts()

    async def read(self, name: str, content: bytes) -> ReadWorkflow:
        """The workflow in a file, by the extension of its name; raises `WorkflowError` or `SubmissionRefused`."""
        if not notebooks.is_notebook(name):
            return await self._checker.call(read_upload, Upload(name=name, content=content))
        xml, notices = await notebooks.to_xml(name, content, self._settings)
        upload = Upload(name=PurePath(name).stem + ".xml", content=xml)
        found = await self._checker.call(read_upload, upload)
        return replace(found, notices=(*notices, *found.notices))

    async def examine(
        self, xml: bytes, *, owner: str, variables: Mapping[str, str], generic_information: Mapping[str, str]
    ) -> Examination:
        """As `Service.validate`, with each problem by itself, and with warnings."""
        try:
            return await self._checker.call(examine, self._question(xml, variables, generic_information, owner))
        except SubmissionRefused as error:
            return Examination(unreadable=f"{error.message} {error.hint}".strip())

    async def amended(self, amendment: Amendment) -> bytes:
        """The XML with other values and settings; raises `WorkflowError`."""
        return await self._checker.call(amended, amendment)

    async def draw(self, xml: bytes) -> Drawing | None:
        """The picture of a workflow; None where it takes too long or too much memory."""
        try:
            found = await self._checker.call(drawn, xml, seconds=_DRAWING_SECONDS)
        except SubmissionRefused:
            return None
        return found if len(found.light) <= _LARGEST_DRAWING else None

    async def notebook(self, xml: bytes, name: str) -> dict[str, bytes]:
        """A notebook that builds the workflow, and the XML if it imports that: name of a file -> content."""
        return await notebooks.of_xml(xml, name, self._settings)
