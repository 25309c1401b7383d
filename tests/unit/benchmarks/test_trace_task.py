"""What the tracer makes of its marks; nothing is started."""

from __future__ import annotations

from benchmarks import trace_task

_LIFE = {"sent": 0, "received": 1_000_000, "stored": 3_000_000, "fetched": 7_000_000}


def test_steps_are_listed_in_order_of_time_with_medians() -> None:
    """Since the step before, and since the beginning, in milliseconds."""
    slow = {step: 2 * at for step, at in _LIFE.items()}
    assert trace_task.table([_LIFE, _LIFE, slow]) == [
        ("sent", 0.0, 0.0),
        ("received", 1.0, 1.0),
        ("stored", 2.0, 3.0),
        ("fetched", 4.0, 7.0),
    ]


def test_spans_for_the_trace_viewer_join_one_step_to_the_next() -> None:
    """Microseconds; a row for each life."""
    events = trace_task.chrome([_LIFE])["traceEvents"]
    assert [(span["name"], span["ts"], span["dur"], span["tid"]) for span in events] == [
        ("until received", 0.0, 1000.0, 0),
        ("until stored", 1000.0, 2000.0, 0),
        ("until fetched", 3000.0, 4000.0, 0),
    ]
