"""Build the documentation site: the pages of docs/, the notebooks of examples/ with their outputs, and the changelog.

    python tools/docs_site.py [--output build/site]

Sphinx's warnings are errors. Afterwards every link of the built pages is checked: its page, its anchor, and that
nothing that a page needs (a script, a style, a picture, a font) comes from another host.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
#: Where a page of the clone stands in the site; the first match counts.
MOVED = (("docs/", ""), ("examples/", "examples/"), ("CHANGELOG.md", "changelog.md"))
#: Folders and files of the clone that are no pages, in `docs`.
LEFT_OUT = {"__pycache__"}
#: What a page has in the site alone: the notebooks in the navigation.
ADDED = {"examples/README.md": "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"}
#: A link of a page or of a notebook's text: what is before its target, and the target without an anchor.
_LINK = re.compile(r"(\]\(|\]: |href=\\?\")(?!\w+:|[#/<])([^)\s#\"\\]+)")
#: A frame of a portal in the output of a notebook: its scheduler ended with the run.
_FRAME = re.compile(r"<iframe [^>]*></iframe>")


def place(path: str) -> str | None:
    """Where a file of the clone stands in the source of the site; None: it is no part of it."""
    for before, after in MOVED:
        if path == before or (before.endswith("/") and path.startswith(before)):
            return after + path[len(before) :] if before.endswith("/") else after
    return None


def relinked(text: str, path: str) -> str:
    """The text of a page with the links that it needs in the site; `SystemExit` for a link to what is no part of it."""
    at = PurePosixPath(place(path) or path).parent

    def link(found: re.Match[str]) -> str:
        target = os.path.normpath(PurePosixPath(path).parent / unquote(found[2]))
        if not (ROOT / target).exists():
            return found[0]
        moved = place(Path(target).as_posix())
        if moved is None:
            raise SystemExit(f"{path} links to {target}, which is no part of the site. Name it as `code`.")
        return found[1] + os.path.relpath(moved, at)

    return _LINK.sub(link, text)


def stage(source: Path) -> None:
    """Copy the pages to `source`; unchanged files keep their time, so that Sphinx reads only what is new."""
    kept = set()
    files = [ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*"), *(ROOT / "examples").glob("*")]
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        if not file.is_file() or LEFT_OUT & set(file.parts) or (file.suffix == ".py" and file.name != "conf.py"):
            continue
        target = source / (place(path) or path)
        content = file.read_bytes()
        if file.suffix in (".md", ".ipynb"):
            content = (relinked(_FRAME.sub("", content.decode()), path) + ADDED.get(path, "")).encode()
        kept.add(target)
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for target in source.rglob("*"):
        if target.is_file() and target not in kept:
            target.unlink()


#: The attributes with the address of what a page loads.
_NEEDED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}


class Page(HTMLParser):
    """What a built page links to, what it needs, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.needed: list[str] = []
        self.anchors: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        needed = found.get(_NEEDED.get(tag, ""))
        if needed is not None:
            self.needed.append(needed)


def faults(site: Path) -> Iterator[str]:
    """Each link that leads nowhere, and each thing that would come from another host."""
    pages = {file: Page(file.read_text("utf-8")) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        shown = file.relative_to(site)
        for needed in page.needed:
            if urlsplit(needed).netloc:
                yield f"{shown} needs {needed}"
        for link in page.links + page.needed:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{shown} links to {link}, which does not exist"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{shown} links to {link}; the page has no such anchor"
    for style in site.rglob("*.css"):
        for address in re.findall(r"url\(['\"]?((?:https?:)?//[^)'\"]+)", style.read_text("utf-8")):
            yield f"{style.relative_to(site)} needs {address}"


def main() -> int:
    """Stage, build, check; the exit status."""
    from sphinx.cmd.build import main as build

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--fresh", action="store_true", help="build every page anew")
    options = parser.parse_args()
    work = ROOT / "build" / "site-source"
    if options.fresh:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(options.output, ignore_errors=True)
    stage(work / "pages")
    arguments = ["-b", "html", "-a", "-W", "--keep-going", "-q", "-d", str(work / "doctrees")]
    status = build([*arguments, str(work / "pages"), str(options.output)])
    if status:
        return status
    found = list(faults(options.output))
    print("\n".join(found) or f"Built {options.output / 'index.html'}", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
