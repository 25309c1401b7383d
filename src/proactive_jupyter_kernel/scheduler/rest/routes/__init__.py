"""All routes: each room has a table of its own, and `ROUTES` is all of them."""

from proactive_jupyter_kernel.scheduler.rest.routes import (
    attachments,
    jobs,
    login,
    rm,
    server,
    spaces,
    submissions,
    task_services,
    tasks,
)

__all__ = ["ROUTES"]

ROUTES = (
    *login.ROUTES,
    *server.ROUTES,
    *submissions.ROUTES,
    *jobs.ROUTES,
    *attachments.ROUTES,
    *tasks.ROUTES,
    *spaces.ROUTES,
    *rm.ROUTES,
    *task_services.ROUTES,
)
