"""Branch, loop and replicate: which tasks come about, what they depend on and whose results they see.

The expected graphs were derived by hand from the rules of ProActive (InternalJob.java and its termination handlers).
A workflow is drawn as ``name(parents) words``; so is what came of it, with statuses that are not FINISHED.
"""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Variable

REPLICATE = "Split runs; Work(Split); Merge(Work)"
REPLICATED_LOOP = "A start runs; B(A); C(B) end loop=A; D(C)"
NESTED = "T runs; T1(T) start runs; T2(T1); T3(T2) end; T4(T3)"
BRANCH = "I if=T,O,J; T; O; J; K(J)"
OPEN_BRANCH = "I if=T,O; T; T1(T); O; O1(O); O2(O1)"
BRANCH_OF_BLOCKS = "I if=T,O,J; T start; T1(T); T2(T1) end; O start; O1(O); O2(O1) end; J"
BRANCH_IN_LOOP = "Start start; If(Start) if=yes,no,Loop; yes; no; Loop end loop=Start; After(Loop)"
SELF_LOOP = "A; L(A) loop=L; Z(L)"
LOOP_IN_LOOP = "A start; S(A) start; L(S) end loop=S; Z(L) end loop=A"
REPLICATED_BLOCK_WITH_BRANCH = "R runs; S(R) start; I(S) if=T,O,E; T; O; E end; M(E)"
LOOP_IN_REPLICATE = "R runs; S(R) start; W(S); L(W) end loop=S; M(L)"

