"""Data spaces: what comes in, what goes out, which space wins, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot, Wire
from proactive_jupyter_kernel.scheduler.spaces.staging import DataSpaces, clean_cache
from proactive_jupyter_kernel.scheduler.spaces.transfers import TransferFailed
from proactive_jupyter_kernel.workflow.model import FileSelector, Script

KINDS = ("global", "user", "input", "output", "cache")


class Site:
    """The spaces of one user, and a task's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = folder / "local"
        self.spaces = DataSpaces()
        self.said: list[str] = []
        self.stopped = False
        self.addresses = {f"{kind}space": str(folder / kind) for kind in KINDS}
        for name in (*KINDS, "local"):
            (folder / name).mkdir()

    def put(self, path: str, text: str = "") -> Path:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text or path)
        return place

    def attempt(self, files: list[tuple[str, ...]], outputs: bool = False) -> Attempt:
        selectors = tuple(
            FileSelector(access_mode=mode, includes=include, excludes="".join(excludes))
            for mode, include, *excludes in files
        )
        return Attempt(
            job_id=1,
            job_name="J",
            task_id=2,
            task_name="T",
            number=1,
            owner="ana",
            slot=Slot(name="local-0"),
            main=Script(language="bash"),
            spaces=self.addresses,
            input_files=() if outputs else selectors,
            output_files=selectors if outputs else (),
        )

    def fetch(self, *files: tuple[str, ...]) -> dict[str, str]:
        """Carry in; what lies in the task's folder then."""
        self.spaces.fetch(self.attempt(list(files)), self.local, self.said.append, lambda: self.stopped)
        return self.content("local")

    def deliver(self, *files: tuple[str, ...], **variables: Wire) -> None:
        attempt = self.attempt(list(files), outputs=True)
        self.spaces.deliver(attempt, self.local, variables, self.said.append, lambda: self.stopped)

    def content(self, kind: str) -> dict[str, str]:
        """Path -> text."""
        root = self.folder / kind
        return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_files_come_in_at_the_same_path(site: Site) -> None:
    """An input file lies in the task's folder where it lay in its space, with its content."""
    site.put("user/a/b.txt", "b")
    site.put("user/a/c.csv")
    assert site.fetch(("transferFromUserSpace", "a/*.txt")) == {"a/b.txt": "b"}


def test_stronger_space_wins_whatever_the_order(site: Site) -> None:
    """Where several spaces have a path: output over input over user over global."""
    for kind in ("global", "user", "input", "output"):
        for number, weakest in enumerate(("global", "user", "input", "output")):
            if ("global", "user", "input", "output").index(kind) <= number:
                site.put(f"{kind}/{weakest}.txt", kind)
    everything = [(f"transferFrom{kind}Space", "*") for kind in ("Output", "Global", "Input", "User")]
    assert site.fetch(*everything) == {f"{kind}.txt": kind for kind in ("global", "input", "output", "user")}


def test_exclude_takes_files_out(site: Site) -> None:
    """A file that the exclude matches stays."""
    site.put("global/a.txt")
    site.put("global/b.txt")
    assert set(site.fetch(("transferFromGlobalSpace", "*.txt", "b*"))) == {"a.txt"}


def test_no_match_is_a_warning(site: Site) -> None:
    """A selector that chooses nothing writes a line to the task's log, and the task goes on."""
    (site.folder / "user" / "data").mkdir()
    assert site.fetch(("transferFromUserSpace", "*.txt"), ("transferFromUserSpace", "data")) == {}
    assert site.said == [
        "[DATASPACES-WARNING] No file of the user space matches '*.txt'.",
        "[DATASPACES-WARNING] No file of the user space matches 'data': it is a folder; data/** means the files in it.",
    ]


def test_current_file_is_not_copied_again(site: Site) -> None:
    """What is in the task's folder and no older than its source stays as it is; an older one is replaced."""
    source = site.put("user/a.txt", "new")
    there = site.put("local/a.txt", "old")
    os.utime(source, (1_000, 1_000))
    assert site.fetch(("transferFromUserSpace", "a.txt")) == {"a.txt": "old"}
    os.utime(there, (500, 500))
    assert site.fetch(("transferFromUserSpace", "a.txt")) == {"a.txt": "new"}


def test_cache_is_filled_instead_of_the_task_folder(site: Site) -> None:
    """``cacheFrom…`` copies to the cache space, once, until the source changes."""
    source = site.put("input/big.bin", "1")
    assert site.fetch(("cacheFromInputSpace", "*.bin")) == {}
    copied = (site.folder / "cache/big.bin").stat().st_mtime_ns
    site.fetch(("cacheFromInputSpace", "*.bin"))
    assert (site.folder / "cache/big.bin").stat().st_mtime_ns == copied
    source.write_text("22")
    site.fetch(("cacheFromInputSpace", "*.bin"))
    assert site.content("cache") == {"big.bin": "22"}


def test_unused_files_leave_the_cache(site: Site) -> None:
    """What nobody has asked for during its age is removed, with folders that are empty then."""
    old, fresh = site.put("cache/a/old"), site.put("cache/b/fresh")
    os.utime(old, (1_000, 1_000))
    os.utime(fresh, (1_900, 1_000))
    clean_cache(site.folder / "cache", age=500, now=2_000)
    assert [str(path.relative_to(site.folder / "cache")) for path in sorted((site.folder / "cache").rglob("*"))] == [
        "b",
        "b/fresh",
    ]


