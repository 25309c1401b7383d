"""What listeners to the push channel cost: a loop without one, with one, and with many that do not read.

Run: python benchmarks/push_channel.py [--iterations 800] [--rounds 3] [--slow 50] [--task 2.5] [--json]

The service with its store on disk, and the REST application, in one process; a task is a stand-in that takes `--task`
milliseconds. A loop of so many iterations runs without and with a listener that wants all events, in turns: the ratio
of the best rounds is what the listener costs; on a busy machine the processor time tells more. *stood*: the longest
time for which the event loop did nothing else. Then many listeners to all events never read a frame: *waiting* is what
waits for all of them, each frame counted once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor, ScriptedAttempt
from proactive_jupyter_kernel.scheduler.rest.app import App
from proactive_jupyter_kernel.scheduler.rest.requests.sessions import Sessions
from proactive_jupyter_kernel.scheduler.service.service import Service, now_ms
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Loop, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus

#: The bars: how much longer a loop may take with a listener, for how many milliseconds the event loop may stand, and
#: how many megabytes may wait for listeners that do not read.
MOST_RATIO, MOST_STANDING, MOST_WAITING = 1.2, 50.0, 64.0

_SCRIPT = Script(language="cpython", code="loop = True")
_TEXT = xml.dumps(
    Workflow(name="loop", tasks=(Task(name="T", executable=_SCRIPT, flow=Loop(target="T", script=_SCRIPT)),))
)


class Socket:
    """A client's end of a web socket, without network."""

    def __init__(self, app: App, session: str, *, reads: bool) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = reads
        self.messages = self.bytes = 0
        scope = {
            "type": "websocket",
            "path": "/rest/scheduler/events",
            "headers": [(b"host", b"127.0.0.1:1"), (b"sessionid", session.encode())],
        }
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._to_app.put_nowait({"type": "websocket.receive", "text": "{}"})
        self._task = asyncio.create_task(app(scope, self._to_app.get, self._take))

    async def _take(self, message: Any) -> None:
        self.messages += 1
        self.bytes += len(message.get("text", ""))
        if self.messages > 2 and not self._reads:
            await asyncio.Event().wait()

    async def close(self) -> None:
        """Leave."""
        self._to_app.put_nowait({"type": "websocket.disconnect"})
        await self._task


class Pulse:
    """The longest time in milliseconds for which the event loop did nothing else."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0)
            self.longest = max(self.longest, (time.perf_counter() - begin) * 1000)
            await asyncio.sleep(0.001)

    def end(self) -> float:
        """The longest time so far."""
        self._task.cancel()
        return round(self.longest, 1)


def _executor(iterations: int, task_ms: float) -> MemoryExecutor:
    last = f"T#{iterations - 1}"

    async def task(attempt: ScriptedAttempt) -> Outcome:
        await asyncio.sleep(task_ms / 1000)
        return Outcome(value=1, flow=attempt.attempt.task_name != last, flow_decided=True)

    return MemoryExecutor({"T": task}, slots=2)


async def _loop(service: Service, iterations: int) -> tuple[float, float, float]:
    """Seconds of one loop, how long the event loop stood, and seconds of processor time."""
    pulse = Pulse()
    begin, used = time.perf_counter(), time.process_time()
    job = await service.submit(_TEXT, owner="me")
    await service.wait_ended(job.job_id)
    record = service.ask.job(job.job_id).record
    assert (record.status, record.finished) == (JobStatus.FINISHED, iterations), record
    return round(time.perf_counter() - begin, 3), pulse.end(), time.process_time() - used


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of the rounds, the standing times, what was read, and what waits."""
    store = SqliteStore(folder / "scheduler.db")
    service = Service(
        store=store,
        executor=_executor(options.iterations, options.task),
        settings=settings.load({}),
        site=Site(user="me", home=str(folder), url="http://127.0.0.1:1"),
    )
    sessions = Sessions(
        user="me", token="t", timeout=3600, clock=time.monotonic, now=now_ms, ended=lambda session: None
    )
    app = App(service, sessions, hosts=("127.0.0.1:1",))
    session = (await sessions.login("me", "t")).id
    await service.start()
    seconds: dict[str, list[float]] = {"alone": [], "heard": []}
    standing: dict[str, list[float]] = {"alone": [], "heard": []}
    used: dict[str, list[float]] = {"alone": [], "heard": []}
    read: dict[str, int] = {}
    for _ in range(options.rounds):
        for kind in seconds:
            socket = Socket(app, session, reads=True) if kind == "heard" else None
            await asyncio.sleep(0.01)
            spent, longest, processor = await _loop(service, options.iterations)
            used[kind].append(round(processor * 1000 / options.iterations, 3))
            seconds[kind].append(spent)
            standing[kind].append(longest)
            if socket is not None:
                await asyncio.sleep(1)
                read = {"frames": socket.messages, "bytes": socket.bytes}
                assert socket.messages > options.iterations, f"the listener heard {read}"
                await socket.close()
    sockets = [Socket(app, session, reads=False) for _ in range(options.slow)]
    await asyncio.sleep(0.1)
    assert len(app.events._subscribers) == options.slow, "not all listeners were let in"
    spent, longest, _ = await _loop(service, options.iterations)
    await asyncio.sleep(1)
    waiting = {id(frame): len(frame.text) for each in app.events._subscribers for frame in each.queue._frames}
    slow = {
        "listeners": options.slow,
        "seconds": spent,
        "standing_ms": longest,
        "waiting_mb": round(sum(waiting.values()) / 1e6, 1),
    }
    for each in sockets:
        await each.close()
    app.close()
    await service.close()
    store.close()
    return {
        "seconds": seconds,
        "ratio": round(min(seconds["heard"]) / min(seconds["alone"]), 3),
        "standing_ms": standing,
        "processor_ms_an_iteration": used,
        "read": read,
        "slow": slow,
        "most": {"ratio": MOST_RATIO, "standing_ms": MOST_STANDING, "waiting_mb": MOST_WAITING},
    }


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--task", type=float, default=2.5, help="milliseconds of a task")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(options, Path(folder)))
    standing = min(found["standing_ms"]["heard"])
    if options.json:
        print(json.dumps(found))
    else:
        for kind, values in found["seconds"].items():
            processor = min(found["processor_ms_an_iteration"][kind])
            print(
                f"{kind:>6}: {min(values):7.2f} s, {processor:.2f} ms of the processor an iteration, "
                f"the event loop stood {min(found['standing_ms'][kind]):.1f} ms"
            )
        print(f"ratio {found['ratio']:.2f}, bar {MOST_RATIO}; the listener read {found['read']}")
        print(f"listeners that do not read: {found['slow']}, bar {MOST_WAITING} MB")
    return int(found["ratio"] > MOST_RATIO or standing > MOST_STANDING or found["slow"]["waiting_mb"] > MOST_WAITING)


if __name__ == "__main__":
    sys.exit(main())
