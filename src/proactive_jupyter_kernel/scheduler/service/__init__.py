"""The verbs of the embedded scheduler: submit, kill, pause, ask. It joins engine, store and executor."""

from proactive_jupyter_kernel.scheduler.service.service import Service

__all__ = ["Service"]
