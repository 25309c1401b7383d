"""From an announcement to the text of its frames: ``action``, ``schedulerEvent`` and ``data``.

A frame is rendered when it is to be sent, with the records of the moment of the event. A frame about a whole job costs
as much as the job has tasks; it is rendered in slices, between which the loop does other things.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.scheduler.engine.commands import Announce
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.rest.dto import notifications, views
from proactive_jupyter_kernel.scheduler.rest.dto.users import user_record
from proactive_jupyter_kernel.scheduler.rest.frame_queue import Frame
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Sessions
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.started import StartedTask
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.workflow.model import Task, Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["FULL", "PendingFrame", "Renderer", "frame_text", "pending_frames"]

#: The action of frames with a whole job.
FULL = "JOB_FULL_DATA_UPDATED"
#: Action of a frame by the beginning of the event's name; the first that fits. Others are about the scheduler.
_ACTIONS = (
    ("JOB_SUBMITTED", "JOB_SUBMITTED"),
    ("JOB_UPDATED", FULL),
    ("JOB_", "JOB_STATE_UPDATED"),
    ("TASK_REPLICATED", FULL),
    ("TASK_", "TASK_STATE_UPDATED"),
)
#: Copies change which tasks a job has: announced as an update of the whole job.
_RENAMED = {"TASK_REPLICATED": "JOB_UPDATED"}
#: Events of a job without a frame ``JOB_UPDATED`` after them, which has the job with all tasks.
_ALONE = frozenset({"JOB_SUBMITTED", "JOB_UPDATED", "JOB_REMOVE_FINISHED", "TASK_REPLICATED"})
#: Events that a job has once; what others say of the whole job may wait, see `Events`.
_ONCE = frozenset(
    {
        "JOB_SUBMITTED",
        "JOB_PENDING_TO_RUNNING",
        "JOB_PENDING_TO_FINISHED",
        "JOB_RUNNING_TO_FINISHED",
        "JOB_RUNNING_TO_FINISHED_WITH_ERRORS",
    }
)
#: A frame about a whole job that would have more bytes has the job without its tasks.
_LARGEST = 16 * 1024 * 1024
#: Seconds that the loop renders without a break.
_SLICE = 0.005
#: How many workflows are kept at hand.
_WORKFLOWS = 16


@dataclass(slots=True, kw_only=True, eq=False)
class PendingFrame:
    """A frame that is not rendered yet."""

    #: Rises with every event.
    number: int
    event: str
    action: str
    job_id: int | None
    #: As at the moment of the event.
    job: JobRecord | None
    task: TaskRecord | None
    #: All tasks, by id; of frames about a whole job.
    tasks: list[TaskRecord]
    #: Whether the job may have more of its kind.
    repeated: bool
    #: What the task saw when it started, which is forgotten when the job ends.
    seen: StartedTask | None = None
    #: What the store had of the job. Where a job has the event once, it is read at once: it may be removed next.
    row: JobRow | None = None
    removed: bool = False
    #: The job's workflow, if it was at hand.
    workflow: Workflow | None = None

    @property
    def owner(self) -> str | None:
        """Whose job it is about."""
        return self.job.owner if self.job else None


def pending_frames(announcement: Announce, number: int, ask: Questions) -> Iterator[PendingFrame]:
    """The frames about one announcement, in order."""
    event, row = announcement.event, announcement.row
    action = next((action for prefix, action in _ACTIONS if event.startswith(prefix)), "SCHEDULER_STATE_UPDATED")
    kinds = [(_RENAMED.get(event, event), action)]
    if action == "JOB_STATE_UPDATED" and event not in _ALONE:
        kinds.append(("JOB_UPDATED", FULL))
    if event == "JOB_SUBMITTED":
        kinds.append(("USERS_UPDATE", "USERS_UPDATED"))
    for name, kind in kinds:
        yield PendingFrame(
            number=number,
            event=name,
            action=kind,
            job_id=announcement.job_id,
            job=announcement.job,
            task=announcement.task,
            tasks=list(announcement.tasks) if kind in (FULL, "JOB_SUBMITTED") else [],
            repeated=event not in _ONCE,
            seen=ask.started.known(announcement.task) if announcement.task else None,
            row=row if isinstance(row, JobRow) else None,
            removed=isinstance(row, JobRow),
        )


def frame_text(action: str, event: str | None, data: Any) -> str:
    """A frame, of data that is at hand."""
    return json.dumps({"action": action, "schedulerEvent": event, "data": data}, separators=(",", ":"))


@dataclass(slots=True)
class _Known:
    """A workflow, and what is looked up in it for every frame."""

    workflow: Workflow
    definitions: dict[str, Task]
    #: As others may see it: made with the first frame about the whole job.
    shown: Workflow | None = None
    shown_definitions: dict[str, Task] = field(default_factory=dict)
    #: What the last frame about the whole job said of each task: its record, whether the job had ended, and the text.
    rendered: dict[int, tuple[TaskRecord, bool, str]] = field(default_factory=dict)


class Renderer:
    """Renders frames, one after the other."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self._ask = service.ask
        self._sessions = sessions
        self._workflows: OrderedDict[int, _Known] = OrderedDict()
        #: The job of the last frame about a whole job: only its texts are kept.
        self._last_whole: _Known | None = None

    async def render(self, pending: PendingFrame) -> Frame | None:
        """The frame; None where the job is gone, and nothing is left to report."""
        try:
            if pending.action in (FULL, "JOB_SUBMITTED"):
                return await self._whole(pending)
            return Frame(text=frame_text(pending.action, pending.event, await self._data(pending)))
        except ProActiveError:
            return None

    async def _data(self, pending: PendingFrame) -> Any:
        if pending.action == "USERS_UPDATED":
            latest = max(self._sessions.all(), key=lambda each: each.last_submit_at, default=None)
            return user_record(latest) if latest else None
        if pending.job is None:
            return None
        if pending.task is not None:
            known = await self._known(pending)
            definition = known.definitions[pending.task.base_name]
            return views.event_task_info(self._ask, pending.job, pending.task, known.workflow, definition, pending.seen)
        removed_at = self._service.clock() if pending.removed else -1
        return notifications.job_info(self._row(pending), removed_at=removed_at)

    def _row(self, pending: PendingFrame) -> JobRow:
        assert pending.job is not None
        row = replace(pending.row or self._ask.job(pending.job.job_id), record=pending.job)
        # It may have started since it was read.
        return replace(row, nodes=0, nodes_in_parallel=0) if pending.event == "JOB_SUBMITTED" else row

    async def _whole(self, pending: PendingFrame) -> Frame:
        known = await self._known(pending)
        row = self._row(pending)
        # What the frame says of the job and of its tasks is of one moment.
        job, tasks = row.record, list(pending.tasks)
        if known.shown is None:
            known.shown = self._ask.hidden.shown_workflow(known.workflow)
            known.shown_definitions = {task.name: task for task in known.shown.tasks}
        head = frame_text(pending.action, pending.event, notifications.job_data(row, known.shown))
        pieces: list[str] = []
        size = len(head)
        clock = asyncio.get_running_loop().time
        until = clock() + _SLICE
        ended = job.status in JOB_ENDED
        before, known.rendered = known.rendered, {}
        if self._last_whole is not None:
            self._last_whole.rendered = {}
        self._last_whole = known
        for task in tasks:
            record, was_ended, piece = before.get(task.task_id, (None, False, ""))
            if record is not task or was_ended is not ended:
                definition = known.shown_definitions[task.base_name]
                data = notifications.task_data(job, task, definition, tasks, known.shown.on_error)
                piece = f'"{job.job_id}t{task.task_id}":{json.dumps(data, separators=(",", ":"))}'
            known.rendered[task.task_id] = (task, ended, piece)
            pieces.append(piece)
            size += len(piece) + 1
            if size > _LARGEST:
                pieces = []
                break
            if clock() > until:
                await asyncio.sleep(0)
                until = clock() + _SLICE
        # The head ends with the brackets of the data and of the frame.
        text = f'{head[:-2]},"tasks":{{{",".join(pieces)}}}}}}}'
        return Frame(text=text, whole_job=job.job_id if pending.action == FULL else None)

    async def _known(self, pending: PendingFrame) -> _Known:
        """The job's workflow, which never changes."""
        assert pending.job is not None
        job_id = pending.job.job_id
        known = self._workflows.get(job_id)
        if known is None:
            workflow = pending.workflow or (await self._service.reader.query(lambda ask: ask.workflow(job_id)))[1]
            known = self._workflows[job_id] = _Known(workflow, {task.name: task for task in workflow.tasks})
        self._workflows.move_to_end(job_id)
        while len(self._workflows) > _WORKFLOWS:
            self._workflows.popitem(last=False)
        return known