def test_mode_none_carries_nothing(site: Site) -> None:
    """A selector of the mode ``none`` is no transfer, in either direction."""
    site.put("user/a")
    site.put("local/b")
    site.fetch(("none", "a"))
    site.deliver(("none", "b"))
    assert (site.content("local"), site.said) == ({"b": "local/b"}, [])


def test_files_go_out_and_overwrite(site: Site) -> None:
    """An output file lies at its path in each space that wants it, over what was there."""
    site.put("local/out/a.txt", "new")
    site.put("output/out/a.txt", "old")
    site.deliver(("transferToOutputSpace", "out/*"), ("transferToGlobalSpace", "**"), ("transferToUserSpace", "out/a*"))
    assert [site.content(kind) for kind in ("output", "global", "user")] == [{"out/a.txt": "new"}] * 3


def test_output_patterns_see_variables_as_the_task_left_them(site: Site) -> None:
    """References in the patterns of output files are replaced by the task's variables, texts or not."""
    site.put("local/day-7.txt")
    site.deliver(("transferToUserSpace", "${kind}-${number}.txt"), kind="day", number=7)
    assert site.content("user") == {"day-7.txt": "local/day-7.txt"}


def test_missing_output_space_is_made(site: Site) -> None:
    """An output space that does not exist yet is made by the first file."""
    site.addresses["outputspace"] = str(site.folder / "new" / "deep")
    site.put("local/a", "a")
    site.deliver(("transferToOutputSpace", "a"))
    assert site.content("new") == {"deep/a": "a"}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/nowhere/at/all", "The input space cannot be reached: there is no folder"),
        ("sftp://host/data", "The input space cannot be reached: sftp://host/data is not a folder of this machine"),
        ("", "no input space"),
    ],
)
def test_space_out_of_reach_fails_the_transfer(site: Site, address: str, words: str) -> None:
    """A space that is not there, or not on this machine, is an error that names it."""
    site.addresses["inputspace"] = address
    with pytest.raises(TransferFailed, match=words):
        site.fetch(("transferFromInputSpace", "*"))


def test_unknown_access_mode_is_an_error(site: Site) -> None:
    """A mode that does not exist, or not in this direction, is refused with those that do."""
    with pytest.raises(TransferFailed, match=r"'transferToUserSpace' is not an access mode of inputFiles; .*cacheFrom"):
        site.fetch(("transferToUserSpace", "*"))


@pytest.mark.parametrize("include", ["../secret", "/etc/passwd", "{a,..}/b"])
def test_pattern_that_leaves_its_space_is_refused(site: Site, include: str) -> None:
    """A pattern that goes up or is absolute fails the transfer in; on the way out it is a warning, as on a server."""
    with pytest.raises(TransferFailed, match="leaves its space"):
        site.fetch(("transferFromUserSpace", include))
    site.put("local/a.txt", "a")
    site.deliver(("transferToUserSpace", include), ("transferToUserSpace", "a.txt"))
    assert [line.startswith("[DATASPACES-WARNING] The pattern") for line in site.said] == [True]
    assert site.content("user") == {"a.txt": "a"}


def test_link_out_of_a_space_is_refused(site: Site) -> None:
    """A chosen link that leads out of its space, or a file behind one, fails the transfer."""
    secret = site.put("secret/file", "secret")
    (site.folder / "user/link").symlink_to(secret)
    (site.folder / "user/folder").symlink_to(secret.parent)
    for include in ("link", "folder/file", "l*"):
        with pytest.raises(TransferFailed, match="leads out of it"):
            site.fetch(("transferFromUserSpace", include))
    assert site.content("local") == {}


def test_link_that_a_wide_pattern_meets_is_not_followed(site: Site) -> None:
    """A folder behind a link that leads out stays unread; the task's log says so."""
    site.put("secret/a.txt", "secret")
    site.put("user/b/a.txt", "mine")
    (site.folder / "user/link").symlink_to(site.folder / "secret")
    assert site.fetch(("transferFromUserSpace", "*/a.txt")) == {"b/a.txt": "mine"}
    assert site.said == ["[DATASPACES-WARNING] The link 'link' is not followed: it leads out of the user space."]


def test_links_within_a_space_are_followed(site: Site) -> None:
    """A link to a file or folder of the same space counts as what it leads to; one to its own folder ends."""
    site.put("user/real/a.txt", "a")
    (site.folder / "user/alias").symlink_to("real")
    (site.folder / "user/real/self").symlink_to(".")
    assert site.fetch(("transferFromUserSpace", "**")) == {"real/a.txt": "a", "alias/a.txt": "a"}


def test_output_does_not_go_through_a_link_out_of_the_space(site: Site) -> None:
    """A folder in the space that is a link to elsewhere receives nothing."""
    site.put("local/link/a.txt")
    (site.folder / "elsewhere").mkdir()
    (site.folder / "output/link").symlink_to(site.folder / "elsewhere")
    with pytest.raises(TransferFailed, match="leads out of it"):
        site.deliver(("transferToOutputSpace", "**"))
    assert site.content("elsewhere") == {}


def test_folder_in_the_way_of_a_file_is_an_error(site: Site) -> None:
    """An output file cannot replace a folder."""
    site.put("local/a")
    site.put("user/a/b")
    with pytest.raises(TransferFailed, match="'a' is a folder in the user space"):
        site.deliver(("transferToUserSpace", "a"))


def test_stopped_transfer_leaves_no_part_of_a_file(site: Site) -> None:
    """A transfer that is stopped comes back, and neither the file nor a part of it is there."""
    site.put("local/a")
    site.stopped = True
    site.deliver(("transferToUserSpace", "a"))
    assert list((site.folder / "user").iterdir()) == []
