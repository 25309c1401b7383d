"""Scripts at addresses: read before an attempt goes to its node, a file each time, a link once a job."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor
from proactive_jupyter_kernel.scheduler.service.scripts import Scripts, ScriptUnavailable
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.scheduler.sources.links import Links
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.workflow.model import Script
from proactive_jupyter_kernel.workflow.status import TaskStatus

URL = "http://127.0.0.1:1"
INLINE = '<script><code language="bash">1</code></script>'


def at(url: str, language: str = "bash") -> str:
    return f'<script><file url="{url}" language="{language}"/></script>'


def xml(*tasks: str, head: str = "") -> str:
    """A job of tasks T0, T1 …, each given by its elements; without an executable of its own it has an inline one."""
    texts = (
        f'<task name="T{number}">{task}'
        f"{'' if '<scriptExecutable>' in task else f'<scriptExecutable>{INLINE}</scriptExecutable>'}</task>"
        for number, task in enumerate(tasks)
    )
    start = f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="a job">{head}'
    return f"{start}<taskFlow>{''.join(texts)}</taskFlow></job>"


def main(url: str) -> str:
    return f"<scriptExecutable>{at(url)}</scriptExecutable>"


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Runs a scenario with a started service and its executor."""

    def run(scenario: Callable[[Service, MemoryExecutor], Coroutine[Any, Any, None]], **environment: str) -> None:
        async def with_service() -> None:
            executor = MemoryExecutor(slots=2)
            made = Service(
                store=MemoryStore(),
                executor=executor,
                settings=settings.load({f"PROACTIVE_KERNEL_{name}": text for name, text in environment.items()}),
                site=Site(user="ana", home=str(tmp_path), url=URL, spaces={}),
            )
            await made.start()
            try:
                async with asyncio.timeout(40):
                    await scenario(made, executor)
            finally:
                await made.close()

        asyncio.run(with_service())

    return run


class Web:
    """A web server whose pages may be silent; counts requests."""

    def __init__(self) -> None:
        self.pages: dict[str, str | None] = {}
        self.asked: list[str] = []
        self.over = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                page = outer.pages.get(self.path)
                if page is None and self.path in outer.pages:
                    outer.over.wait(60)
                    return
                self.send_response(404 if page is None else 200)
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *args: Any) -> None:
                """Not to the console."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()


@pytest.fixture
def web() -> Iterator[Web]:
    found = Web()
    yield found
    found.over.set()
    found.server.shutdown()
    found.server.server_close()


def codes(executor: MemoryExecutor) -> list[str]:
    return [attempt.main.code for attempt in executor.attempts if isinstance(attempt.main, Script)]


async def ended(made: Service, text: str) -> dict[str, Any]:
    job = await made.submit(text, owner="ana")
    await made.wait_ended(job.job_id)
    tasks = made.ask.tasks(job.job_id)
    return {task.name: task.failure.message if task.failure else task.status for task in tasks}


def test_a_changed_file_runs_as_it_is(play: Callable[..., None], tmp_path: Path) -> None:
    """Each attempt reads it anew, in one job and in the next; its extension tells the language."""
    path = tmp_path / "script.groovy"

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        def change(attempt: Any) -> Outcome:
            path.write_text("new")
            return Outcome(value=1)

        executor._scripted["T0"] = change
        path.write_text("old")
        second = f'<depends><task ref="T0"/></depends>{main(path.as_uri())}'
        job = xml(main(path.as_uri()), second).replace(' language="bash"/>', "/>")
        assert await ended(made, job) == {"T0": TaskStatus.FINISHED, "T1": TaskStatus.FINISHED}
        await ended(made, job)
        assert codes(executor) == ["old", "new", "new", "new"]
        assert {attempt.main.language for attempt in executor.attempts} == {"groovy"}

    play(scenario)


def test_a_link_is_read_once_a_job(play: Callable[..., None], web: Web) -> None:
    """All tasks of a job run the same text, the next job the new one."""

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        for text in ("one", "two"):
            web.pages["/a.sh"] = text
            await ended(made, xml(*[main(f"{web.url}/a.sh")] * 5))
        assert codes(executor) == ["one"] * 5 + ["two"] * 5
        assert web.asked == ["/a.sh"] * 2
        assert made._scripts._known == {}

    play(scenario)


SCRIPTS = {
    "fork": ("<forkEnvironment><envScript>{}</envScript></forkEnvironment>", "fork environment script"),
    "pre": ("<pre>{}</pre>", "pre script"),
    "main": ("<scriptExecutable>{}</scriptExecutable>", "task"),
    "post": (f"<scriptExecutable>{INLINE}</scriptExecutable><post>{{}}</post>", "post script"),
    "flow": (
        f'<scriptExecutable>{INLINE}</scriptExecutable><controlFlow><loop target="T0">{{}}</loop></controlFlow>',
        "control flow script",
    ),
}


@pytest.mark.parametrize("kind", list(SCRIPTS))
def test_a_script_that_cannot_be_read_fails_its_task(play: Callable[..., None], web: Web, kind: str) -> None:
    """Before anything of it runs; error and log name the script, the address and the reason, other tasks run."""
    element, what = SCRIPTS[kind]

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        found = await ended(made, xml(element.format(at(f"{web.url}/none.sh")), ""))
        message = f"Failed to execute {what}: its script cannot be read from {web.url}/none.sh: its server answered 404"
        assert found == {"T0": message, "T1": TaskStatus.FINISHED}
        assert [attempt.task_name for attempt in executor.attempts] == ["T1"]
        assert [line.text for line in made._store.log(1, 0).lines] == [message]

    play(scenario)


def test_a_clean_script_that_cannot_be_read_is_left_out(play: Callable[..., None], tmp_path: Path) -> None:
    """As one that fails: the task is not affected, the scheduler's log says so."""

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        job = xml(f"<scriptExecutable>{INLINE}</scriptExecutable><cleaning>{at((tmp_path / 'x').as_uri())}</cleaning>")
        assert await ended(made, job) == {"T0": TaskStatus.FINISHED}
        assert executor.attempts[0].clean is None

    play(scenario)


