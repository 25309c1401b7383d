"""The texts that name an executor."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.settings.executor_address import LOCAL, DaskAddress, read


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("local", LOCAL),
        ("dask", DaskAddress(sources="none", files="shared", text="dask")),
        (
            "dask://local?workers=4&threads=2",
            DaskAddress(workers=4, threads=2, sources="none", files="shared", text="dask://local?workers=4&threads=2"),
        ),
        (
            " dask://10.0.0.1:8786 ",
            DaskAddress(scheduler="tcp://10.0.0.1:8786", sources="host", files="carried", text="dask://10.0.0.1:8786"),
        ),
        (
            "dask+tls://[::1]:8786?sources=worker&files=shared&lease=30&nodes=3",
            DaskAddress(
                scheduler="tls://[::1]:8786",
                sources="worker",
                files="shared",
                lease=30.0,
                nodes=3,
                text="dask+tls://[::1]:8786?sources=worker&files=shared&lease=30&nodes=3",
            ),
        ),
    ],
)
def test_an_executor_is_read(text: str, address: object) -> None:
    """This machine, a cluster on demand, or the address of a Dask scheduler, with options."""
    assert read(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dusk",
        "local?workers=2",
        "dask://",
        "dask://host",
        "dask://host:0",
        "dask://host:99999",
        "dask://host:8786?workers=2",
        "dask://local?workers=0",
        "dask://local?wrokers=2",
        "dask://host:8786?lease=0.5",
        "dask://host:8786?sources=rack",
        "dask://a b:8786",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """Also options that are unknown, or not for this kind of cluster."""
    with pytest.raises(ValueError, match="is not an executor: it must be local, dask, "):
        read(text)


def test_the_message_says_what_an_executor_can_be() -> None:
    """It names the variable, its text, and the forms that are known."""
    with pytest.raises(EmbeddedSchedulerError) as caught:
        settings.load({"PROACTIVE_KERNEL_EXECUTOR": "dask://host"})
    assert str(caught.value).startswith(
        "PROACTIVE_KERNEL_EXECUTOR is 'dask://host', but it must be local, dask, dask://local?workers=4 or "
        "dask://HOST:PORT"
    )
