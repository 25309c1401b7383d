"""What this machine remembers of the files it sent with jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client.jobs.transfer_records import TransferRecord, TransferRecords
from proactive_jupyter_kernel.errors import SetupError

RECORD = TransferRecord(name="me_1", scheduler="http://h:8080", job_id=7, output="/home/me/résultats")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Also one without a job yet; a removed one is gone, and removing it again does no harm."""
    records = TransferRecords(tmp_path / "new")
    for record in (RECORD, replace(RECORD, job_id=None, output="")):
        records.write(record)
        assert records.read("me_1") == record
    records.remove("me_1")
    records.remove("me_1")
    assert (records.read("me_1"), list((tmp_path / "new").iterdir())) == (None, [])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"scheduler": "x", "job": "y", "output": ""}'])
def test_what_is_not_a_record_is_none(tmp_path: Path, text: str) -> None:
    """A damaged file makes nothing be fetched."""
    (tmp_path / "me_1.json").write_text(text)
    assert TransferRecords(tmp_path).read("me_1") is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Before files are sent that could not be found again."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be recorded in") as caught:
        TransferRecords(tmp_path / "file").write(RECORD)
    assert "PROACTIVE_KERNEL_DATA_DIR" in caught.value.hint