def test_a_selection_script_that_cannot_be_read_refuses_the_node(play: Callable[..., None], web: Web) -> None:
    """The scheduler's log of the task says why; once it can be read, the task runs."""
    web.pages["/other.sh"] = "x"

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        job = await made.submit(xml(f"<selection>{at('gopher://x/y.sh')}</selection>"), owner="ana")
        while not made.selections.of(job.job_id, 0):
            await asyncio.sleep(0.005)
        said = str(made.selections.of(job.job_id, 0))
        assert "Failed to execute selection script: its script is at gopher://x/y.sh, and only http" in said
        assert await ended(made, xml(f"<selection>{at(f'{web.url}/other.sh')}</selection>")) == {
            "T0": TaskStatus.FINISHED
        }

    play(scenario)


def test_a_link_that_does_not_answer_holds_up_its_tasks_alone(play: Callable[..., None], web: Web) -> None:
    """They hold no slot while it is read, and it is read once for all of them."""
    web.pages["/silent.sh"] = None

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        silent = main(f"{web.url}/silent.sh")
        job = await made.submit(xml(*[silent] * 20, *[""] * 20), owner="ana")
        while sum(task.status is TaskStatus.FINISHED for task in made.ask.tasks(job.job_id)) < 20:
            await asyncio.sleep(0.005)
        assert {made.ask.task(job.job_id, f"T{number}").status for number in range(20)} == {TaskStatus.SUBMITTED}
        await made.wait_ended(job.job_id)
        failed = {task.failure.message for task in made.ask.tasks(job.job_id) if task.failure}
        assert failed == {
            f"Failed to execute task: its script cannot be read from {web.url}/silent.sh: "
            "it did not answer within 1 seconds"
        }
        assert web.asked == ["/silent.sh"]

    play(scenario, LINK_SECONDS="1")


def test_a_task_with_a_link_is_paused_and_killed_while_it_is_read(play: Callable[..., None], web: Web) -> None:
    """As any other that waits; what waits for a start time waits for both."""
    web.pages["/silent.sh"] = None

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        silent = main(f"{web.url}/silent.sh")
        first, second = [await made.submit(xml(silent, silent), owner="ana") for _ in range(2)]
        assert await made.pause_job(first.job_id) is True
        assert await made.resume_job(first.job_id) is True
        assert await made.kill_task(first.job_id, "T0") is True
        assert await made.kill_job(second.job_id) is True
        await made.wait_ended(first.job_id)
        tasks = made.ask.tasks(first.job_id)
        assert [task.status for task in tasks] == [TaskStatus.ABORTED, TaskStatus.FAULTY]
        assert executor.attempts == []

    play(scenario, LINK_SECONDS="1")


def test_a_task_is_killed_while_its_script_is_read(play: Callable[..., None], web: Web) -> None:
    """At once; its slot is free for the next."""
    web.pages["/silent.sh"] = None

    async def scenario(made: Service, executor: MemoryExecutor) -> None:
        job = await made.submit(xml(*[main(f"{web.url}/silent.sh")] * 2), owner="ana")
        while not web.asked:
            await asyncio.sleep(0.005)
        assert await made.kill_job(job.job_id) is True
        assert await ended(made, xml("", "", "")) == dict.fromkeys(("T0", "T1", "T2"), TaskStatus.FINISHED)

    play(scenario, LINK_SECONDS="60")


def test_scripts_of_the_own_catalog_are_read_from_its_folder(tmp_path: Path) -> None:
    """As workflows of the public examples name them, with single or double slash; the file tells the language."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/sort.py").write_text("code")

    async def scenario() -> None:
        scripts = Scripts(Links(seconds=20), Catalog(tmp_path, URL))
        for path in (
            "/catalog/buckets/tools/resources/sort/raw",
            "//catalog/buckets/tools/resources/sort/raw",
            "/catalog/buckets/tools/resources/sort.py/revisions/1600000000000/raw",
        ):
            script = await scripts._read(1, "task", Script(language="", url=URL + path))
            assert (script.code, script.language) == ("code", "py")
        other = Script(language="", url=f"{URL}/catalog/buckets/tools/resources/other/raw")
        with pytest.raises(ScriptUnavailable, match="has no object 'other'"):
            await scripts._read(1, "task", other)

    asyncio.run(scenario())
