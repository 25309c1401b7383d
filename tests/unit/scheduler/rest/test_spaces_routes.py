"""``/data`` and ``/scheduler/dataspace`` as ProActive's clients use them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

Rest = Callable[..., None]


def archive(**files: str) -> bytes:
    """A zip; ``__`` in a name stands for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, text in files.items():
            packed.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def names(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def put(folder: Path, *paths: str) -> None:
    for path in paths:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path)


def test_plain_body_becomes_the_file(rest: Rest, tmp_path: Path) -> None:
    """PUT without an encoding stores the body, folders above it are made, the answer is an empty 201."""

    async def scene(scene: Any) -> None:
        answer = await scene.client.put("/data/user/a/b%20c/d.txt", content=b"x" * 3_000_000)
        assert (answer.status_code, answer.content) == (201, b"")
        assert (tmp_path / "user/ana/a/b c/d.txt").stat().st_size == 3_000_000

    rest(scene)


def test_gzip_is_unpacked_once_or_twice(rest: Rest, tmp_path: Path) -> None:
    """A body compressed as other clients, or twice as the Java client does it, gives the same file."""

    async def scene(scene: Any) -> None:
        once = gzip.compress(b"text")
        for name, body in (("once", once), ("twice", gzip.compress(once))):
            answer = await scene.client.put(f"/data/user/{name}", content=body, headers={"content-encoding": "gzip"})
            assert answer.status_code == 201, answer.text
        assert [(tmp_path / "user/ana" / name).read_bytes() for name in ("once", "twice")] == [b"text", b"text"]
        answer = await scene.client.put("/data/user/bad", content=b"text", headers={"content-encoding": "gzip"})
        assert (answer.status_code, (tmp_path / "user/ana/bad").exists()) == (400, False)

    rest(scene)


def test_a_file_over_the_limit_of_uploads_is_refused(rest: Rest, tmp_path: Path) -> None:
    """With the limit and its name, announced or not, also where it is small until it is unpacked; nothing is stored."""

    async def chunks() -> Any:
        for _ in range(5):
            yield b"x" * 1000

    async def scene(scene: Any) -> None:
        bodies = [
            (b"x" * 5000, {}),
            (chunks(), {}),
            (gzip.compress(b"x" * 5000), {"content-encoding": "gzip"}),
            (archive(a="x" * 3000, b="x" * 3000), {"content-encoding": "zip"}),
        ]
        for number, (body, headers) in enumerate(bodies):
            answer = await scene.client.put(f"/data/user/{number}", content=body, headers=headers)
            assert answer.status_code == 413, number
            assert "larger than the 4 KiB that" in answer.json()["errorMessage"]
            assert "PROACTIVE_KERNEL_UPLOAD_LIMIT" in answer.json()["errorMessage"]
        assert not (tmp_path / "user/ana").exists() or list((tmp_path / "user/ana").iterdir()) == []
        answer = await scene.client.put("/data/user/fits", content=b"x" * 4096)
        assert answer.status_code == 201

    rest(scene, upload_limit=4096)


def test_zip_is_unpacked_as_a_folder(rest: Rest, tmp_path: Path) -> None:
    """PUT with the encoding zip unpacks below the path; an empty archive makes an empty folder."""

    async def scene(scene: Any) -> None:
        for path, body in (("F/input", archive(a="1", b__c="2")), ("F/none", archive())):
            answer = await scene.client.put(f"/data/global/{path}", content=body, headers={"content-encoding": "zip"})
            assert answer.status_code == 201, answer.text
        root = tmp_path / "global/F"
        assert {str(path.relative_to(root)) for path in root.rglob("*")} == {
            "input",
            "input/a",
            "input/b",
            "input/b/c",
            "none",
        }

    rest(scene)


def test_zip_whose_names_leave_the_folder_is_refused_whole(rest: Rest, tmp_path: Path) -> None:
    """An archive with a name that goes up or is absolute writes nothing at all."""

    async def scene(scene: Any) -> None:
        for bad in ("..__x", "__etc__x", "a__..__..__x"):
            body = archive(good="1", **{bad: "2"})
            answer = await scene.client.put("/data/user/F", content=body, headers={"content-encoding": "zip"})
            assert answer.status_code == 403, answer.text
        assert not (tmp_path / "user/ana/F").exists()
        answer = await scene.client.put("/data/user/F", content=b"no zip", headers={"content-encoding": "zip"})
        assert answer.status_code == 400

    rest(scene)


def test_folders_and_empty_files_are_made(rest: Rest, tmp_path: Path) -> None:
    """POST makes what its mimetype says, also where the path is the whole URI of the space or starts with it."""

    async def scene(scene: Any) -> None:
        uri = (await scene.json("/scheduler/userspace"))[0]
        paths = {"F": "folder", f"{uri}/G/input": "folder", str(tmp_path / "user/ana/H"): "folder", "f.txt": "file"}
        for path, kind in paths.items():
            answer = await scene.client.post(f"/data/user/{path}", data={"mimetype": f"application/{kind}"})
            assert (answer.status_code, answer.content) == (200, b""), path
        root = tmp_path / "user/ana"
        assert [(root / name).is_dir() for name in ("F", "G/input", "H", "f.txt")] == [True, True, True, False]
        assert (await scene.client.post("/data/user/x", data={"mimetype": "text/plain"})).status_code == 400

    rest(scene)


