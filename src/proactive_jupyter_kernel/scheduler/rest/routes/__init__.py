"""All routes: each module has a table, and `ROUTES` joins them."""

from proactive_jupyter_kernel.scheduler.rest.routes import (
    attachments,
    catalog,
    credentials,
    flat_jobs,
    job_actions,
    job_results,
    jobs,
    login,
    metrics,
    openapi,
    portal_links,
    refusals,
    rights,
    rm,
    rm_changes,
    rm_load,
    server,
    spaces,
    statistics,
    studio,
    submissions,
    task_results,
    task_services,
    tasks,
    validation,
)

__all__ = ["OUTSIDE", "ROUTES"]

ROUTES = (
    *login.ROUTES,
    *openapi.ROUTES,
    *server.ROUTES,
    *rights.ROUTES,
    *statistics.ROUTES,
    *credentials.ROUTES,
    *studio.ROUTES,
    *submissions.ROUTES,
    *flat_jobs.ROUTES,
    *validation.ROUTES,
    *jobs.ROUTES,
    *job_results.ROUTES,
    *job_actions.ROUTES,
    *attachments.ROUTES,
    *tasks.ROUTES,
    *task_results.ROUTES,
    *spaces.ROUTES,
    *rm.ROUTES,
    *rm_load.ROUTES,
    *rm_changes.ROUTES,
    *task_services.ROUTES,
    *portal_links.ROUTES,
    *refusals.ROUTES,
)

#: Those beside ``/rest``, under the server's root.
OUTSIDE = (*catalog.OUTSIDE, *metrics.OUTSIDE, *refusals.OUTSIDE)
