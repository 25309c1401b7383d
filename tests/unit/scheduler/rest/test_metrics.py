"""``/metrics`` and ``/status``: the numbers that monitoring reads, without a login."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures, Rate
from proactive_jupyter_kernel.scheduler.rest.routes.metrics import METRICS, text
from proactive_jupyter_kernel.scheduler.service.overview import Overview
from proactive_jupyter_kernel.version import __version__

ROOT = "http://127.0.0.1:8080"
Rest = Callable[..., None]


def samples(content: str) -> dict[tuple[str, str], float]:
    """Every sample by its name and the value of its label, as Prometheus's own parser reads them."""
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(content)
        for sample in family.samples
    }


def test_prometheus_reads_what_happened(rest: Rest, workflow: Callable[..., str]) -> None:
    """A job that went well, one that failed and a refused one are counted, and no session is needed."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("A", "B"))
        await scene.run(workflow("bad", attributes='onTaskError="cancelJob"'))
        assert (await scene.post_xml("<job/>")).status_code == 400
        del scene.client.headers["sessionid"]
        answer = await scene.client.get(f"{ROOT}/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = samples(answer.text)
        wanted = {
            ("proactive_info", __version__): 1,
            ("proactive_up_status", "STARTED"): 1,
            ("proactive_jobs_submitted_total", ""): 2,
            ("proactive_jobs_refused_total", ""): 1,
            ("proactive_jobs_ended_total", "FINISHED"): 1,
            ("proactive_jobs_ended_total", "CANCELED"): 1,
            ("proactive_attempts_started_total", ""): 3,
            ("proactive_attempts_ended_total", "success"): 2,
            ("proactive_attempts_ended_total", "error"): 1,
            ("proactive_attempts_killed_total", ""): 0,
            ("proactive_tasks_pending", ""): 0,
            ("proactive_tasks_running", ""): 0,
            ("proactive_nodes", "Default"): 4,
            ("proactive_nodes_free", "Default"): 4,
            ("proactive_requests_total", "200"): 3,
            ("proactive_requests_total", "400"): 1,
        }
        assert {key: found.get(key) for key in wanted} == wanted
        assert found["proactive_store_batches_total", ""] > 0

    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no")
    rest(scenario, scripted={"bad": lambda attempt: Outcome(failure=failure)})


def test_the_status_counts_what_waits(rest: Rest, workflow: Callable[..., str]) -> None:
    """A job that has not started counts with all of its tasks; no name of it is told."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A", "B", "C", name="private"))
        del scene.client.headers["sessionid"]
        answer = await scene.client.get(f"{ROOT}/status")
        assert "private" not in answer.text
        found = json.loads(answer.text)
        wanted = {
            "version": __version__,
            "status": "STARTED",
            "jobs_alive": {"PENDING": 1},
            "tasks_pending": 3,
            "tasks_running": 0,
            "tasks_in_error": 0,
            "nodes": {},
            "jobs_submitted_per_minute": 1,
            "tasks_ended_per_minute": 0,
            "store_bytes": 0,
            "subscribers": 0,
            "troubles": [],
        }
        assert {name: found[name] for name in wanted} == wanted

    rest(scenario, slots=0)


def test_other_hosts_get_no_metrics(rest: Rest) -> None:
    """A page of another site that resolves to this machine reads nothing."""

    async def scenario(scene: Any) -> None:
        for path in ("/metrics", "/status"):
            assert (await scene.client.get(ROOT + path, headers={"host": "evil"})).status_code == 403

    rest(scenario)


def test_labels_are_escaped_and_types_are_named() -> None:
    """A node source may be called anything; each metric has its type, once."""
    now = Overview(
        status="STARTED",
        uptime_seconds=1.5,
        jobs_alive={},
        tasks_pending=0,
        tasks_running=0,
        tasks_in_error=0,
        nodes={'a"b\\c\nd': {"total": 2, "free": 1, "locked": 0}},
        jobs_submitted_per_minute=0,
        tasks_ended_per_minute=0,
        store_bytes=123_456_789,
        disk_free_bytes=987,
        disk_low=True,
        subscribers=0,
    )
    content = text(Measures(started_at=0), now)
    found = samples(content)
    assert found["proactive_nodes", 'a"b\\c\nd'] == 2
    assert found["proactive_store_bytes", ""] == 123_456_789
    assert found["proactive_disk_free_bytes", ""] == 987
    assert found["proactive_uptime_seconds", ""] == 1.5
    assert content.count("# TYPE ") == len(METRICS)
    families = {family.name: family.type for family in text_string_to_metric_families(content)}
    assert {families[metric.name.removesuffix("_total")] == metric.kind for metric in METRICS} == {True}


def test_a_rate_looks_back_one_minute() -> None:
    """What is older does not count, and a second is counted once though its place was used before."""
    now = 100.0
    rate = Rate(lambda: now)
    rate.add()
    rate.add()
    now = 130.0
    rate.add()
    assert rate.last_minute == 3
    now = 160.5
    assert rate.last_minute == 1
    rate.add()
    assert rate.last_minute == 2
    now = 1000.0
    assert rate.last_minute == 0
