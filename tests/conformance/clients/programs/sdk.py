"""Every call of the public API of the PyPI package `proactive` that makes sense here, in one session of its JVM.

    python sdk.py URL LOGIN PASSWORD FOLDER JOB

Written for 13.0.3 and 14; the report is FOLDER/report.json. JOB is one that another client submitted, with the task
`mine` whose result is `ours`.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import proactive
import sdk_java
import sdk_models
import sdk_results
from table import Table, raised

#: rest-api.md 4.4: the one for 14, the other so that 13.0.3 decodes errors.
JAVA_OPTIONS = [
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
]


def main() -> None:
    url, login, password, place, foreign = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    folder = Path(place)
    table = Table()
    gateway = proactive.ProActiveGateway(url, javaopts=JAVA_OPTIONS)
    scene = SimpleNamespace(
        gateway=gateway,
        client=gateway.getProactiveClient(),
        rest=gateway.getProactiveRestApi(),
        jvm=gateway.runtime_gateway.jvm,
        java=gateway.runtime_gateway,
        modern=hasattr(gateway, "close"),
        java_version=java_version(gateway),
        url=url,
        login=login,
        password=password,
        folder=folder,
        jobs={},
        foreign=foreign,
    )
    try:
        connecting(table, scene)
        sdk_models.build(table, scene)
        sdk_models.submit(table, scene)
        sdk_results.states_and_results(table, scene)
        sdk_results.verbs(table, scene)
        sdk_results.rest_helper(table, scene)
        sdk_java.reading(table, scene)
        sdk_java.changing(table, scene)
        leaving(table, scene)
    finally:
        table.write(folder / "report.json")
        gateway.runtime_gateway.shutdown()


def java_version(gateway: Any) -> int:
    """8 for ``1.8``, 17 for ``17``."""
    text = gateway.runtime_gateway.jvm.java.lang.System.getProperty("java.specification.version")
    return int(text.removeprefix("1.").split(".")[0])


def connecting(table: Table, s: SimpleNamespace) -> None:
    info = s.gateway.proactive_factory.create_connection_info(s.url + "/rest", s.login, "wrong password", None, True)
    stranger = s.gateway.proactive_factory.create_smart_proxy()
    table("connect with a wrong password", lambda: stranger.init(info), raised("Login"))
    table("connect", lambda: s.gateway.connect(s.login, s.password), None)
    table("isConnected", s.gateway.isConnected, True)
    table("reconnect", s.gateway.reconnect, None)
    table("isConnected again", s.gateway.isConnected, True)
    table("getProactiveRestApi().connected", s.rest.connected, True)
    table("getSession", s.client.getSession, lambda v: len(v) == 32)
    if s.modern:
        table("getBaseURL", s.gateway.getBaseURL, s.url)


def leaving(table: Table, s: SimpleNamespace) -> None:
    table("disconnect", s.gateway.disconnect, None)
    table("isConnected afterwards", s.gateway.isConnected, False)
    table("getProactiveRestApi().connected afterwards", s.rest.connected, False)


if __name__ == "__main__":
    main()