def test_file_is_sent_as_it_is(rest: Rest, tmp_path: Path) -> None:
    """GET of a file answers its bytes, whatever the client accepts; another form only where it is asked for."""
    put(tmp_path / "user/ana", "a.txt")

    async def scene(scene: Any) -> None:
        for accepted in ("*", "gzip", "identity", "*, gzip, zip"):
            answer = await scene.client.get("/data/user/a.txt", headers={"accept-encoding": accepted})
            assert (answer.content, answer.headers["content-encoding"]) == (b"a.txt", "identity")
        answer = await scene.client.get("/data/user/a.txt?encoding=gzip")
        assert (answer.content, answer.headers["x-pds-pathname"]) == (b"a.txt", "a.txt")
        answer = await scene.client.get("/data/user/a.txt", headers={"accept-encoding": "zip"})
        assert names(answer.content) == {"a.txt": "a.txt"}

    rest(scene)


def test_folder_is_sent_as_zip(rest: Rest, tmp_path: Path) -> None:
    """GET of a folder answers a zip of the files that match; a pattern keeps the folders of a single one, too."""
    put(tmp_path / "user/ana", "F/a.out", "F/sub/b.out", "F/sub/c.txt")

    async def scene(scene: Any) -> None:
        async def get(query: str = "", accepted: str = "*, gzip, zip") -> Any:
            return await scene.client.get(f"/data/user/F{query}", headers={"accept-encoding": accepted})

        answer = await get()
        assert answer.headers["content-encoding"] == "zip"
        assert set(names(answer.content)) == {"a.out", "sub/b.out", "sub/c.txt"}
        assert set(names((await get("?includes=*.out&includes=sub/**&excludes=**.txt")).content)) == {
            "a.out",
            "sub/b.out",
        }
        assert names((await get("?includes=sub/*.txt")).content) == {"sub/c.txt": "F/sub/c.txt"}
        assert names((await get("?includes=no*")).content) == {}
        assert (await get(accepted="gzip")).headers["content-encoding"] == "zip"
        assert [(await get(accepted=encoding)).status_code for encoding in ("identity", "deflate")] == [400, 400]

    rest(scene)


def test_listing(rest: Rest, tmp_path: Path) -> None:
    """``comp=list`` names the children, with filters everything that matches; metadata comes on request."""
    put(tmp_path / "global", "F/a.txt", "F/sub/b.txt")

    async def scene(scene: Any) -> None:
        listed = await scene.json("/data/global/F?comp=list")
        assert listed == {"directoryListing": ["sub"], "fileListing": ["a.txt"], "fullListing": ["a.txt", "sub"]}
        listed = await scene.json("/data/global/%2E?comp=list&includes=F/**")
        assert listed["fullListing"] == ["F/a.txt", "F/sub", "F/sub/b.txt"]
        listed = await scene.json("/data/global/F?comp=list-metadata")
        assert (listed["types"], listed["sizes"]["a.txt"]) == ({"a.txt": "text/plain", "sub": "DIRECTORY"}, 7)
        assert set(listed) >= {"permissions", "lastModifiedDates"}
        assert set(listed["sizes"]) == {"a.txt"}
        answer = await scene.client.get("/data/global/F?comp=other")
        told = (answer.status_code, answer.headers["content-type"], answer.text)
        assert told == (400, "application/octet-stream", "Unknown query parameter: comp=other")

    rest(scene)


def test_head_tells_kind_and_size(rest: Rest, tmp_path: Path) -> None:
    """HEAD answers headers alone: what it is, how large, since when."""
    put(tmp_path / "user/ana", "F/a.txt")

    async def scene(scene: Any) -> None:
        answer = await scene.client.head("/data/user/F/a.txt")
        found = {name: answer.headers[name] for name in ("x-proactive-ds-type", "content-length", "content-type")}
        assert found["x-proactive-ds-type"] == "FILE"
        assert (found["content-length"], found["content-type"]) == ("7", "text/plain")
        assert (await scene.client.head("/data/user/F")).headers["x-proactive-ds-type"] == "DIRECTORY"
        assert (await scene.client.head("/data/user/no")).status_code == 404

    rest(scene)


def test_delete_is_204_also_for_nothing(rest: Rest, tmp_path: Path) -> None:
    """DELETE removes a file, a folder or the matching files in it, and never minds an absent one."""
    put(tmp_path / "user/ana", "a", "F/b.txt", "F/c.csv", "G/d")

    async def scene(scene: Any) -> None:
        uri = (await scene.json("/scheduler/userspace"))[0]
        for path in ("a", "F?includes=*.txt", f"{uri}/G", "nothing", "nothing?includes=*"):
            assert (await scene.client.delete(f"/data/user/{path}")).status_code == 204, path
        left = [str(path.relative_to(tmp_path / "user/ana")) for path in sorted((tmp_path / "user/ana").rglob("*"))]
        assert left == ["F", "F/c.csv"]

    rest(scene)


