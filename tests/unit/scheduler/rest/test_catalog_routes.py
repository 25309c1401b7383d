"""The catalog beside ``/rest``, and submissions from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = "http://127.0.0.1:8080"


def test_objects_are_served(rest: Callable[..., None], workflow: Callable[..., str], tmp_path: Path) -> None:
    """Raw, by revision, and with the double slash of the official Python client; with a session alone."""
    folder = tmp_path / "catalog/my bucket"
    folder.mkdir(parents=True)
    (folder / "wf name.xml").write_text(workflow("T"))

    async def scenario(scene: Any) -> None:
        base = "/catalog/buckets/my%20bucket/resources"
        for path in ("/wf%20name/raw", "/wf%20name.xml/raw", "/wf%20name/revisions/1600000000000/raw"):
            for root in (ROOT, ROOT + "/"):
                answer = await scene.client.get(f"{root}{base}{path}")
                kind = answer.headers["content-type"]
                assert (answer.status_code, answer.text, kind) == (200, workflow("T"), "application/xml"), path
        buckets = (await scene.client.get(f"{ROOT}/catalog/buckets")).json()
        assert buckets == [{"name": "my bucket", "owner": "", "contentCount": 1}]
        names = [each["name"] for each in (await scene.client.get(ROOT + base)).json()]
        assert names == ["wf name"]
        wrong = await scene.client.get(f"{ROOT}{base}/other/raw")
        assert (wrong.status_code, wrong.json()["exceptionClass"]) == (404, "java.io.IOException")
        for path in (f"{base}/%2E%2E%2Fx/raw", "/catalog/buckets/%2E%2E/resources/catalog/raw"):
            assert (await scene.client.get(ROOT + path)).status_code == 404
        assert (await scene.client.get(f"{ROOT}{base}/wf%20name/raw", headers={"sessionid": ""})).status_code == 401

    rest(scenario)


def test_only_this_scheduler_gets_the_session(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """A link to another server is fetched without the session's id."""
    seen: list[str | None] = []
    xml = workflow("T").encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["sessionid"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(xml)))
            self.end_headers()
            self.wfile.write(xml)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def scenario(scene: Any) -> None:
        link = f"http://127.0.0.1:{server.server_port}/wf.xml"
        await scene.json("/scheduler/jobs", "POST", headers={"link": link})
        assert seen == [None]

    try:
        rest(scenario)
    finally:
        server.shutdown()
        server.server_close()
