"""Which ready task takes which slot: constraints, several nodes, topologies, selection scripts."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, SlotBoard
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript, Topology, Variable

SLOTS = (
    Slot(name="a0", host="a"),
    Slot(name="a1", host="a"),
    Slot(name="b0", host="b", source="cloud"),
    Slot(name="b1", host="b", source="cloud", tokens=("gold", "blue")),
    Slot(name="c0", host="c", source="cloud", tokens=("gold",)),
)
DYNAMIC = (SelectionScript(script=Script(language="cpython", code="selected = True")),)
STATIC = (SelectionScript(script=Script(language="cpython", code="selected = True"), static=True),)


@pytest.mark.parametrize(
    ("information", "names"),
    [
        ({}, "a0 a1 b0"),
        ({"NODE_SOURCE": "Default"}, "a0 a1"),
        ({"NODESOURCENAME": "cloud"}, "b0"),
        ({"NODE_SOURCE": "Default", "NODESOURCENAME": "cloud"}, "a0 a1"),
        ({"NODE_ACCESS_TOKEN": "gold"}, "b1 c0"),
        ({"NODE_ACCESS_TOKEN": "blue", "NODE_SOURCE": "cloud"}, "b1"),
        ({"NODE_ACCESS_TOKEN": "red"}, ""),
        ({"NODE_SOURCE": "moon"}, ""),
    ],
)
def test_source_and_token(stage, task, information, names):
    """A task takes only slots of its node source and with its token; a slot with tokens is for tasks that have one."""
    play = stage(slots=SLOTS)
    play.submit(*(task(f"T{number}") for number in range(6)), generic_information=information)
    assert " ".join(row.slot for row in play.rows_of() if row.slot) == names


def test_task_information_wins_over_the_jobs(stage, task):
    """Generic information of the task overrides the job's."""
    play = stage(slots=SLOTS)
    play.submit(task("A", generic_information={"NODE_SOURCE": "cloud"}), generic_information={"NODE_SOURCE": "Default"})
    assert play.row("A").slot == "b0"


def test_references_in_the_source_are_resolved_at_the_start(stage, task):
    """A node source may depend on variables that a parent set, and on the replication."""
    play = stage(slots=SLOTS)
    wish = {"NODE_SOURCE": "${S_${PA_TASK_REPLICATION}}"}
    play.submit(
        task("R", runs=True),
        task("W", "R", generic_information=wish),
        task("M", "W"),
        variables=(Variable(name="S_0", value="Default"),),
    )
    play.end("R", 2, variables={"S_1": "cloud"})
    assert (play.row("W").slot, play.row("W*1").slot) == ("a0", "b0")


def test_references_in_a_circle_find_no_slot(stage, task):
    """A source whose references go round matches nothing, and breaks nothing."""
    play = stage(slots=SLOTS)
    variables = (Variable(name="A", value="${B}"), Variable(name="B", value="${A}"))
    play.submit(task("T", generic_information={"NODE_SOURCE": "${A}"}), variables=variables)
    assert play.status("T") == "PENDING"
    play.tell(events.KillTask, "T")
    assert play.status() == "FINISHED"


def test_a_task_without_slot_does_not_block_others(stage, task):
    """Later tasks pass one that finds no slot."""
    play = stage(slots=2)
    play.submit(task("Big", nodes=3), task("Far", generic_information={"NODE_SOURCE": "moon"}), task("A"), task("B"))
    assert play.statuses() == {"Big": "PENDING", "Far": "PENDING", "A": "RUNNING", "B": "RUNNING"}


def test_several_nodes_are_taken_and_freed_together(stage, task):
    """A task takes as many slots as it asks for, runs on the first, and frees all."""
    play = stage(slots=3)
    play.submit(task("A", nodes=2), task("B", nodes=2), task("C"))
    assert [slot.name for slot in play.start_of("A").slots] == ["local-0", "local-1"]
    assert play.statuses() == {"A": "RUNNING", "B": "PENDING", "C": "RUNNING"}
    play.end("A")
    assert [slot.name for slot in play.start_of("B").slots] == ["local-0", "local-1"]


HOSTS = tuple(Slot(name=f"{host}{number}", host=host) for host in "abc" for number in range(2))


