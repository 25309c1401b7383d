"""What changed between versions of the server: the rows of rest-api.md, section 6, that a client can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.client.server_version import ServerVersion, parsed

__all__ = ["Release"]

#: Fields of a job -> the first version with them.
JOB_FIELDS: Mapping[tuple[int, ...], tuple[str, ...]] = {
    (11,): ("projectName",),
    (12,): (
        "signals",
        "visualizationConnectionStrings",
        "visualizationIcons",
        "attachedServices",
        "resultMapPresent",
        "preciousTasks",
    ),
    (13,): (
        "tenant",
        "detailedVariables",
        "detailedSignals",
        "externalEndpointUrls",
        "parentId",
        "childrenCount",
    ),
    (13, 1): (
        "domain",
        "bucketName",
        "label",
        "cumulatedCoreTime",
        "numberOfNodes",
        "numberOfNodesInParallel",
        "submissionMode",
    ),
    (14,): ("description", "startAt"),
}
#: The same for the information of a task.
TASK_FIELDS: Mapping[tuple[int, ...], tuple[str, ...]] = {
    (12,): ("visualizationActivated", "visualizationConnectionString"),
    (13, 1): ("variables",),
}
#: Filters of the listing of jobs.
FILTERS: Mapping[tuple[int, ...], tuple[str, ...]] = {(12,): ("childJobs", "sortParams"), (13,): ("jobName",)}
#: Start of a path -> the first version with it.
PATHS: Mapping[str, tuple[int, ...]] = {"/common/": (11,), "/rm/model/": (11,)}


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the server."""

    version: ServerVersion

    @classmethod
    def of(cls, text: str) -> Release:
        return cls(parsed(text))

    def _since(self, *numbers: int) -> bool:
        return self.version.is_at_least(*numbers)

    @property
    def reads_variables_part(self) -> bool:
        return self._since(12)

    @property
    def hides_exceptions(self) -> bool:
        """Whether errors lack the stack trace and the exception."""
        return self._since(14, 1)

    @property
    def names_task_in_log(self) -> bool:
        return self._since(14)

    @property
    def has_xml(self) -> bool:
        return self._since(8, 5)

    @property
    def no_tokens(self) -> str:
        """The model of an empty list of tokens."""
        return "PA:LIST()" if self._since(14) else "PA:REGEXP(^$)"

    def knows_schema(self, version: str) -> bool:
        known = int(self.version.schema.removeprefix("3."))
        return version == "dev" or (version.startswith("3.") and int(version.removeprefix("3.")) <= known)

    def has_path(self, path: str) -> bool:
        return all(self._since(*since) for start, since in PATHS.items() if path.startswith(start))

    def job_info(self, data: dict[str, Any]) -> dict[str, Any]:
        return self._known(data, JOB_FIELDS)

    def task_info(self, data: dict[str, Any]) -> dict[str, Any]:
        return self._known(data, TASK_FIELDS)

    def query(self, query: Mapping[str, str]) -> dict[str, str]:
        """The filters that this version understands."""
        return self._known(dict(query), FILTERS)

    def _known(self, data: dict[str, Any], table: Mapping[tuple[int, ...], tuple[str, ...]]) -> dict[str, Any]:
        gone = {name for since, names in table.items() if not self._since(*since) for name in names}
        return {name: value for name, value in data.items() if name not in gone}
