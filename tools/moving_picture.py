"""Record the picture that moves in README.md: a notebook becomes a workflow, in a real JupyterLab.

    python tools/moving_picture.py [--write]

Comments are typed on top of four cells, the job is submitted, and its card follows it. Chromium sends a picture of the
page whenever it changes; the times between them are the real ones, but that long ones are shortened, above all between
keys. Needs JupyterLab, playwright, Pillow and Debian's chromium. The recording is kept in build/recording; from it
docs/images/notebook.webp is written, also without a new recording (`--write`).
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from notebook_picture import ARGUMENTS, HIDDEN, PATIENCE, TARGET, jupyterlab
from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

FRAMES = TARGET.parents[2] / "build" / "recording"
PICTURE = TARGET.with_name("notebook.webp")
#: The pragma that is typed on top of a cell, and the cell.
CELLS = (
    ("#%task(name=sample)", "import random\nresult = [random.gauss(20, 5) for _ in range(10_000)]"),
    ("#%task(name=mean, dep=[sample])", "days = results[0].value()\nresult = sum(days) / len(days)"),
    (
        "#%task(name=warm, dep=[sample])",
        "import time\ntime.sleep(3)\nresult = sum(day > 25 for day in results[0].value())",
    ),
    ("#%task(name=report, dep=[mean, warm], language=Linux_Bash)", 'echo "$results_0 degrees, $results_1 warm days"'),
)
SUBMIT = "#%submit_job(wait=on, name=weather)"
#: Pixels of the picture for one of the page; a recording knows only the scale of the whole browser.
WINDOW = ("--window-size=860,800", "--force-device-scale-factor=1.5")
#: Frames that would differ in nothing else.
STILL = ".cm-cursorLayer { animation: none !important } .jp-Notebook { padding-bottom: 24px !important }"
#: Milliseconds: between two keys; the shortest time of a picture; the longest while keys are typed, and while the job
#: runs; that of the last one.
KEY, SHORTEST, TYPING, LONGEST, LAST = 28, 70, 110, 900, 5000
#: The file with the time of the submission.
SUBMITTED = "submitted.txt"
LIMIT = 1_000_000


@dataclass
class Recording:
    """Pictures of the page as they come."""

    session: Any
    #: Seconds and PNG.
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    #: Seconds: where the typing ends and the job begins.
    submitted: float = 0.0

    def start(self) -> None:
        self.session.on("Page.screencastFrame", self._take)
        self.session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})

    def _take(self, event: dict[str, Any]) -> None:
        self.frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        self.session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def stop(self) -> None:
        self.session.send("Page.stopScreencast")


def main() -> None:
    if "--write" not in sys.argv[1:]:
        record()
    write((float(path.stem), path.read_bytes()) for path in sorted(FRAMES.glob("*.png")))


def record() -> None:
    with jupyterlab("weather", [*(code for _, code in CELLS), ""]) as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *WINDOW])
        page = browser.new_context(no_viewport=True).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url.replace("/lab/tree/", "/doc/tree/"))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("ProActive | Idle").wait_for()
        page.add_style_tag(content=HIDDEN + STILL)
        recording = Recording(page.context.new_cdp_session(page))
        act(page, recording)
        browser.close()
    shutil.rmtree(FRAMES, ignore_errors=True)
    FRAMES.mkdir(parents=True)
    (FRAMES / SUBMITTED).write_text(f"{recording.submitted:.3f}", encoding="utf-8")
    for at, content in recording.frames:
        (FRAMES / f"{at:.3f}.png").write_bytes(content)


def act(page: Any, recording: Recording) -> None:
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.first.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.wait_for_timeout(500)
    recording.start()
    page.wait_for_timeout(1200)
    for number, (pragma, _) in enumerate(CELLS):
        cells.nth(number).locator(".cm-content").click()
        for key in ("Control+Home", "Enter", "ArrowUp"):
            page.keyboard.press(key)
        page.keyboard.type(pragma, delay=KEY)
        page.keyboard.press("Shift+Enter")
        cells.nth(number).locator(".jp-OutputArea-output").first.wait_for()
        page.wait_for_timeout(400)
    cells.nth(len(CELLS)).locator(".cm-content").click()
    page.keyboard.type(SUBMIT, delay=KEY)
    page.wait_for_timeout(400)
    recording.submitted = recording.frames[-1][0]
    page.keyboard.press("Control+Enter")
    finished = page.get_by_text("Finished", exact=True).first
    while not finished.is_visible():
        # The notebook scrolls back to the cell that runs, and the card grows.
        show_end(cells.last)
        page.wait_for_timeout(100)
    page.wait_for_timeout(800)
    page.locator(".jp-Notebook summary").first.click()
    page.wait_for_timeout(200)
    show_end(cells.last)
    page.wait_for_timeout(1500)
    recording.stop()


def show_end(cell: Any) -> None:
    cell.evaluate("cell => cell.scrollIntoView({block: 'end'})")


def write(frames: Iterable[tuple[float, bytes]]) -> None:
    """Write what changed, each picture for as long as it was to be seen."""
    shown: list[tuple[float, Image.Image]] = []
    for at, content in frames:
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        if shown and not ImageChops.difference(shown[-1][1], picture).getbbox():
            continue
        if shown and (at - shown[-1][0]) * 1000 < SHORTEST:
            shown[-1] = (shown[-1][0], picture)
        else:
            shown.append((at, picture))
    ends = [at for at, _ in shown[1:]]
    submitted = float((FRAMES / SUBMITTED).read_text("utf-8"))
    times = [
        min(TYPING if at < submitted else LONGEST, round((end - at) * 1000))
        for (at, _), end in zip(shown, ends, strict=False)
    ]
    first, *others = (picture for _, picture in shown)
    first.save(
        PICTURE,
        save_all=True,
        append_images=others,
        duration=[*times, LAST],
        loop=0,
        lossless=True,
        quality=50,
        method=3,
        # No key frames but the first: viewers do not seek.
        kmin=9_999,
        kmax=10_000,
    )
    size = PICTURE.stat().st_size
    print(f"{PICTURE.name}: {len(shown)} pictures of {first.size}, {(sum(times) + LAST) / 1000:.1f} s, {size:,} bytes")
    if size > LIMIT:
        raise SystemExit(f"The limit is {LIMIT:,} bytes.")


if __name__ == "__main__":
    main()