@pytest.mark.parametrize(
    ("topology", "nodes", "busy", "names"),
    [
        (Topology.ARBITRARY, 3, "", "a0 a1 b0"),
        (Topology.BEST_PROXIMITY, 2, "a0", "a1 b0"),
        (Topology.THRESHOLD_PROXIMITY, 2, "a0", "a1 b0"),
        (Topology.SINGLE_HOST, 2, "a0", "b0 b1"),
        (Topology.SINGLE_HOST, 3, "", ""),
        (Topology.SINGLE_HOST_EXCLUSIVE, 1, "a1", "b0 b1"),
        (Topology.SINGLE_HOST_EXCLUSIVE, 1, "a0 b0 c0", ""),
        (Topology.MULTIPLE_HOSTS_EXCLUSIVE, 3, "a0", "b0 b1 c0 c1"),
        (Topology.MULTIPLE_HOSTS_EXCLUSIVE, 5, "a0", ""),
        (Topology.DIFFERENT_HOSTS_EXCLUSIVE, 2, "", "a0 b0 a1 b1"),
        (Topology.DIFFERENT_HOSTS_EXCLUSIVE, 3, "a0", ""),
    ],
)
def test_topologies(topology, nodes, busy, names):
    """Hosts are taken as the topology asks: one, several, each a different one, and none shared where exclusive."""
    board = SlotBoard()
    board.change(HOSTS)
    board.hold([slot for slot in HOSTS if slot.name in busy.split()], (1, 1))
    assert " ".join(slot.name for slot in board.find(Demand(nodes=nodes, topology=topology))) == names


def answer(play, slot, selected):
    """The selection script of the only task answers about a slot."""
    question = next(question for question in play.questions if question.slot.name == slot)
    play.questions.remove(question)
    play.send(events.SelectionEnded, job_id=1, task_id=question.task_id, slot=slot, selected=selected)


def asked(play):
    return [question.slot.name for question in play.questions]


def test_selected_slot_is_taken(stage, task):
    """The scripts are asked about a slot, which is kept meanwhile; a yes starts the task there."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC), task("B"), variables=(Variable(name="V", value="v"),))
    assert (asked(play), play.statuses()) == (["local-0"], {"A": "PENDING", "B": "PENDING"})
    assert play.questions[0].inherited["V"] == "v"
    answer(play, "local-0", True)
    assert play.statuses() == {"A": "RUNNING", "B": "PENDING"}


def test_refused_slot_goes_to_others_and_the_next_is_asked(stage, task):
    """A no frees the slot for other tasks; the task asks about the next slot."""
    play = stage(slots=2)
    play.submit(task("A", selection=DYNAMIC), task("B"), task("C"))
    answer(play, "local-0", False)
    assert (asked(play), play.row("B").slot, play.row("C").slot) == ([], "local-1", "local-0")
    play.end("B")
    assert asked(play) == ["local-1"]
    answer(play, "local-1", True)
    assert play.row("A").slot == "local-1"


def test_dynamic_answers_are_asked_again_with_growing_pauses(stage, task):
    """When every slot refused, the task stays PENDING, is never faulty for it, and asks again: after 1, 2, 4 … s."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC))
    for pause in (1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000):
        answer(play, "local-0", False)
        assert (play.status("A"), play.machine.next_wakeup) == ("PENDING", play.now + pause)
        play.pass_time(pause)
    answer(play, "local-0", True)
    assert play.status("A") == "RUNNING"


def test_static_answers_are_remembered_for_all_copies(stage, task):
    """A static script is asked once about a slot; its no is final until there are other slots."""
    play = stage(slots=2)
    play.submit(task("R", runs=True), task("W", "R", selection=STATIC), task("M", "W"))
    play.end("R", 4)
    answer(play, "local-0", False)
    answer(play, "local-1", True)
    assert (asked(play), [row.name for row in play.rows_of() if row.status.name == "RUNNING"]) == ([], ["W*1"])
    play.run()
    assert (play.status(), {start.slots[0].name for start in play.started[1:-1]}) == ("FINISHED", {"local-1"})


def test_static_refusal_waits_for_other_slots(stage, task):
    """Without a slot that was not refused nothing is asked any more; a new slot is."""
    play = stage(slots=1)
    play.submit(task("A", selection=STATIC))
    answer(play, "local-0", False)
    assert (asked(play), play.machine.next_wakeup, play.status("A")) == ([], None, "PENDING")
    play.send_slots(Slot(name="local-0"), Slot(name="new"))
    assert asked(play) == ["new"]
    answer(play, "new", True)
    assert play.row("A").slot == "new"


