"""A Dask cluster with TLS: only who has its certificate uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.dask.conftest import CERTIFICATE, DEADLINE, KEY, Cluster, made_cluster, until

from proactive_jupyter_kernel.client import embedded

pytestmark = [
    pytest.mark.dask,
    # What is wrong with a worker or the cluster may be known before the client first looks, which is a warning then.
    pytest.mark.filterwarnings("ignore:Worker .* is not used", "ignore:The Dask scheduler at .* does not answer"),
]


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with one worker, both of which talk TLS alone."""
    with made_cluster(tmp_path, tls=True) as made:
        made.start_worker("a")
        yield made


def status() -> dict[str, Any]:
    line = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", "status", "--json"]
    found = subprocess.run(line, capture_output=True, text=True, timeout=DEADLINE, check=True)
    overview: dict[str, Any] = json.loads(found.stdout)["overview"]
    return overview


def test_tasks_run_on_a_cluster_with_tls(encrypted: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the certificates of Dask's own configuration; without them there is no node, and the status says why."""
    why = (
        f"The Dask scheduler at tls://127.0.0.1:{encrypted.port} does not answer: Dask's configuration here names no "
        "certificates for TLS"
    )
    with pytest.warns(UserWarning, match=why):
        encrypted.start(nodes=0)
    assert [text.partition(";")[0] for text in status()["troubles"]] == [why]
    encrypted.scheduler.close()
    embedded.stop(encrypted.data_dir)

    for name, path in (("CA_FILE", CERTIFICATE), ("CLIENT__CERT", CERTIFICATE), ("CLIENT__KEY", KEY)):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{name}", str(path))
    encrypted.start()
    job = encrypted.submit("print('over TLS')\nresult = variables['PA_NODE_NAME']")
    assert job.wait(timeout=DEADLINE).went_well, encrypted.log(job)
    assert (job.result("T").value, encrypted.log(job)) == ("a-0", "over TLS")
    assert status()["troubles"] == []

    # The status names what is gone, and forgets it when that is back.
    encrypted.end("dask")
    until(lambda: status()["troubles"])
    assert "does not answer" in str(status()["troubles"])
    encrypted.start_dask()
    until(lambda: not status()["troubles"])
