"""Files of data spaces, carried through the scheduler to workers that cannot see its folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.integration.dask.conftest import DEADLINE, Cluster

from proactive_jupyter_kernel.workflow import Task, Workflow
from proactive_jupyter_kernel.workflow.model import FileSelector, Script

pytestmark = pytest.mark.dask


def files(mode: str, *patterns: str) -> tuple[FileSelector, ...]:
    return tuple(FileSelector(includes=pattern, access_mode=mode) for pattern in patterns)


def task(name: str, code: str, language: str = "bash", **fields: Any) -> Task:
    return Task(name=name, executable=Script(language=language, code=code), **fields)


def run(cluster: Cluster, *tasks: Task, **fields: Any) -> Any:
    return cluster.scheduler.submit(Workflow(name="Files", tasks=tasks), **fields)


def space(cluster: Cluster, kind: str) -> Path:
    folder = cluster.data_dir / "spaces" / kind
    return folder if kind == "global" else next(folder.iterdir())


def test_files_go_from_worker_to_worker(lasting: Cluster) -> None:
    """What a task on one worker leaves in a space is in the folder of a task on another; large files, too."""
    first = task(
        "First",
        "mkdir out; head -c 9000001 /dev/urandom > out/big.bin; : > out/empty; sha256sum < out/big.bin",
        output_files=files("transferToUserSpace", "out/*"),
        generic_information={"NODE_SOURCE": "a"},
    )
    second = task(
        "Second",
        "sha256sum < out/big.bin; wc -c < out/empty; pwd",
        depends=("First",),
        input_files=files("transferFromUserSpace", "out/*"),
        generic_information={"NODE_SOURCE": "b"},
    )
    job = run(lasting, first, second)
    assert job.wait(timeout=DEADLINE).went_well, lasting.log(job, "Second")
    digest, empty, folder = lasting.log(job, "Second").splitlines()
    assert (digest, empty) == (lasting.log(job, "First"), "0")
    assert str(lasting.folder / "b") in folder
    assert (space(lasting, "user") / "out/big.bin").stat().st_size == 9_000_001


def test_a_child_runs_where_the_files_of_its_parent_are(lasting: Cluster) -> None:
    """Its input files are on that worker already, and do not travel again."""
    for round_number in range(4):
        name = f"near{round_number}.txt"
        where = f"echo $variables_PA_NODE_NAME > {name}"
        first = task("First", where, output_files=files("transferToUserSpace", name))
        second = task(
            "Second",
            f"cat {name}; echo $variables_PA_NODE_NAME",
            depends=("First",),
            input_files=files("transferFromUserSpace", name),
        )
        job = run(lasting, first, second)
        assert job.wait(timeout=DEADLINE).went_well, lasting.log(job, "Second")
        before, after = (line.partition("-")[0] for line in lasting.log(job, "Second").splitlines())
        assert before == after


def test_a_changed_file_comes_again(lasting: Cluster) -> None:
    """What a worker has seen counts only as long as the file is the same; a task may change its copy."""
    path = lasting.data_dir / "spaces" / "global" / "changing.txt"
    seen = []
    for text in ("one\n", "two\n", "two\n"):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        reading = task(
            "T",
            "cat changing.txt; echo spoilt > changing.txt",
            input_files=files("transferFromGlobalSpace", "changing.txt"),
            generic_information={"NODE_SOURCE": "a"},
        )
        job = run(lasting, reading)
        assert job.wait(timeout=DEADLINE).went_well
        seen.append(lasting.log(job))
    assert (seen, path.read_text()) == (["one", "two", "two"], "two\n")


def test_the_cache_is_the_workers(lasting: Cluster) -> None:
    """Files that go to the cache are in a folder of the worker, which its tasks share."""
    (lasting.data_dir / "spaces" / "global" / "shared.txt").write_text("shared\n")
    cached = [
        task(
            name,
            "cat $variables_cachespace/shared.txt; echo $variables_cachespace",
            input_files=files("cacheFromGlobalSpace", "shared.txt"),
            generic_information={"NODE_SOURCE": "c"},
        )
        for name in ("A", "B")
    ]
    job = run(lasting, *cached)
    assert job.wait(timeout=DEADLINE).went_well, lasting.log(job, "A")
    assert lasting.log(job, "A") == lasting.log(job, "B")
    text, folder = lasting.log(job, "A").splitlines()
    assert (text, str(lasting.folder / "c") in folder) == ("shared", True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"input_files": files("transferFromUserSpace", "../x")},
            "Failed to copy input files: The pattern '../x' leaves its space",
        ),
        (
            {"input_files": files("transferFromInputSpace", "big.bin")},
            "the input files have more than 20000000 bytes, which is the most that the scheduler carries to a worker "
            "(PROACTIVE_KERNEL_TRANSFER_LIMIT)",
        ),
        (
            {"output_files": files("transferToUserSpace", "made.bin")},
            "Failed to copy output files: the output files have more than 20000000 bytes",
        ),
        (
            {"output_files": files("transferToUserSpace", "taken/made.txt")},
            "Failed to copy output files: ",
        ),
    ],
)
def test_a_transfer_that_cannot_be_fails_the_task(lasting: Cluster, fields: dict[str, Any], words: str) -> None:
    """With the reason in its log, and nothing half done in the space."""
    for kind, name, size in (("input", "big.bin", 20_000_001), ("user", "taken", 1)):
        with (space(lasting, kind) / name).open("wb") as file:
            file.truncate(size)
    code = "mkdir taken; echo 1 > taken/made.txt; head -c 20000001 /dev/zero > made.bin"
    job = run(lasting, task("T", code, **fields))
    assert job.wait(timeout=DEADLINE).info.faulty == 1
    assert words in lasting.log(job)
    left = sorted(path.name for path in space(lasting, "user").iterdir() if path.name.endswith((".part", "made.bin")))
    assert left == []
