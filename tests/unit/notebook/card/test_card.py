"""What a card shows in each state, as golden files and as promises that hold in every state."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import (
    ERROR,
    SCENES,
    START,
    facts,
    failed,
    finished,
    in_error,
    job,
    ran_on,
    replicas,
    running,
    stale,
    task,
    waiting,
    workflow,
)

from proactive_jupyter_kernel.client.records import BAD_TASK
from proactive_jupyter_kernel.notebook.card import Card, Facts, OutputLine, Result, card_of, html_of, text_of
from proactive_jupyter_kernel.notebook.card.markup import MAX_RUNNING
from proactive_jupyter_kernel.notebook.card.styles import scope
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Failure
from proactive_jupyter_kernel.workflow.model import ErrorPolicy
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

GOLDEN = Path(__file__).parents[3] / "data" / "cards"
VOID = {"img", "br"}


class Page(HTMLParser):
    """Reads a card: its text without styles, the classes, and whether each element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.classes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.text.append(found.get("alt") or "")
        self.classes.update((found.get("class") or "").split())
        self.links.update(value for name in ("src", "href") if (value := found.get(name)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def read(given: Facts) -> Page:
    page = Page()
    page.feed(html_of(card_of(given)))
    page.close()
    assert page.open == []
    return page


def undrawn(given: Facts) -> Card:
    """The card without the picture of the workflow, which has its own tests."""
    return replace(card_of(given), picture=None)


def test_card_has_the_picture_of_the_workflow() -> None:
    """With the marks of the tasks, in HTML and in text; none where the definition is unknown."""
    card = card_of(running())
    assert card.picture is not None
    assert "│ ▸ train │" in text_of(card)
    assert card.picture.html in html_of(card)
    assert card_of(replace(running(), workflow=None)).picture is None


@pytest.mark.parametrize("name", SCENES)
def test_card_as_text(name: str) -> None:
    """The plain text of each state is as it was agreed; UPDATE_GOLDEN=1 writes it anew."""
    path = GOLDEN / f"{name}.txt"
    text = text_of(undrawn(SCENES[name]())) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["submitted", "failed", "replicated", "waiting"])
def test_card_as_html(name: str) -> None:
    """The markup of these states is as it was agreed, apart from styles and pictures."""
    path = GOLDEN / f"{name}.html"
    html = re.sub(r"<style>.*?</style>", "", html_of(undrawn(SCENES[name]())))
    html = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,...", html).replace(scope(), "pak")
    html = html.replace("><", ">\n<") + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(html, encoding="utf-8")
    assert html == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCENES)
def test_card_keeps_the_rules_of_outputs(name: str) -> None:
    """No script, nothing from elsewhere but the link to the portal, all below one class, and small."""
    given = SCENES[name]()
    html = html_of(card_of(given))
    page = read(given)
    assert page.tags.isdisjoint({"script", "iframe", "svg", "link", "object", "form", "button"})
    assert {link for link in page.links if not link.startswith("data:image/")} <= {given.portal}
    assert scope() in page.classes
    assert len(html) < MAX_RUNNING


@pytest.mark.parametrize("name", SCENES)
def test_each_task_is_named_or_counted(name: str) -> None:
    """A reader can find each task: by its name, or in the number of its family."""
    given = SCENES[name]()
    words = read(given).words
    missing = [one.name for one in given.job.tasks if one.name not in words and f"{one.base_name} × " not in words]
    assert missing == []


@pytest.mark.parametrize("name", SCENES)
def test_each_state_has_its_time(name: str) -> None:
    """Every card says when the scheduler said so, or when the job ended."""
    assert re.search(r"\b\d\d:\d\d:\d\d\b", read(SCENES[name]()).words)


@given(
    statuses=st.lists(st.sampled_from(sorted(TaskStatus, key=lambda status: status.value)), min_size=1, max_size=30),
    ended=st.sampled_from(sorted(JobStatus, key=lambda status: status.value)),
)
def test_failed_job_is_never_green(statuses: list[TaskStatus], ended: JobStatus) -> None:
    """A job with a task that failed has no mark of success, and says failed before it lists tasks."""
    tasks = [task(number, f"T{number}", status, number, 5) for number, status in enumerate(statuses)]
    given = facts(job(1, ended, *tasks, ended=900), 1_000, workflow=None)
    card = card_of(given)
    if any(status in BAD_TASK for status in statuses):
        assert card.mark is not Mark.GOOD
        assert not card.fold
    text = html_of(card)
    assert all(f"T{number}" in text for number in range(len(statuses)))


