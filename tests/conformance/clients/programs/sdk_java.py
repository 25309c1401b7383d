"""The methods of the Java client, as `getProactiveClient` gives it.

Left out is what it does not implement, whatever the server: `getState`, `getSubject`, `getTaskResultFromIncarnation`,
`getTaskResultAllIncarnations`, `getJobsToSchedule`, `getTasksToSchedule`, `getCurrentPolicy`, `changePolicy` and
`listenJobLogs`.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from py4j.java_collections import ListConverter, MapConverter, SetConverter
from sdk_models import job_of, python_task, served, whole
from sdk_results import PATIENCE, names, status_of, until
from table import Table, of_errors, raised


def java_list(s: SimpleNamespace, *items: Any) -> Any:
    return ListConverter().convert(list(items), s.java._gateway_client)


def java_map(s: SimpleNamespace, **items: Any) -> Any:
    return MapConverter().convert(items, s.java._gateway_client)


def java_set(s: SimpleNamespace, *items: Any) -> Any:
    return SetConverter().convert(set(items), s.java._gateway_client)


def of_job(s: SimpleNamespace, job: Any) -> Any:
    return s.jvm.org.ow2.proactive.scheduler.job.JobIdImpl(int(job), "a job")


def reading(table: Table, s: SimpleNamespace) -> None:
    """What only asks."""
    c, common = s.client, s.jvm.org.ow2.proactive.scheduler.common
    chain = str(s.jobs["chain"])
    broken = str(s.jobs["broken"])
    job = of_job(s, chain)
    table("getStatus", lambda: c.getStatus().name(), "STARTED")
    table("getCurrentUser", c.getCurrentUser, s.login)
    table("getCurrentUserData", lambda: c.getCurrentUserData().getUserName(), c.getCurrentUser())
    if s.modern:
        table("getPrioritiesPermission", lambda: c.getCurrentUserData().getPrioritiesPermission(), priorities)
    table("getUsers", lambda: [user.getUsername() for user in c.getUsers()], lambda v: c.getCurrentUser() in v)
    table("getUsersWithJobs", lambda: [user.getUsername() for user in c.getUsersWithJobs()], [c.getCurrentUser()])
    table("getUserSpaceURIs", lambda: list(c.getUserSpaceURIs()), lambda v: v[0].startswith("file:"))
    table("getGlobalSpaceURIs", lambda: list(c.getGlobalSpaceURIs()), lambda v: v[0].startswith("file:"))
    table("getSchedulerProperties", c.getSchedulerProperties, lambda v: isinstance(v, dict))
    table("getPortalConfiguration", c.getPortalConfiguration, lambda v: isinstance(v, dict))
    table("getJobResult", lambda: list(c.getJobResult(chain).getAllResults().keySet()), of_chain)
    table("getJobState", lambda: c.getJobState(job).getName(), "chain")
    table("getJobState().getOwner", lambda: c.getJobState(chain).getOwner(), c.getCurrentUser())
    table("getTaskState", lambda: c.getTaskState(job, "first").getStatus().toString(), "Finished")
    table("getTaskResult by JobId", lambda: str(c.getTaskResult(job, "first").value()), "42")
    table("getTaskResult of an unknown task", lambda: c.getTaskResult(chain, "nope"), raised("nope"))
    table("getTaskResult of a failed task", lambda: c.getTaskResult(broken, "broken").hadException(), True)
    table(
        "getException of a failed task",
        lambda: c.getTaskResult(broken, "broken").getException().getMessage(),
        lambda v: "on purpose" in v,
    )
    tagged = lambda: [each.getTaskId().getReadableName() for each in c.getTaskResultsByTag(replicate, "")]  # noqa: E731
    replicate = str(s.jobs["replicate"])
    table("getTaskResultsByTag", tagged, lambda v: isinstance(v, list))
    table("getJobServerLogs", lambda: c.getJobServerLogs(chain), lambda v: isinstance(v, str))
    table("getTaskServerLogs", lambda: c.getTaskServerLogs(chain, "second"), lambda v: isinstance(v, str))
    table("getTaskServerLogsByTag", lambda: c.getTaskServerLogsByTag(chain, "x"), lambda v: isinstance(v, str))
    table("getJobContent", lambda: c.getJobContent(job), lambda v: v.startswith("<?xml") and 'name="chain"' in v)
    table("getJobsInfoList", lambda: names(c.getJobsInfoList(java_list(s, chain, broken))), ["broken", "chain"])
    table("getTaskPaginated", lambda: readable(c.getTaskPaginated(chain, 0, 10).getTaskStates()), of_chain)
    table("getTaskPaginated a page", lambda: c.getTaskPaginated(chain, 1, 2).getTaskStates().size(), 2)
    tagged_page = lambda: c.getTaskPaginated(chain, "LOOP-nothing", 0, 9).getTaskStates().size()  # noqa: E731
    table("getTaskPaginated by tag", tagged_page, 0)
    statuses = java_set(s, common.task.TaskStatus.FINISHED)
    empty = common.SortSpecifierContainer()
    table("getTaskIds", lambda: list(c.getTaskIds(None, 0, 0, False, statuses, 0, 100).getList()), bool)
    # By name: the text of a state has its job, which the client leaves out.
    states = lambda: readable(c.getTaskStates(None, 0, 0, False, statuses, 0, 100, empty).getList())  # noqa: E731
    table("getTaskStates", states, lambda v: {"first", "second", "shell", "third"} <= set(v))
    # Always empty, whatever the server: the states that the client makes lack the mark of precious results.
    table("getPreciousTaskResults", lambda: list(c.getPreciousTaskResults(chain)), [])
    table("getJobResultMaps", lambda: c.getJobResultMaps(java_list(s, chain)), {chain: {}})
    table("getPreciousTaskNames", lambda: c.getPreciousTaskNames(java_list(s, chain)), {chain: ["first"]})
    table("checkJobPermissionMethod", lambda: c.checkJobPermissionMethod(chain, "killJob"), True)
    ids = java_list(s, chain, broken)
    table("checkJobsPermissionMethod", lambda: list(c.checkJobsPermissionMethod(ids, "killJob")), [chain, broken])
    day = 24 * 3600 * 1000
    since = s.jvm.java.util.Date(int(time.time() * 1000) - day)
    now = s.jvm.java.util.Date()
    table("getMyAccountUsage", lambda: c.getMyAccountUsage(since, now), answered)
    table("getAccountUsage", lambda: c.getAccountUsage(c.getCurrentUser(), since, now), answered)
    table("getTaskResult by waitForTask", lambda: str(c.waitForTask(chain, "first", PATIENCE).value()), "42")
    table("waitForAllJobs", lambda: len(c.waitForAllJobs(ids, PATIENCE)), 2)
    table("waitForAnyJob", lambda: c.waitForAnyJob(ids, PATIENCE).getKey(), lambda v: v in (chain, broken))
    tasks = java_list(s, "first", "second")
    table("waitForAllTasks", lambda: len(c.waitForAllTasks(chain, tasks, PATIENCE)), 2)
    table("waitForAnyTask", lambda: c.waitForAnyTask(chain, tasks, PATIENCE).getKey(), lambda v: v in list(tasks))
    if s.modern:
        modern_reading(table, s, ids, day)


def modern_reading(table: Table, s: SimpleNamespace, ids: Any, day: int) -> None:
    """What the client of 14 asks besides; analytics may be refused, but well-formed."""
    c, now = s.client, int(time.time() * 1000)
    span = (now - day, now + day)
    criteria = (
        s.jvm.org.ow2.proactive.scheduler.common.JobFilterCriteriaBuilder().finished(True).childJobs(True).build()
    )
    table("getJobs", lambda: names(c.getJobs(0, 1000, criteria, None).getList()), lambda v: "chain" in v)
    table("getJobs a page", lambda: c.getJobs(0, 2, criteria, None).getList().size(), 2)
    many = lambda: c.checkJobsPermissionMethods(ids, java_list(s, "killJob"))  # noqa: E731
    table("checkJobsPermissionMethods", many, {str(job): {"killJob": True} for job in ids})
    table("checkPermission", lambda: c.checkPermission("killJob"), True)
    table("getLabels", lambda: c.getLabels(), [])
    table("getSubmissionModeValues", lambda: c.getSubmissionModeValues(), answered)
    table("getFilteredStatistics", lambda: c.getFilteredStatistics(None, None, True, *span), answered)
    table("getTopWorkflowsWithIssues", lambda: c.getTopWorkflowsWithIssues(5, None, None, True, *span), answered)
    table("getSubmissionModeCount", lambda: c.getSubmissionModeCount(None, None, True, *span), answered)
    table("getCompletedJobs", lambda: c.getCompletedJobs(True, None, None, *span, 1), answered)
    table("getCompletedTasks", lambda: c.getCompletedTasks(True, None, *span, 1), answered)


def changing(table: Table, s: SimpleNamespace) -> None:
    """What changes something."""
    c = s.client
    transfers(table, s)
    credentials(table, s)
    submissions(table, s)
    in_error(table, s)

    sleeper = str(s.gateway.submitJob(job_of(s, "waiting", python_task(s, "sleeper", "import time; time.sleep(60)"))))
    other = str(s.gateway.submitJob(job_of(s, "waiting too", python_task(s, "sleeper", "import time; time.sleep(60)"))))
    high = s.jvm.org.ow2.proactive.scheduler.common.job.JobPriority.HIGH
    table("changeJobPriority", lambda: c.changeJobPriority(sleeper, high), None)
    table("priority afterwards", lambda: c.getJobInfo(sleeper).getPriority().name(), "HIGH")
    table("changeStartAt", lambda: c.changeStartAt(of_job(s, sleeper), "2040-01-01T00:00:00+00:00"), bool_value)
    table("enableRemoteVisualization", lambda: c.enableRemoteVisualization(sleeper, "sleeper", "vnc:h:1"), answered)
    table("registerService", lambda: c.registerService(sleeper, 7, True), answered)
    table("detachService", lambda: c.detachService(sleeper, 7), answered)
    table("killJobs", lambda: c.killJobs(java_list(s, sleeper, other)), True)
    table("killed", lambda: [c.getJobInfo(each).getStatus().name() for each in (sleeper, other)], ["KILLED"] * 2)
    table("removeJob", lambda: c.removeJob(sleeper), True)
    table("removed", lambda: c.getJobInfo(sleeper), raised("UnknownJob", sleeper))
    table("removeJobs", lambda: c.removeJobs(java_list(s, of_job(s, other))), True)
    chain = str(s.jobs["chain"])
    table("removeJobs removes what it names alone", lambda: c.getJobInfo(chain).getStatus().name(), "FINISHED")

    for verb, status in (("pause", "PAUSED"), ("resume", "STARTED"), ("freeze", "FROZEN"), ("resume", "STARTED")):
        table(verb, getattr(c, verb), True)
        table(f"getStatus after {verb}", lambda: c.getStatus().name(), status)
    table("stop", c.stop, True)
    refused = lambda: s.gateway.submitJob(s.branch)  # noqa: E731
    table("submitJob when stopped", refused, raised("Job submission failed"))
    table("start", c.start, True)
    table("linkResourceManager", lambda: c.linkResourceManager("pnp://elsewhere"), answered)
    table("renewSession", c.renewSession, None)


def transfers(table: Table, s: SimpleNamespace) -> None:
    c = s.client
    source = s.folder / "to push.txt"
    source.write_text("pushed: żółw", encoding="utf-8")
    fetched = s.folder / "pulled.txt"
    table("pushFile", lambda: c.pushFile("USERSPACE", "/sdk", "pushed.txt", str(source)), True)
    table("pullFile", lambda: c.pullFile("USERSPACE", "/sdk/pushed.txt", str(fetched)), None)
    table("what was pulled", lambda: fetched.read_text(encoding="utf-8"), "pushed: żółw")
    table("deleteFile", lambda: c.deleteFile("USERSPACE", "/sdk/pushed.txt"), True)
    table(
        "pullFile of what is not there",
        lambda: c.pullFile("USERSPACE", "/sdk/pushed.txt", str(fetched)),
        raised("Status code: 400"),
    )


def credentials(table: Table, s: SimpleNamespace) -> None:
    c = s.client
    table("putThirdPartyCredential", lambda: c.putThirdPartyCredential("a/key b", "secret"), None)
    table("thirdPartyCredentialsKeySet", lambda: c.thirdPartyCredentialsKeySet(), ["a/key b"])
    table("removeThirdPartyCredential", lambda: c.removeThirdPartyCredential("a/key b"), None)
    table("thirdPartyCredentialsKeySet afterwards", lambda: c.thirdPartyCredentialsKeySet(), [])


def submissions(table: Table, s: SimpleNamespace) -> None:
    c, java = s.client, s.jvm.java
    file = java.io.File(str(s.folder / "workflow.xml"))
    given, generic, headers = java_map(s, who="java"), java_map(s, note="kept"), java_map(s)
    job = table("submit(File, variables, generic information)", lambda: c.submit(file, given, generic), bool)
    table("its result", lambda: greeting(s, job), "hello java")
    table("its generic information", lambda: dict(c.getJobInfo(job.value()).getGenericInformation()), kept)
    with served(s.folder) as address:
        url = java.net.URL(f"{address}/workflow.xml")
        job = table("submit(URL, headers)", lambda: c.submit(url, given, generic, headers), bool)
        table("its result", lambda: greeting(s, job), "hello java")
    again = java_map(s, who="again")
    job = table("reSubmit", lambda: c.reSubmit(of_job(s, s.jobs["file"]), again, java_map(s), s.url), bool)
    table("its result", lambda: greeting(s, job), "hello again")
    models = [s.gateway.buildJob(s.branch), s.gateway.buildJob(s.loop)]
    several = table("submit(list of jobs)", lambda: c.submit(java_list(s, *models)), lambda v: len(v) == 2)
    table("their ids", lambda: [each.getId() for each in several], lambda v: all(map(whole, v)))


def in_error(table: Table, s: SimpleNamespace) -> None:
    """Tasks that wait for a decision."""
    c = s.client
    workflow = s.folder / "in_error.xml"
    script = "<scriptExecutable><script><code language='bash'>exit 3</code></script></scriptExecutable>"
    task = "<task name='{}' onTaskError='suspendTask' maxNumberOfExecution='1'>" + script + "</task>"
    workflow.write_text(
        "<?xml version='1.0'?><job xmlns='urn:proactive:jobdescriptor:3.13' name='in_error'><taskFlow>"
        + task.format("one")
        + task.format("two")
        + "</taskFlow></job>",
        encoding="utf-8",
    )
    job = str(s.gateway.submitWorkflowFromFile(str(workflow)))
    stuck = lambda: until(lambda: status_of(s, job, "one") == status_of(s, job, "two") == "In-Error")  # noqa: E731
    table("tasks wait for a decision", stuck, True)
    table("restartInErrorTask", lambda: c.restartInErrorTask(job, "one"), True)
    table("they wait again", stuck, True)
    table("restartAllInErrorTasks", lambda: c.restartAllInErrorTasks(job), True)
    table("they wait once more", stuck, True)
    table("finishInErrorTask", lambda: [c.finishInErrorTask(job, each) for each in ("one", "two")], [True, True])
    table("the job ends", lambda: until(lambda: c.isJobFinished(job)), True)


def greeting(s: SimpleNamespace, job: Any) -> Any:
    return s.client.waitForTask(job.value(), "greet", PATIENCE).value()


def kept(value: dict[str, str]) -> bool:
    return value.get("note") == "kept"


def readable(states: Any) -> list[str]:
    return sorted(state.getName() for state in states)


def of_chain(value: list[str]) -> bool:
    return sorted(value) == ["first", "second", "shell", "third"]


def priorities(value: Any) -> bool:
    return "NORMAL" in {each.upper() for each in value}


@of_errors
def answered(value: Any) -> bool:
    """An answer, or a refusal that says so: what the client cannot read is neither."""
    wrong = ("UndeclaredThrowable", "HTTP 404", "NullPointer", "Json", "MessageBody", "ProcessingException")
    return not any(word in str(value) for word in wrong)


def bool_value(value: Any) -> bool:
    return isinstance(value, bool)