def test_what_leaves_the_space_is_refused(rest: Rest, tmp_path: Path) -> None:
    """Paths that go up, links that lead out and other folders' URIs are 403, whatever the method."""
    put(tmp_path, "secret/key")
    put(tmp_path / "user/ana", "a")
    (tmp_path / "user/ana/link").symlink_to(tmp_path / "secret")

    async def scene(scene: Any) -> None:
        for path in ("..%2Fbob", "a%2F..%2F..%2Fx", "link/key", f"file:{tmp_path}/secret/key", "%2E%2E/secret"):
            for method in ("GET", "PUT", "DELETE"):
                answer = await scene.client.request(method, f"/data/user/{path}")
                assert answer.status_code == 403, (method, path, answer.text)
        assert (tmp_path / "secret/key").read_text() == "secret/key"

    rest(scene)


def test_wrong_space_is_403_and_no_path_404(rest: Rest) -> None:
    """There are ``user`` and ``global``, by these names alone; a path is needed; a session, too."""

    async def scene(scene: Any) -> None:
        for path, status in (
            ("/data/other/a", 403),
            ("/data/USERSPACE/a", 403),
            ("/data/GLOBAL/a", 403),
            ("/scheduler/dataspace/other/a", 403),
            ("/data/user", 404),
            ("/data/user/", 404),
        ):
            await scene.json(path, status=status)
        del scene.client.headers["sessionid"]
        await scene.json("/data/user/a", status=401)

    rest(scene)


@pytest.mark.parametrize("name", ["日本.txt", "żółw", "Ω&=+ #%.txt", "é x.txt", " a b "])
def test_names_of_all_alphabets_come_back(rest: Rest, name: str) -> None:
    """Plain, compressed, in archives and in listings; headers hold them percent-encoded."""

    async def scene(scene: Any) -> None:
        path = f"/data/user/F/{quote(name)}"
        assert (await scene.client.put(path, content=b"text")).status_code == 201
        assert (await scene.client.get(path, headers={"accept-encoding": "identity"})).content == b"text"
        packed = await scene.client.get(f"{path}?encoding=gzip")
        in_header = packed.headers["x-pds-pathname"]
        assert (packed.content, unquote(in_header), in_header.strip()) == (b"text", f"F/{name}", in_header)
        for archive in (path, "/data/user/F", "/data/user/F?includes=*"):
            answer = await scene.client.get(archive, headers={"accept-encoding": "zip"})
            assert names(answer.content) == {name: "text"}
        assert (await scene.json("/data/user/F?comp=list"))["fileListing"] == [name]
        assert (await scene.client.head(path)).headers["content-length"] == "4"
        legacy = await scene.client.get(f"/scheduler/dataspace/USERSPACE/F/{quote(name)}")
        assert (legacy.content, await scene.text("/scheduler/dataspace/USERSPACE/F")) == (b"text", f"{name}\n")

    rest(scene)


@pytest.mark.parametrize("name", ["a%0D%0Ab", "a%0Ab", "a%09b", "%00", "a%7Fb"])
def test_control_characters_in_names_are_refused(rest: Rest, name: str) -> None:
    """With an error that a client can read, whatever is asked; so are those in the name of a form."""

    async def scene(scene: Any) -> None:
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            answer = await scene.client.request(method, f"/data/user/{name}?encoding=gzip")
            assert answer.status_code == 400, method
            assert method == "HEAD" or "control character" in answer.json()["errorMessage"]
        for path in (f"/data/user/{name}", f"/data/user/F/{name}"):
            await scene.json(path, "POST", status=400, data={"mimetype": "application/folder"})
        parts = [("fileName", (None, unquote(name).encode())), ("fileContent", (None, b"1"))]
        await scene.json("/scheduler/dataspace/USERSPACE/F", "POST", status=400, files=parts)

    rest(scene)


def test_older_form(rest: Rest, tmp_path: Path) -> None:
    """The legacy paths store parts of a form, read files, name what is in folders, and take ``%2F`` for slashes."""

    async def scene(scene: Any) -> None:
        parts = [
            ("fileName", (None, b"a.txt", "text/plain")),
            ("fileContent", (None, b"1", "application/octet-stream")),
        ]
        assert await scene.json("/scheduler/dataspace/USERSPACE%2FF", "POST", files=parts) is True
        assert await scene.text("/scheduler/dataspace/user%2FF%2Fa.txt") == "1"
        assert await scene.text("/scheduler/dataspace/USERSPACE/F") == "a.txt\n"
        assert await scene.json("/scheduler/dataspace/USERSPACE/F/a.txt", "DELETE") is True
        for method in ("GET", "DELETE"):
            await scene.json("/scheduler/dataspace/USERSPACE/F/a.txt", method, status=400)
        assert list((tmp_path / "user/ana/F").iterdir()) == []

    rest(scene)