@given(text=st.text(min_size=1, max_size=60).map(lambda text: f"<b>&'\"{text}</script>`"))
def test_every_text_is_escaped(text: str) -> None:
    """Names, errors, output, results and reasons of any content become no markup."""
    text = text.replace("\0", " ")
    given = facts(
        job(
            1,
            JobStatus.RUNNING,
            task(1, text, TaskStatus.FAULTY, 0, 5),
            task(2, f"{text}2", TaskStatus.PENDING),
            name=text,
        ),
        1_000,
        workflow=None,
        scheduler=text,
        portal=f"http://host/{text}",
        trouble=text,
        failures={
            text: Failure(task=text, line=text, place=text, code=((1, text),), hint=text, trace=f"{text}\n{text}")
        },
        reasons={f"{text}2": text},
        output=(OutputLine(task=text, text=text),),
        results=(Result(task=text, text=text),),
        returned=frozenset(),
    )
    card = card_of(given)
    page = Page()
    page.feed(html_of(card))
    page.close()
    assert page.tags <= {
        "style",
        "div",
        "i",
        "b",
        "span",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "a",
        "pre",
    }
    assert page.open == []
    assert text_of(card)


def test_error_is_reported_once() -> None:
    """Line and traceback stand once each, above the tasks; the place and the code are those of the cell."""
    html = html_of(card_of(failed()))
    assert html.count("Traceback (most recent call last)") == 1
    assert html.index("column mean has a hole") < html.index("<table")
    assert "cell [3], line 2" in html


def test_errors_of_one_kind_are_one_group_and_at_most_five_are_reported() -> None:
    """Errors that differ in a number are one group with the number of tasks; the sixth kind is counted."""
    work = replicas(100, name="work", done=100, bad=dict.fromkeys(range(40, 60), ""), running=0)
    failures = {f"work*{n}": Failure(task=f"work*{n}", line=f"{chr(65 + n % 7)}Error: tile {n}") for n in range(40, 60)}
    card = card_of(facts(job(1, JobStatus.RUNNING, *work), 5_000, failures=failures, workflow=None))
    assert [group.how for group in card.errors] == ["3 tasks, errors of one kind"] * 5
    assert card.more_errors == "and 2 more kinds of errors in 5 tasks"


def test_failure_whose_error_was_not_read_is_still_shown() -> None:
    """Of a job with many failures some errors are unknown; their tasks are listed anyway."""
    given = replace(failed(), failures={})
    assert [(group.tasks, group.how) for group in card_of(given).errors] == [("check", "Faulty")]


def test_what_a_failure_did_to_others() -> None:
    """A canceled job says what did not start; a job that continued says what ran nevertheless."""
    assert card_of(failed()).errors[0].effects == ("Because of it (on_error=cancel) report and mail did not start.",)
    assert card_of(ran_on()).errors[0].effects == (
        "report ran nevertheless (on_error=continue) and got the error in place of a result; mail ran after that. "
        "Check what they made.",
    )


def test_only_pragmas_that_exist_are_proposed() -> None:
    """A command that the kernel does not have is not shown to be copied."""
    given = replace(in_error(), pragmas=frozenset({"kill_job"}))
    text = text_of(card_of(given))
    assert "#%kill_job(job_id=17)" in text
    assert not {"restart_task", "print_task_output"} & set(re.findall(r"\w+", text))


def test_finished_job_is_one_line_and_its_results() -> None:
    """All but the results is folded, and a task that returned nothing is not shown as True."""
    card = card_of(finished())
    assert (card.fold, card.counts, card.errors) == ("Tasks, picture and output (5 tasks, 4 lines)", (), ())
    assert card.without_result == "load, check and mail returned nothing."
    assert "True" not in html_of(card)


def test_card_that_is_not_followed_says_so() -> None:
    """Such a card does not say that it is live, and shows the notice without styles and with them."""

    def signs(given: Facts) -> tuple[bool, str]:
        html = html_of(card_of(given))
        found = re.search(r'class="(old[^"]*)"', html)
        return '<span class="lv">as of 22:05:12' in html, found[1] if found else ""

    assert [signs(given) for given in (running(), stale())] == [
        (True, "old"),
        (False, "old now"),
    ]
    assert "#%job_status(job_id=12)" in text_of(card_of(stale()))


