"""Drawings: golden SVGs of the usual shapes, and what holds for any workflow."""

from __future__ import annotations

import base64
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

sys.path.insert(0, str(Path(__file__).parent))

import shapes

from proactive_jupyter_kernel.workflow import picture
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.picture import DARK, LIGHT, TaskSummary, Theme
from proactive_jupyter_kernel.workflow.picture.layers import own
from proactive_jupyter_kernel.workflow.picture.layout import lay_out
from proactive_jupyter_kernel.workflow.picture.scene import scene_of
from proactive_jupyter_kernel.workflow.picture.svg import svg_of
from proactive_jupyter_kernel.workflow.status import TaskStatus

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"

RUNNING_BRANCH = {
    "score": TaskSummary(status=TaskStatus.FINISHED, note="38 ms"),
    "retrain": TaskSummary(status=TaskStatus.RUNNING, note="4.2 s"),
    "keep": TaskSummary(status=TaskStatus.SKIPPED),
    "publish": TaskSummary(status=TaskStatus.SUBMITTED),
}
THIRD_ROUND = {
    "fetch": TaskSummary(status=TaskStatus.FINISHED),
    "fetch#2": TaskSummary(status=TaskStatus.FINISHED, note="1.1 s"),
    "parse#2": TaskSummary(status=TaskStatus.RUNNING, progress=40),
    "test#2": TaskSummary(status=TaskStatus.SUBMITTED),
    "store": TaskSummary(status=TaskStatus.SUBMITTED),
}


def replicas(*counts: tuple[TaskStatus, int]) -> dict[str, TaskSummary]:
    """The states of ``train`` and its copies."""
    statuses = [status for status, count in counts for _ in range(count)]
    return {f"train*{index}" if index else "train": TaskSummary(status=status) for index, status in enumerate(statuses)}


