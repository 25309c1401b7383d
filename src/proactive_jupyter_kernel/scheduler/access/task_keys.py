"""Keys with which the scripts of a running task address the scheduler: ``12t0.<signature>``.

A key names the job and the task that it was made for, and has no other use: a reader of it, such as a script's child
process or an environment dump, gets no session. The secret lives as long as the scheduler's process, and so do the
tasks that it starts.
"""

from __future__ import annotations

import hashlib
import hmac
import re

__all__ = ["checked", "key_of"]

_FORM = re.compile(r"([0-9]{1,18})t([0-9]{1,18})\.([0-9a-f]{32})")


def key_of(secret: bytes, job_id: int, task_id: int) -> str:
    """The key of a task."""
    name = f"{job_id}t{task_id}"
    return f"{name}.{_signature(secret, name)}"


def checked(secret: bytes, key: str) -> tuple[int, int] | None:
    """The job and the task that a key was made for; None for a key of another scheduler, or none at all."""
    match = _FORM.fullmatch(key)
    if match is None or not secret:
        return None
    job_id, task_id, signature = match.groups()
    if not hmac.compare_digest(signature, _signature(secret, f"{job_id}t{task_id}")):
        return None
    return int(job_id), int(task_id)


def _signature(secret: bytes, name: str) -> str:
    # A fifth of the time of an HMAC, and made for this.
    return hashlib.blake2b(name.encode("ascii"), key=secret, digest_size=16).hexdigest()
