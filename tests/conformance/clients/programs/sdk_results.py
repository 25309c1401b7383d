"""What the SDK says of the jobs that were submitted, the verbs on jobs and tasks, and its helper for REST."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sdk_models import job_of, python_task
from table import Table, raised

SLEEP = "import time\ntime.sleep(60)"
#: Milliseconds that a job has; the machine may have other things to do.
PATIENCE = 60_000


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def lines(*expected: str) -> Callable[[str], bool]:
    """These lines in any order: maps come in hash order."""
    return lambda value: sorted(value.splitlines()) == sorted(expected)


def states_and_results(table: Table, s: SimpleNamespace) -> None:
    g, jobs = s.gateway, s.jobs
    chain = jobs["chain"]
    table("getJobResult(chain)", lambda: g.getJobResult(chain, PATIENCE), lines("42", "43", "0", "here"))
    table("getTaskResult", lambda: str(g.getTaskResult(chain, "second", PATIENCE)), "43")
    table("printTaskOutput", lambda: g.printTaskOutput(chain, "second", PATIENCE), lambda v: v.endswith("it"))
    table("printTaskOutput(shell)", lambda: g.printTaskOutput(chain, "shell"), in_order("before", "a shell", "after"))
    table("printJobOutput", lambda: g.printJobOutput(chain, PATIENCE), lambda v: "first" in v and "a shell" in v)
    table("getJobState", lambda: state_name(g.getJobState(str(chain))), "chain")
    table("isJobFinished", lambda: g.isJobFinished(str(chain)), True)
    info = table("getJobInfo", lambda: g.getJobInfo(str(chain)), bool)
    table("getJobInfo().getJobId", lambda: info.getJobId().value(), str(chain))
    table("getJobInfo().getStatus", lambda: info.getStatus().name(), "FINISHED")
    table("getJobInfo().getNumberOfFinishedTasks", info.getNumberOfFinishedTasks, 4)
    table("getJobInfo().getGenericInformation", info.getGenericInformation, lambda v: v.get("note") == "kept")
    table("getJobInfo().getVariables", info.getVariables, lambda v: v.get("job_variable") == "of the job")

    table("getJobResult(loop)", lambda: g.getJobResult(jobs["loop"], PATIENCE), lines("True", "True", "0", "1"))
    table("getJobResult(replicate)", lambda: g.getJobResult(jobs["replicate"], PATIENCE), lines("1", "0", "1", "1"))
    table("getTaskResult of a copy", lambda: str(g.getTaskResult(jobs["replicate"], "process*1", PATIENCE)), "1")
    table(
        "getJobResult(branch)",
        lambda: g.getJobResult(jobs["branch"], PATIENCE),
        lambda v: {"condition", "yes", "afterwards"} <= set(v.splitlines()) and "no" not in v.splitlines(),
    )
    for name, who in {"file": "Żółw & co", "url": "a link", "catalog": "the catalog"}.items():
        table(f"getTaskResult({name})", lambda n=name: g.getTaskResult(jobs[n], "greet", PATIENCE), f"hello {who}")
    table("getTaskResult(lambda)", lambda: str(g.getTaskResult(jobs["lambda"], "anonymous", PATIENCE)), "-112")
    execution = lambda: g.getJobResult(jobs["execution"], PATIENCE)  # noqa: E731
    table("getJobResult(execution)", execution, lambda v: "arguments one two" in v)
    arguments = lambda: g.printJobOutput(jobs["execution"], PATIENCE)  # noqa: E731
    table("printJobOutput(execution)", arguments, lambda v: "arguments one two" in v)
    table("getTaskResult(of a file)", lambda: g.getTaskResult(jobs["implementation"], "read", PATIENCE), "of a file")
    table("getTaskResult(files)", lambda: g.getTaskResult(jobs["files"], "copy", PATIENCE), "some data")
    fetched = s.outputs / "out.txt"
    table(
        "output files arrive",
        lambda: until(lambda: fetched.is_file() and bool(fetched.read_text())) and fetched.read_text(),
        "SOME DATA",
    )
    table("getJobResult(broken)", lambda: g.getJobResult(jobs["broken"], PATIENCE), "None")
    table("getTaskResult(broken)", lambda: g.getTaskResult(jobs["broken"], "broken"), lambda v: "on purpose" in v)
    table("printTaskOutput(broken)", lambda: g.printTaskOutput(jobs["broken"], "broken"), lambda v: "about to" in v)
    client = s.client
    precious = client.waitForJob(str(jobs["file"]), PATIENCE).getPreciousResults()
    table("getPreciousResults", lambda: precious.get("greet").value(), "hello Żółw & co")
    table("getJobResult of an unknown job", lambda: g.getJobResult(987654, 2000), raised("987654"))
    table("getTaskResult of a job of another client", lambda: g.getTaskResult(s.foreign, "mine"), "ours")
    table(
        "getAllJobs",
        lambda: names(g.getAllJobs(finished=True)),
        lambda v: {"chain", "loop", "from_file", "ours"} <= set(v),
    )
    table("getAllJobs(finished=False)", lambda: names(g.getAllJobs()), lambda v: "chain" not in v)
    if s.modern:
        modern_results(table, s)


def modern_results(table: Table, s: SimpleNamespace) -> None:
    g, jobs = s.gateway, s.jobs
    chain = jobs["chain"]
    table("getJobStatus", lambda: g.getJobStatus(chain), "Finished")
    table("isTaskFinished", lambda: g.isTaskFinished(chain, "first"), True)
    table("waitForJob", lambda: g.waitForJob(chain, PATIENCE).getName(), "chain")
    table("waitJobIsFinished", lambda: g.waitJobIsFinished(chain), None)
    table("getTaskStatus", lambda: g.getTaskStatus(chain, "first"), "Finished")
    table("getTaskStatus of an unknown task", lambda: g.getTaskStatus(chain, "nope"), None)
    table("getJobOutput", lambda: g.getJobOutput(chain), in_order("first", "before", "a shell", "after"))
    table("getJobOutput with a timeout", lambda: g.getJobOutput(chain, PATIENCE), lambda v: "a shell" in v)
    table("getJobResultMap", lambda: g.getJobResultMap(chain), {})
    table("getJobPreciousResults", lambda: list(g.getJobPreciousResults(chain).keySet()), ["first"])
    table("getTaskPreciousResult", lambda: str(g.getTaskPreciousResult(chain, "first")), "42")
    table("getAllJobs by name", lambda: names(g.getAllJobs(finished=True, job_name="chain")), ["chain"])
    table("getAllJobs by project", lambda: names(g.getAllJobs(finished=True, project_name="sdk")), by_project)
    if "custom" in jobs:
        table("getTaskResult(custom)", lambda: g.getTaskResult(jobs["custom"], "greet", PATIENCE), "hello custom")
        table("project of it", lambda: g.getJobInfo(jobs["custom"]).getProjectName(), "a project")
    table("getTaskResult(runtime)", lambda: str(g.getTaskResult(jobs["runtime"], "contained", PATIENCE)), "1")
    job = jobs["signal"]
    ready = until(lambda: "ready_go" in set(g.getJobInfo(job).getSignals() or ()))
    table("a task waits for a signal", lambda: ready, True)
    table("sendSignal", lambda: g.sendSignal(job, "go", {"word": "said"}), True)
    table("getTaskResult(signal)", lambda: str(g.getTaskResult(job, "signalled", PATIENCE)), "1")
    table("sendSignal that no task waits for", lambda: g.sendSignal(job, "stop", {}), False)


def verbs(table: Table, s: SimpleNamespace) -> None:
    g, client, jobs = s.gateway, s.client, s.jobs
    verb = g if s.modern else client
    job = jobs["sleeping"] if s.modern else str(jobs["sleeping"])
    state = lambda name: status_of(s, job, name)  # noqa: E731
    table("the task runs", lambda: until(lambda: state("sleeper") == "Running"), True)
    table("isJobFinished of a running job", lambda: g.isJobFinished(str(job)), False)
    table("isTaskFinished of a running task", lambda: client.isTaskFinished(str(job), "sleeper"), False)
    table("waitForJob until a timeout", lambda: client.waitForJob(str(job), 100), raised("TimeoutException"))
    table("pauseJob", lambda: verb.pauseJob(job), True)
    table("status when paused", lambda: client.getJobInfo(str(job)).getStatus().name(), "PAUSED")
    table("resumeJob", lambda: verb.resumeJob(job), True)
    table("preemptTask", lambda: verb.preemptTask(job, "sleeper", 0), True)
    table("it runs again", lambda: until(lambda: state("sleeper") == "Running"), True)
    endpoint = (job if s.modern else str(job), "page", "http://127.0.0.1:1/x", "")
    table("addExternalEndpointUrl", lambda: verb.addExternalEndpointUrl(*endpoint), None)
    shown = lambda: sorted(g.getJobInfo(str(job)).getExternalEndpointUrls().keySet())  # noqa: E731
    table("getExternalEndpointUrls", shown, ["page"])
    table("removeExternalEndpointUrl", lambda: verb.removeExternalEndpointUrl(endpoint[0], "page"), None)
    table("getExternalEndpointUrls afterwards", shown, [])
    table("killTask", lambda: verb.killTask(job, "sleeper"), True)
    table("status when its task was killed", lambda: client.getJobInfo(str(job)).getStatus().name(), "FINISHED")

    again = g.submitJob(job_of(s, "killed", python_task(s, "sleeper", SLEEP), python_task(s, "once", SLEEP)))
    again = again if s.modern else str(again)
    running = lambda: status_of(s, again, "once") == "Running"  # noqa: E731
    table("restartTask", lambda: until(running) and verb.restartTask(again, "once", 0), True)
    # It may run once alone, so that the restart ends it.
    table("status of it", lambda: until(lambda: status_of(s, again, "once") == "Aborted"), True)
    table("killJob", lambda: verb.killJob(again), True)
    table("status when killed", lambda: client.getJobInfo(str(again)).getStatus().name(), "KILLED")
    table("killJob again", lambda: verb.killJob(again), False)
    table("pauseJob of an unknown job", lambda: verb.pauseJob("987654"), raised("UnknownJobException"))


def rest_helper(table: Table, s: SimpleNamespace) -> None:
    rest, chain = s.rest, s.jobs["chain"]
    table("get_rm_model_hosts", rest.get_rm_model_hosts, lambda v: len(v) >= 1)
    table("get_rm_model_nodesources", rest.get_rm_model_nodesources, lambda v: "Default" in v or "Local" in str(v))
    table("get_rm_model_tokens", rest.get_rm_model_tokens, lambda v: isinstance(v, list))
    if not s.modern:
        return
    g = s.gateway
    table("get_job_log_full", lambda: rest.get_job_log_full(chain), in_order("first", "a shell"))
    table("get_job_result", lambda: rest.get_job_result(chain)["allResults"]["first"]["value"], "42")
    table(
        "get_propagated_variable_from_job_result",
        lambda: rest.get_propagated_variable_from_job_result(chain, "first", "seen"),
        "it",
    )
    table("get_object_from_catalog", lambda: rest.get_object_from_catalog("examples", "greeting"), of_workflow)
    table("get_object_from_catalog that is not there", lambda: rest.get_object_from_catalog("examples", "nope"), None)
    # Cloud automation is a product of its own: the client says None, or the refusal.
    table("get_service_instances", rest.get_service_instances, None)
    table("get_active_service_instances", rest.get_active_service_instances, None)
    table("get_service_instance_by_id", lambda: rest.get_service_instance_by_id(1), None)
    table("get_service_deployment_endpoint_url", lambda: rest.get_service_deployment_endpoint_url(1), None)
    table("startService", lambda: g.startService("services", "x", {}), raised("Failed to start service: 501"))
    table("finishService", lambda: g.finishService(1, "services", "x"), raised("Failed to finish service: 501"))
    monitoring = g.getProactiveMonitoringClient()
    table("list_proactive_jmx_urls", monitoring.list_proactive_jmx_urls, lambda v: len(v) >= 1)
    table("get_cpu_metrics", monitoring.get_cpu_metrics, lambda v: 0 <= v <= 100)
    table("get_cpu_metrics(historical)", lambda: monitoring.get_cpu_metrics(historical=True), is_filled_list)
    table("get_memory_metrics", monitoring.get_memory_metrics, lambda v: 0 < v <= 100)
    table("get_memory_metrics(historical)", lambda: monitoring.get_memory_metrics(historical=True), is_filled_list)
    bucket = table("getBucket", lambda: g.getBucket("ai-machine-learning"), "ai-machine-learning")
    bucket.setUseDefaultForkEnv(False)
    table("create_Split_Data_task", lambda: bucket.create_Split_Data_task().getTaskName(), "Split_Data")
    quick = job_of(s, "anywhere", python_task(s, "quick", "result = 1"))
    table(
        "executeJobsAcrossNodeSources",
        lambda: [each["job_state"] for each in g.executeJobsAcrossNodeSources([quick])],
        ["Finished"],
    )


def by_project(value: list[str]) -> bool:
    return bool(value) and set(value) == {"from_file"}


def is_filled_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0


def of_workflow(value: str) -> bool:
    return value.startswith("<?xml") and "hello" in value


def in_order(*texts: str) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        places = [value.find(text) for text in texts]
        return -1 not in places and places == sorted(places)

    return check


def names(jobs: Any) -> list[str]:
    return sorted(job.getJobId().getReadableName() for job in jobs)


def state_name(state: Any) -> str:
    """13.0.3 gives the name itself."""
    return state if isinstance(state, str) else str(state.getName())


def status_of(s: SimpleNamespace, job: Any, task: str) -> str:
    for each in s.client.getJobState(str(job)).getTasks():
        if each.getName() == task:
            return str(each.getStatus().toString())
    return ""