GOLDENS = {
    "simple": (shapes.SIMPLE, None, LIGHT),
    "branch": (shapes.BRANCH, None, LIGHT),
    "branch-running": (shapes.BRANCH, RUNNING_BRANCH, DARK),
    "loop": (shapes.LOOP, None, LIGHT),
    "loop-third-round": (shapes.LOOP, THIRD_ROUND, LIGHT),
    "replicate": (shapes.REPLICATE, None, DARK),
    "replicate-running": (
        shapes.REPLICATE,
        replicas((TaskStatus.FINISHED, 15), (TaskStatus.RUNNING, 4), (TaskStatus.SUBMITTED, 5)),
        LIGHT,
    ),
    "nested": (shapes.NESTED, None, LIGHT),
    "names": (shapes.NAMES, None, LIGHT),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_the_usual_shapes_are_drawn_as_before(name: str) -> None:
    """Byte by byte. A change that is meant: look at the pictures, then run with PAJK_UPDATE_GOLDEN=1."""
    workflow, summaries, theme = GOLDENS[name]
    scene = scene_of(workflow, summaries)
    drawn = svg_of(scene, lay_out(scene, own), theme).replace("><", ">\n<") + "\n"
    file = GOLDEN / f"{name}.svg"
    if os.environ.get("PAJK_UPDATE_GOLDEN"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def texts_of(svg: str, tag: str = "text") -> list[str]:
    """The texts of a drawing; ``title`` for the hints."""
    return [element.text or "" for element in etree.fromstring(svg.encode()).iter(SVG + tag)]


summaries = st.builds(
    TaskSummary,
    status=st.sampled_from(TaskStatus),
    note=st.text(max_size=8),
    progress=st.none() | st.integers(-5, 200),
    iteration=st.integers(0, 3),
)


@settings(max_examples=40)
@given(
    workflow=shapes.any_workflow(),
    states=st.lists(summaries, min_size=9, max_size=9),
    theme=st.sampled_from([LIGHT, DARK]),
)
def test_any_workflow_is_drawn_as_valid_xml_with_every_task(
    workflow: Workflow, states: list[TaskSummary], theme: Theme
) -> None:
    """One box with the whole name for each task, whatever it holds, with states and without."""
    names = [task.name for task in workflow.tasks]
    for given_summaries in (None, dict(zip(names, states, strict=False))):
        titles = texts_of(picture.draw(workflow, summaries=given_summaries, theme=theme), "title")
        assert len(titles) == 1 + len(names)
        assert all(title.startswith(name) for name, title in zip(names, titles[1:], strict=True))


@given(name=st.text(min_size=1, max_size=30))
def test_a_name_is_text_and_never_markup(name: str) -> None:
    """Also what no XML can hold: it is replaced."""
    svg = picture.draw(shapes.workflow(name, shapes.task(name)))
    readable = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", name)
    # XML reads every end of a line as one line feed.
    readable = readable.replace("\r\n", "\n").replace("\r", "\n")
    assert texts_of(svg, "title") == [f"Workflow {readable}: 1 task", readable]
    assert [element.tag for element in etree.fromstring(svg.encode()).iter(SVG + "script")] == []


def test_a_script_in_a_name_stays_a_name() -> None:
    """The angle brackets arrive as such, in the drawing and in the HTML around it."""
    name = '<script>alert("x")</script>'
    workflow = shapes.workflow(name, shapes.task(name))
    assert name in texts_of(picture.draw(workflow), "title")
    assert "<script" not in picture.html(workflow)


def test_a_drawing_tells_the_graph_in_words() -> None:
    """A role, a title and a description, for those who do not see it."""
    root = etree.fromstring(picture.draw(shapes.BRANCH).encode())
    assert (root.get("role"), root[0].tag, root[0].text, root[1].tag, root[1].text) == (
        "img",
        SVG + "title",
        "Workflow branch: 4 tasks",
        SVG + "desc",
        "score (branch), decides between retrain (if) and keep (else). retrain, continues with publish. "
        "keep, continues with publish. publish.",
    )


def test_a_running_drawing_tells_the_states_in_words() -> None:
    """Colour is never the only sign: every box has its state in its title."""
    assert texts_of(picture.draw(shapes.BRANCH, summaries=RUNNING_BRANCH), "title")[1:] == [
        "score: finished, 38 ms",
        "retrain: running, 4.2 s",
        "keep: skipped",
        "publish: waiting",
    ]


def test_the_last_round_of_a_loop_counts() -> None:
    """Copies of a task are drawn in its box, and the way back tells the round."""
    svg = picture.draw(shapes.LOOP, summaries=THIRD_ROUND)
    assert "loop · iteration 3" in texts_of(svg)
    assert "fetch: finished, 1.1 s, iteration 3" in texts_of(svg, "title")


def test_replicas_are_counted() -> None:
    """The badge has their number, the title how many have which state, failures first."""
    counts = ((TaskStatus.FINISHED, 15), (TaskStatus.FAULTY, 1), (TaskStatus.RUNNING, 4))
    svg = picture.draw(shapes.REPLICATE, summaries=replicas(*counts))
    assert "× 20" in texts_of(svg)
    assert "train × 20: 1 failed, 4 running, 15 finished" in texts_of(svg, "title")


def test_a_skipped_way_is_dashed() -> None:
    """What a branch did not take: its box and its edges."""
    svg = picture.draw(shapes.BRANCH, summaries=RUNNING_BRANCH)
    assert svg.count('stroke-dasharray="4 3"') == 1
    assert svg.count('stroke-dasharray="4 4"') == 1


def test_a_family_is_one_box_above_what_fits() -> None:
    """150 tasks of a name are one box; 60 of them are drawn each."""
    large, small = (texts_of(picture.draw(shapes.family(count)), "title")[1:] for count in (150, 60))
    assert large == ["load", "work × 150", "merge"]
    assert len(small) == 62


def test_a_chain_of_one_name_is_not_folded() -> None:
    """Tasks that follow each other are no family: the order would be lost."""
    chain = [shapes.task("step_0"), *(shapes.task(f"step_{n}", f"step_{n - 1}") for n in range(1, 100))]
    assert len(scene_of(shapes.workflow("chain", *chain)).boxes) == 100


def test_above_a_thousand_tasks_layers_without_a_name_are_one_box() -> None:
    """A picture stays one that can be drawn and read."""
    names = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(3_000)]
    tasks = [shapes.task("first"), *(shapes.task("t" + name, "first") for name in names)]
    boxes = scene_of(shapes.workflow("large", *tasks)).boxes
    assert [(box.name, box.times) for box in boxes.values()] == [("first", ""), ("tasks", "3000")]


def test_the_html_is_one_image_for_both_themes() -> None:
    """One `<img>` with the light drawing and the words; the dark one stands in the style beside it."""
    found = picture.html(shapes.SIMPLE)
    assert re.findall(r"<(\w+)", found) == ["style", "div", "img"]
    sources = [base64.b64decode(one).decode() for one in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", found)]
    assert sources == [picture.draw(shapes.SIMPLE, theme=DARK), picture.draw(shapes.SIMPLE)]
    (alternative,) = re.findall(r'alt="([^"]*)"', found)
    assert alternative.startswith("Workflow simple: 5 tasks. load (pre). check, after load.")


def test_the_style_of_a_picture_acts_on_that_picture_alone() -> None:
    """Every selector ends in a class that only this drawing has."""
    styles = [re.search(r"<style>(.*?)\{", picture.html(one)) for one in (shapes.SIMPLE, shapes.BRANCH)]
    selectors = [style[1].split(",") for style in styles if style]
    classes = [{selector.rpartition(" ")[2] for selector in group} for group in selectors]
    assert [len(group) for group in classes] == [1, 1]
    assert classes[0] != classes[1]


def test_a_picture_of_sixty_tasks_is_light() -> None:
    """A running job sends it again and again."""
    assert len(picture.html(shapes.family(58), {"load": TaskSummary(status=TaskStatus.RUNNING)})) < 60_000


def test_the_words_for_an_image_are_bounded() -> None:
    """A reader hears them to the end."""
    assert len(picture.alt(shapes.family(70))) < 450


def test_drawing_without_frame_is_cut_close_and_keeps_its_ground() -> None:
    """In a card it stands on a ground of the same colour, at the card's own left edge."""
    workflow = Workflow(name="w", tasks=(Task(name="a", executable=Script(language="cpython")),))
    (address,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', picture.html(workflow, framed=False))
    svg = base64.b64decode(address).decode()
    assert 'viewBox="14 14 ' in svg
    assert '<rect x="14" y="14"' in svg
    frame = 'rx="8" fill="#ffffff" stroke="#dde1e7"'
    assert (frame in svg, frame in picture.draw(workflow)) == (False, True)


def test_drawing_without_frame_keeps_its_badges() -> None:
    """The number of replicas stands above its box and is not cut off."""
    script = Script(language="cpython", code="runs = 3")
    tasks = (
        Task(name="a", executable=script, flow=Replicate(script=script)),
        Task(name="b", executable=script, depends=("a",)),
        Task(name="c", executable=script, depends=("b",)),
    )
    svg = picture.draw(Workflow(name="w", tasks=tasks), framed=False)
    left, top = re.findall(r'viewBox="(\S+) (\S+) ', svg)[0]
    badge = re.findall(r'<rect x="\S+" y="(\S+)" width="\S+" height="18"', svg)
    assert left == "14"
    assert float(badge[0]) >= float(top) < 14