def test_selection_of_several_nodes(stage, task):
    """Every slot of a task must be accepted; those accepted before are not asked about again at once."""
    play = stage(slots=3)
    play.submit(task("A", nodes=2, selection=DYNAMIC))
    assert asked(play) == ["local-0", "local-1"]
    answer(play, "local-0", True)
    answer(play, "local-1", False)
    assert asked(play) == ["local-2"]
    answer(play, "local-2", True)
    assert [slot.name for slot in play.start_of("A").slots] == ["local-0", "local-2"]


@pytest.mark.parametrize("event", [events.KillTask, events.PauseJob, events.KillJob])
def test_question_of_a_task_that_stopped_waiting(stage, task, event):
    """A task that is killed or paused while its scripts are asked gives its slot back; the answer comes too late."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC))
    play.submit(task("B"), job_id=2)
    question = play.questions[0]
    play.tell(event, *(["A"] if event is events.KillTask else []))
    assert play.status("B", 2) == "RUNNING"
    late = {"job_id": 1, "task_id": question.task_id, "slot": question.slot.name, "selected": True}
    assert play.send(events.SelectionEnded, **late) == []


def test_task_that_all_slots_refuse_can_be_killed(stage, task):
    """A task that no slot accepts can be killed."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC))
    answer(play, "local-0", False)
    play.tell(events.KillTask, "A")
    assert (play.status(), play.machine.next_wakeup) == ("FINISHED", None)


def test_slot_that_vanished_while_asked(stage, task):
    """A yes for a slot that is gone by then does not start the task there."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC))
    play.send_slots(Slot(name="new"))
    answer(play, "local-0", True)
    assert asked(play) == ["new"]


def test_frozen_scheduler_holds_a_selected_task(stage, task):
    """An answer that comes while the scheduler is frozen starts nothing until it is resumed."""
    play = stage(slots=1)
    play.submit(task("A", selection=DYNAMIC))
    play.send(events.SchedulerCommand, verb="freeze")
    answer(play, "local-0", True)
    assert play.status("A") == "PENDING"
    play.send(events.SchedulerCommand, verb="resume")
    assert play.status("A") == "RUNNING"


def test_a_locked_slot_starts_nothing(stage, task):
    """Tasks wait for it until it is unlocked; what runs there runs to its end, and unknown names are ignored."""
    play = stage(slots=2)
    play.submit(task("A"), task("B"), task("C"))
    play.send(events.LockSlots, names=("local-0", "local-1", "nowhere"))
    play.end("A")
    play.end("B")
    assert play.statuses() == {"A": "FINISHED", "B": "FINISHED", "C": "PENDING"}
    assert play.machine.unmet(1, 2) == "All 2 nodes are locked."
    play.send(events.LockSlots, names=("local-1",), locked=False)
    assert play.row("C").slot == "local-1"
    assert [state.locked for state in play.machine.slots] == [True, False]


def test_a_task_that_runs_or_waits_for_others_has_no_unmet_condition(stage, task):
    """Only what is ready can lack a node."""
    play = stage(slots=1)
    play.submit(task("A"), task("B", "A"), task("C"))
    assert [play.machine.unmet(1, number) for number in range(3)] == ["", "", "The only node is busy."]


def test_slots_of_the_same_site_come_first():
    """A task gets a free slot where its parents ran, where slots have sites; of equal ones the first."""
    board = SlotBoard()
    board.change((*(Slot(name=f"{site}{number}", site=site) for number in (0, 1) for site in "ab"), Slot(name="c0")))
    near = [" ".join(slot.name for slot in board.find(Demand(nodes=3), near)) for near in ([], ["b1"], ["gone"])]
    board.change((Slot(name="c0"), Slot(name="c1")))
    near.append(board.find(Demand(), ["c1"])[0].name)
    assert near == ["a0 b0 a1", "b0 b1 a0", "a0 b0 a1", "c0"]


def test_a_child_runs_in_the_site_of_its_parent(stage, task):
    """Also where another slot would be the first one."""
    play = stage(slots=(Slot(name="a0", site="a"), Slot(name="b0", site="b")))
    play.submit(task("Busy"), task("A"), task("B", "A"))
    play.end("Busy")
    play.end("A")
    assert [row.slot for row in play.rows_of()] == ["a0", "b0", "b0"]