def test_final_card_has_no_notice() -> None:
    """A job that has ended cannot become stale."""
    assert "Last seen" not in html_of(card_of(replace(failed(), seen_at=START)))


def test_card_of_a_huge_running_job_stays_small() -> None:
    """A card of 4,000 tasks with long output, errors and names is below the limit."""
    work = replicas(4_000, name="w" * 200, done=3_000, bad=dict.fromkeys(range(0, 3_000, 3), ""), running=500)
    trace = "\n".join(f"  line {n} of a traceback" for n in range(5_000))
    failures = {
        one.name: Failure(task=one.name, line=f"Error {'x' * (n % 9)}" * 99, trace=trace)
        for n, one in enumerate(work)
        if n % 3 == 0
    }
    output = tuple(OutputLine(task=work[n].name, text="y" * 160) for n in range(40))
    given = facts(job(1, JobStatus.RUNNING, *work), 9_000, failures=failures, output=output, workflow=None)
    assert len(html_of(card_of(given))) < MAX_RUNNING


def test_attempts_are_counted() -> None:
    """A task that runs for the third time says so, and one that waits for its next attempt."""
    again: dict[str, Any] = {"max_executions": 4}
    tasks = (
        task(1, "A", TaskStatus.RUNNING, 0, executions_left=2, **again),
        task(2, "B", TaskStatus.WAITING_ON_ERROR, 0, 5, executions_left=3, **again),
    )
    card = card_of(facts(job(1, JobStatus.RUNNING, *tasks), 1_000, workflow=None))
    assert [row.word for row in card.rows] == ["Running, attempt 3 of 4", "Failed, will be retried, attempt 1 of 4"]


def test_error_of_a_scene_is_whole() -> None:
    """The scene's code ends with the faulty line, as cards expect it."""
    assert ERROR.code[-1][0] == 2


def test_long_output_of_a_failed_job_is_folded() -> None:
    """It does not push the next cells out of sight; a short one stands open."""
    lines = tuple(OutputLine(task="load", text=f"line {number}") for number in range(40))
    assert "<summary>Output, 40 lines</summary>" in html_of(card_of(replace(failed(), output=lines)))
    assert "<summary>Output" not in html_of(card_of(replace(failed(), output=lines[:5])))


def test_tasks_that_wait_for_busy_nodes_need_no_attention() -> None:
    """While the job runs, those that wait for a node are said to wait, in no special colour."""
    tasks = [task(1, "A", TaskStatus.RUNNING, 0), task(2, "B", TaskStatus.PENDING), task(3, "C", TaskStatus.SUBMITTED)]
    card = card_of(facts(job(1, JobStatus.RUNNING, *tasks), 1_000, workflow=None))
    assert [(count.text, count.tone) for count in card.counts] == [
        ("0 of 3 done", ""),
        ("1 running", "run"),
        ("2 waiting", ""),
    ]


def test_only_the_task_that_canceled_the_job_is_the_cause() -> None:
    """It comes first; another task that failed in the same job kept nothing from starting."""
    tasks = (
        task(1, "load", TaskStatus.FAULTY, 0, 5, executions_left=0),
        task(2, "check", TaskStatus.FAULTY, 9, 5, executions_left=0),
        task(3, "report", TaskStatus.NOT_STARTED),
    )
    plan = workflow()
    check = replace(plan.tasks[1], on_error=ErrorPolicy.CANCEL_JOB)
    plan = replace(plan, tasks=(plan.tasks[0], check, *plan.tasks[2:]))
    failures = {name: Failure(task=name, line=f"{name} is wrong") for name in ("load", "check")}
    card = card_of(facts(job(1, JobStatus.CANCELED, *tasks, ended=20), 20, workflow=plan, failures=failures))
    assert [(group.tasks, group.effects) for group in card.errors] == [
        ("check", ("Because of it (on_error=cancel) report did not start.",)),
        ("load", ()),
    ]


def test_a_waiting_task_is_followed_by_the_table_of_all_nodes() -> None:
    """What it waits for may be a state, a node source or a token."""
    given = replace(waiting(), pragmas=frozenset({"kill_job", "list_resources", "list_tokens"}))
    assert card_of(given).commands == ("#%kill_job(job_id=15)", "#%list_resources()")
