"""A submitted job as one object: follow it, read its output and results, fetch its files, act on it.

The notebook, the pragmas, the command line and Python programs all use `SubmittedJob`; nothing else polls a scheduler.
"""

from proactive_jupyter_kernel.client.jobs.job_poller import Snapshot
from proactive_jupyter_kernel.client.jobs.output import OutputReader, TaskLine
from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob

__all__ = ["OutputReader", "Snapshot", "SubmittedJob", "TaskLine"]