SCENARIOS = {
    "replicate": (
        REPLICATE,
        {"Split": 3},
        "Split; Work(Split); Merge(Work Work*1 Work*2); Work*1(Split); Work*2(Split)",
    ),
    "replicate once": (REPLICATE, {"Split": 1}, "Split; Work(Split); Merge(Work)"),
    "replicate zero times": (REPLICATE, {"Split": 0}, "Split; Work(Split) SKIPPED; Merge(Work)"),
    "replicate without children": ("A runs", {"A": 3}, "A"),
    "replicate two children": (
        "S runs; X(S); Y(S); M(X Y)",
        {"S": 2},
        "S; X(S); Y(S); M(X Y X*1 Y*1); X*1(S); Y*1(S)",
    ),
    "replicate a block with two ways": (
        "S runs; A(S) start; B(A); C(A); E(B C) end; M(E)",
        {"S": 2},
        "S; A(S); B(A); C(A); E(B C); M(E E*1); A*1(S); B*1(A*1); C*1(A*1); E*1(B*1 C*1)",
    ),
    "replicate in a loop": (
        REPLICATED_LOOP,
        {"A": 2, "C": [True, False]},
        "A; B(A); C(B B*1); D(C#1); B*1(A); A#1(C); B#1(A#1); C#1(B#1 B#1*1); B#1*1(A#1)",
    ),
    "replicate in a replicate": (
        NESTED,
        {"T": 2, "T1": 2},
        "T; T1(T); T2(T1); T3(T2 T2*2); T4(T3 T3*1); T1*1(T); T2*1(T1*1); T3*1(T2*1 T2*3); T2*2(T1); T2*3(T1*1)",
    ),
    "replicate of zero in a replicate": (
        NESTED,
        {"T": 2, "T1": [0, 1]},
        "T; T1(T); T2(T1) SKIPPED; T3(T2); T4(T3 T3*1); T1*1(T); T2*1(T1*1); T3*1(T2*1)",
    ),
    "branch: if": (BRANCH, {"I": "if"}, "I; T(I); O(I) SKIPPED; J(T); K(J)"),
    "branch: else": (BRANCH, {"I": "else"}, "I; T(I) SKIPPED; O(I); J(O); K(J)"),
    "branch without continuation: if": (
        OPEN_BRANCH,
        {"I": "if"},
        "I; T(I); T1(T); O(I) SKIPPED; O1(O) SKIPPED; O2(O1) SKIPPED",
    ),
    "branch without continuation: else": (
        OPEN_BRANCH,
        {"I": "ELSE"},
        "I; T(I) SKIPPED; T1(T) SKIPPED; O(I); O1(O); O2(O1)",
    ),
    "branch of blocks": (
        BRANCH_OF_BLOCKS,
        {"I": "if"},
        "I; T(I); T1(T); T2(T1); O(I) SKIPPED; O1(O) SKIPPED; O2(O1) SKIPPED; J(T2)",
    ),
    "branch with a continuation that names no task": (
        "I if=T,O,Nobody; T; O",
        {"I": "if"},
        "I; T(I); O(I) SKIPPED",
    ),
    "chained branches": (
        "I if=T,O,J; T; O; J if=U,V,K; U; V; K",
        {"I": "else", "J": "if"},
        "I; T(I) SKIPPED; O(I); J(O); U(J); V(J) SKIPPED; K(U)",
    ),
    "branch in a branch, chosen": (
        "I if=T,O,J; T start; P(T) if=U,V,Q; U; V; Q end; O; J",
        {"I": "if", "P": "else"},
        "I; T(I); P(T); U(P) SKIPPED; V(P); Q(V); O(I) SKIPPED; J(Q)",
    ),
    "branch in a branch, skipped": (
        "I if=T,O,J; T start; P(T) if=U,V,Q; U; V; Q end; O; J",
        {"I": "else"},
        "I; T(I) SKIPPED; P(T) SKIPPED; U SKIPPED; V SKIPPED; Q SKIPPED; O(I); J(O)",
    ),
    "branch in a branch without continuations, skipped": (
        "I if=T,O; T if=U,V; U; U1(U); V; O",
        {"I": "else"},
        "I; T(I) SKIPPED; U SKIPPED; U1(U) SKIPPED; V SKIPPED; O(I)",
    ),
    "loop of one task": (SELF_LOOP, {"L": [True, "TRUE", False]}, "A; L(A); Z(L#2); L#1(L); L#2(L#1)"),
    "loop of one task, not at all": (SELF_LOOP, {"L": False}, "A; L(A); Z(L)"),
    "loop of a block": (
        "A; S(A) start; W(S); E(W) end loop=S; Z(A E)",
        {"E": [True, False]},
        "A; S(A); W(S); E(W); Z(A E#1); S#1(E); W#1(S#1); E#1(W#1)",
    ),
    "loop moves its end to the last place": (
        "L loop=L; A; Z(L A)",
        {"L": [True, False]},
        "L; A; Z(A L#1); L#1(L)",
    ),
    "loop in a loop": (
        LOOP_IN_LOOP,
        {"L": [True, False, True, False], "Z": [True, False]},
        "A; S(A); L(S); Z(L#1); S#1(L); L#1(S#1); A#1(Z); S#2(A#1); L#2(S#2); Z#1(L#3); S#3(L#2); L#3(S#3)",
    ),
    "loop in a loop over one task": (
        "A start; X(A) loop=X; Z(X) end loop=A",
        {"X": [True, True, False, False], "Z": [True, False]},
        "A; X(A); Z(X#2); X#1(X); X#2(X#1); A#1(Z); X#3(A#1); Z#1(X#3)",
    ),
    "branch in a loop": (
        BRANCH_IN_LOOP,
        {"If": "if", "Loop": [True, True, False]},
        "Start; If(Start); yes(If); no(If) SKIPPED; Loop(yes); After(Loop#2); "
        "Start#1(Loop); If#1(Start#1); yes#1(If#1); no#1(If#1) SKIPPED; Loop#1(yes#1); "
        "Start#2(Loop#1); If#2(Start#2); yes#2(If#2); no#2(If#2) SKIPPED; Loop#2(yes#2)",
    ),
    "branch in a loop, another way each time": (
        BRANCH_IN_LOOP,
        {"If": ["else", "if"], "Loop": [True, False]},
        "Start; If(Start); yes(If) SKIPPED; no(If); Loop(no); After(Loop#1); "
        "Start#1(Loop); If#1(Start#1); yes#1(If#1); no#1(If#1) SKIPPED; Loop#1(yes#1)",
    ),
    "loop in a branch": (
        "I if=T,O,J; T start; L(T) end loop=T; O; J",
        {"I": "if", "L": [True, False]},
        "I; T(I); L(T); O(I) SKIPPED; J(L#1); T#1(L); L#1(T#1)",
    ),
    "loop of a branch's only task": (
        "I if=T,O,J; T loop=T; O; J",
        {"I": "if", "T": [True, False]},
        "I; T(I); O(I) SKIPPED; J(T#1); T#1(T)",
    ),
    "loop of the continuation": (
        "I if=T,O,J; T; O; J loop=J; K(J)",
        {"I": "if", "J": [True, False]},
        "I; T(I); O(I) SKIPPED; J(T); K(J#1); J#1(J)",
    ),
    "replicate in a branch": (
        "I if=T,O,J; T start runs; W(T); M(W) end; O; J",
        {"I": "if", "T": 2},
        "I; T(I); W(T); M(W W*1); O(I) SKIPPED; J(M); W*1(T)",
    ),
    "replicate as a branch's only task leaves the continuation single": (
        "I if=T,O,J; T runs; O; J; K(J)",
        {"I": "if", "T": 3},
        "I; T(I); O(I) SKIPPED; J(T); K(J)",
    ),
    "branch in a replicate": (
        REPLICATED_BLOCK_WITH_BRANCH,
        {"R": 2, "I": "if", "I*1": "else"},
        "R; S(R); I(S); T(I); O(I) SKIPPED; E(T); M(E E*1); S*1(R); I*1(S*1); T*1(I*1) SKIPPED; O*1(I*1); E*1(O*1)",
    ),
    "branch in a replicate of zero": (
        REPLICATED_BLOCK_WITH_BRANCH,
        {"R": 0},
        "R; S(R) SKIPPED; I(S) SKIPPED; T SKIPPED; O SKIPPED; E SKIPPED; M(E)",
    ),
    "loop in a replicate": (
        LOOP_IN_REPLICATE,
        {"R": 2, "L": [True, False], "L*1": False, "L#1": False},
        "R; S(R); W(S); L(W); M(L*1 L#1); S*1(R); W*1(S*1); L*1(W*1); S#1(L); W#1(S#1); L#1(W#1)",
    ),
    "loop in every replica": (
        LOOP_IN_REPLICATE,
        {"R": 2, "L": True, "L*1": True, "L#1": False, "L#1*1": False},
        "R; S(R); W(S); L(W); M(L#1 L#1*1); S*1(R); W*1(S*1); L*1(W*1); "
        "S#1(L); W#1(S#1); L#1(W#1); S#1*1(L*1); W#1*1(S#1*1); L#1*1(W#1*1)",
    ),
    "replicate in a loop in a replicate": (
        "R runs; S(R) start runs; W(S); L(W) end loop=S; M(L)",
        {"R": 2, "S": 2, "L": True, "L*1": False, "L#1": False},
        "R; S(R); W(S); L(W W*2); M(L*1 L#1); S*1(R); W*1(S*1); L*1(W*1 W*3); W*2(S); W*3(S*1); "
        "S#1(L); W#1(S#1); L#1(W#1 W#1*1); W#1*1(S#1)",
    ),
    "loop in a branch in a replicate": (
        "R runs; S(R) start; I(S) if=T,O,E; T loop=T; O; E end; M(E)",
        {"R": 2, "I": "if", "I*1": "else", "T": True, "T#1": False},
        "R; S(R); I(S); T(I); O(I) SKIPPED; E(T#1); M(E E*1); "
        "S*1(R); I*1(S*1); T*1(I*1) SKIPPED; O*1(I*1); E*1(O*1); T#1(T)",
    ),
    "replicate in a branch in a loop": (
        "A start; I(A) if=T,O,Z; T start runs; W(T); M(W) end; O; Z end loop=A",
        {"I": ["if", "else"], "T": 2, "Z": [True, False]},
        "A; I(A); T(I); W(T); M(W W*1); O(I) SKIPPED; Z(M); W*1(T); A#1(Z); I#1(A#1); T#1(I#1) SKIPPED; "
        "W#1(T#1) SKIPPED; M#1(W#1) SKIPPED; O#1(I#1); Z#1(O#1)",
    ),
    "branch in a replicate in a loop": (
        "A start runs; S(A) start; I(S) if=T,O,E; T; O; E end; Z(E) end loop=A",
        {"A": [2, 1], "I": "if", "I*1": "else", "Z": [True, False], "I#1": "if"},
        "A; S(A); I(S); T(I); O(I) SKIPPED; E(T); Z(E E*1); S*1(A); I*1(S*1); T*1(I*1) SKIPPED; O*1(I*1); E*1(O*1); "
        "A#1(Z); S#1(A#1); I#1(S#1); T#1(I#1); O#1(I#1) SKIPPED; E#1(T#1); Z#1(E#1)",
    ),
    "branch in a loop in a branch": (
        "P if=A,X,Y; A start; I(A) if=T,O,Z; T; O; Z end loop=A; X; Y",
        {"P": "if", "I": ["if", "else"], "Z": [True, False]},
        "P; A(P); I(A); T(I); O(I) SKIPPED; Z(T); X(P) SKIPPED; Y(Z#1); "
        "A#1(Z); I#1(A#1); T#1(I#1) SKIPPED; O#1(I#1); Z#1(O#1)",
    ),
    "replicate three deep": (
        "A runs; B(A) start runs; C(B) start runs; D(C); E(D) end; F(E) end; G(F)",
        {"A": 1, "B": 2, "C": 2},
        "A; B(A); C(B); D(C); E(D D*2); F(E E*1); G(F); C*1(B); D*1(C*1); E*1(D*1 D*3); D*2(C); D*3(C*1)",
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_graph(stage, name):
    """The tasks, their dependencies and statuses are what ProActive makes of this workflow and these answers."""
    workflow, answers, expected = SCENARIOS[name]
    play = stage()
    play.draw(workflow)
    play.run(answers)
    assert play.status() == "FINISHED"
    assert play.picture() == expected


@pytest.mark.parametrize("name", SCENARIOS)
def test_graph_survives_a_restart_before_every_event(stage, name):
    """A scheduler that is killed and restarted all the time makes the same of it."""
    workflow, answers, expected = SCENARIOS[name]
    play = stage()
    play.draw(workflow)
    play.run(answers, restarting=True)
    assert play.picture() == expected


def test_results_in_loops_and_branches(stage):
    """An iteration sees the previous one's last result, a target its branch, a continuation the way that was taken."""
    play = stage()
    play.draw(BRANCH_IN_LOOP)
    play.run({"If": ["else", "if"], "Loop": [True, False]})
    seen = {name: play.results(name) for name in ("no", "Loop", "Start#1", "yes#1", "Loop#1", "After")}
    assert seen == {
        "no": "If",
        "Loop": "no",
        "Start#1": "Loop",
        "yes#1": "If#1",
        "Loop#1": "yes#1",
        "After": "Loop#1",
    }


@pytest.mark.parametrize(
    ("workflow", "answers", "task", "results"),
    [
        (REPLICATE, {"Split": 3}, "Merge", "Work Work*1 Work*2"),
        (REPLICATE, {"Split": 0}, "Merge", "Split"),
        (REPLICATED_BLOCK_WITH_BRANCH, {"R": 0}, "M", "R"),
        ("S runs; X(S); Y(S); M(X Y)", {"S": 0}, "M", "S"),
        ("A; S(A) runs; X(S); M(A X)", {"S": 0}, "M", "A S"),
    ],
)
def test_results_of_a_merge(stage, workflow, answers, task, results):
    """A merge task sees its replicas in order of creation; instead of skipped ones their nearest ancestors, once."""
    play = stage()
    play.draw(workflow)
    play.run(answers)
    assert play.results(task) == results


def test_tags_and_indices_of_copies(stage):
    """Copies carry the tag of the control that made them, their indices and fresh executions; originals have none."""
    play = stage()
    play.draw(REPLICATED_LOOP, max_executions=3)
    play.run({"A": 2, "C": [True, False]})
    rows = {row.name: (row.tag, row.base_name, row.iteration, row.replication) for row in play.rows_of()}
    assert rows == {
        "A": ("", "A", 0, 0),
        "B": ("", "B", 0, 0),
        "C": ("", "C", 0, 0),
        "D": ("", "D", 0, 0),
        "B*1": ("REPLICATE-A-1", "B", 0, 1),
        "A#1": ("LOOP-C-1", "A", 1, 0),
        "B#1": ("LOOP-C-1", "B", 1, 0),
        "C#1": ("LOOP-C-1", "C", 1, 0),
        "B#1*1": ("REPLICATE-A#1-1", "B", 1, 1),
    }
    assert {row.executions_left for row in play.rows_of()} == {3}
    variables = play.start_of("B#1*1").inherited
    assert (variables["PA_TASK_ITERATION"], variables["PA_TASK_REPLICATION"], variables["PA_TASK_NAME"]) == (
        1,
        1,
        "B#1*1",
    )


def test_tag_of_a_loop_in_a_replica(stage):
    """The tag of a loop names its initiator without the iteration but with the replication."""
    play = stage()
    play.draw(LOOP_IN_REPLICATE)
    play.run({"R": 2, "L": False, "L*1": True, "L#1*1": False})
    assert play.row("W#1*1").tag == "LOOP-L*1-1"


def test_variables_go_around_a_loop(stage):
    """The next iteration inherits what the last task of the previous one handed on."""
    play = stage()
    play.draw(SELF_LOOP, variables=(Variable(name="n", value="0"),))
    play.end("A")
    play.end("L", True, variables={"n": 1})
    assert play.start_of("L#1").inherited["n"] == 1
    play.end("L#1", False, variables={"n": 2})
    assert play.start_of("Z").inherited["n"] == 2


def test_counters_follow_copies_and_skips(stage):
    """Copies raise the total; skipped tasks count as finished at once."""
    play = stage(slots=1)
    play.draw("S runs; W(S); M(W); I(M) if=T,O; T; T1(T); O")
    play.end("S", 3)
    assert play.counters() == {"total": 9, "pending": 7, "running": 1, "finished": 1}
    for name in ("W", "W*1", "W*2", "M"):
        play.end(name)
    play.end("I", "else")
    assert play.counters() == {"total": 9, "running": 1, "finished": 8}


def test_events_of_controls(stage):
    """Listeners hear of replication, iteration and skipped tasks."""
    play = stage()
    play.draw("S runs; W(S); M(W)")
    play.events()
    play.end("S", 2)
    assert play.events()[:2] == ["TASK_RUNNING_TO_FINISHED", "TASK_REPLICATED"]
    play = stage()
    play.draw(BRANCH)
    play.events()
    play.end("I", "if")
    assert play.events()[:2] == ["TASK_RUNNING_TO_FINISHED", "TASK_SKIPPED"]


# --- failures --------------------------------------------------------------------------------------------------------

DEFAULTS = {
    "branch": (BRANCH, "I", "I {}; T(I); O(I) SKIPPED; J(T); K(J)"),
    "loop": ("A; L(A) loop=L; Z(L)", "L", "A; L(A) {}; Z(L)"),
    "replicate": (REPLICATE, "Split", "Split {}; Work(Split); Merge(Work)"),
}


@pytest.mark.parametrize("control", DEFAULTS)
@pytest.mark.parametrize("kind", [FailureKind.ERROR, FailureKind.DIED, FailureKind.WALLTIME])
def test_default_action_of_a_faulty_task(stage, failed, control, kind):
    """A task that ends FAULTY without an answer takes the default: the if branch, no loop, one run."""
    workflow, name, expected = DEFAULTS[control]
    play = stage()
    play.draw(workflow)
    if control == "loop":
        play.end("A")
    play.end(name, failure=failed(kind))
    play.run()
    assert play.picture() == expected.format("FAULTY")


@pytest.mark.parametrize("control", DEFAULTS)
def test_default_action_of_a_killed_task(stage, control):
    """A task that is killed without its job takes the default action, too."""
    workflow, name, expected = DEFAULTS[control]
    play = stage()
    play.draw(workflow)
    if control == "loop":
        play.end("A")
    play.tell(events.KillTask, name)
    play.run()
    assert play.picture() == expected.format("ABORTED")


def test_default_action_of_a_task_finished_in_error(stage, failed):
    """A branch task that a person finishes takes the if branch, so that its job can end."""
    play = stage()
    play.draw(BRANCH, on_error=ErrorPolicy.SUSPEND_TASK)
    play.end("I", failure=failed())
    assert play.picture() == "I IN_ERROR; T SUBMITTED; O SUBMITTED; J SUBMITTED; K(J) SUBMITTED"
    play.tell(events.FinishInErrorTask, "I")
    play.run()
    assert play.picture() == "I; T(I); O(I) SKIPPED; J(T); K(J)"


def test_answer_of_a_failed_task_is_obeyed(stage, failed):
    """The flow script runs also after a failure, and decides, so that a loop can go on until its task succeeds."""
    play = stage()
    play.draw(SELF_LOOP)
    play.end("A")
    play.end("L", True, failure=failed())
    play.end("L#1", False)
    play.run()
    assert play.picture() == "A; L(A) FAULTY; Z(L#1); L#1(L)"


def test_no_action_while_executions_are_left(stage, failed):
    """An execution that will be repeated takes no flow action."""
    play = stage()
    play.draw(SELF_LOOP, max_executions=2, retry_delay=1)
    play.end("A")
    play.end("L", True, failure=failed())
    assert play.picture() == "A; L(A) WAITING_ON_ERROR; Z(L) SUBMITTED"
    play.pass_time(1_000)
    play.end("L", False)
    play.run()
    assert play.picture() == "A; L(A); Z(L)"


def test_no_action_when_the_job_is_cancelled(stage, failed):
    """With its job, a failed branch task decides nothing."""
    play = stage()
    play.draw(BRANCH, on_error=ErrorPolicy.CANCEL_JOB)
    play.end("I", "else", failure=failed())
    assert play.picture() == "I FAULTY; T NOT_STARTED; O NOT_STARTED; J NOT_STARTED; K(J) NOT_STARTED"


def test_controls_in_a_paused_job(stage):
    """Copies and skips that a running task brings about in a paused job wait with it."""
    play = stage()
    play.draw("S runs; W(S); M(W)")
    play.tell(events.PauseJob)
    play.end("S", 2)
    assert play.picture() == "S; W(S) PAUSED; M(W W*1) PAUSED; W*1(S) PAUSED"
    play.tell(events.ResumeJob)
    play.run()
    assert play.picture() == "S; W(S); M(W W*1); W*1(S)"


def test_targets_are_not_entry_points(stage):
    """Targets, else and continuation have no dependency, but wait for their branch."""
    play = stage()
    play.draw(BRANCH)
    assert play.statuses() == {"I": "RUNNING", "T": "SUBMITTED", "O": "SUBMITTED", "J": "SUBMITTED", "K": "SUBMITTED"}
    assert play.tell(events.KillTask, "T") == []
