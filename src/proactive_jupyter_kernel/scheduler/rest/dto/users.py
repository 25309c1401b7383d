"""Users as answers and the push channel show them; there is one, who owns the scheduler."""

from __future__ import annotations

from typing import Protocol

from proactive_jupyter_kernel.scheduler.rest.dto.records import Json
from proactive_jupyter_kernel.workflow.model import Priority

__all__ = ["Login", "user_data", "user_record", "user_with_jobs"]


class Login(Protocol):
    """A session, as far as others see it; `Session` is one."""

    user: str
    #: Milliseconds since the epoch; -1: nothing was submitted.
    connected_at: int
    last_submit_at: int
    #: How many jobs were submitted in it.
    submissions: int


def user_record(login: Login) -> Json:
    """SchedulerUserData: who logged in, when, and what they submitted since."""
    return {
        "hostName": "localhost",
        "groups": [],
        "tenant": None,
        "domain": None,
        "username": login.user,
        "connectionTime": login.connected_at,
        "lastSubmitTime": login.last_submit_at,
        "submitNumber": login.submissions,
        "myEventsOnly": False,
    }


def user_with_jobs(user: str, *, submitted_at: int, jobs: int) -> Json:
    """SchedulerUserData of one who has jobs, connected or not: the time of the last one, and their number."""
    return {
        **dict.fromkeys(("hostName", "groups", "tenant", "domain")),
        "username": user,
        "connectionTime": 0,
        "lastSubmitTime": submitted_at,
        "submitNumber": jobs,
        "myEventsOnly": False,
    }


_PERMISSIONS = (
    "allTenantPermission",
    "allJobPlannerPermission",
    "allCatalogPermission",
    "canCreateAssociationPermission",
    "roleReadPermission",
    "roleAdminPermission",
    "pcaAdminPermission",
    "notificationAdminPermission",
    "rmCoreAllPermission",
    "schedulerAdminPermission",
    "otherUsersJobReadPermission",
    "manageUsersPermission",
)


def user_data(user: str) -> Json:
    """UserData: one user, who owns the scheduler."""
    return {
        "userName": user,
        "groups": [],
        "tenant": None,
        "domain": None,
        "filterByTenant": False,
        **dict.fromkeys(_PERMISSIONS, True),
        "notificationAdminPermission": False,
        "handleOnlyMyJobsPermission": False,
        "changePasswordPermission": False,
        "prioritiesPermission": [priority.name.capitalize() for priority in Priority],
        "portalAccessPermission": [],
        "portalAccessPermissionDisplay": [],
        "adminRoles": [],
    }
