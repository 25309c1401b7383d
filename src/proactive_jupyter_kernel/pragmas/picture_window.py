"""A window with a picture, made by Matplotlib in a separate process.

The kernel's Matplotlib draws into the notebook, and a window needs an event loop: so the window has its own process.
The process says in one line whether the window is there, and ends when it is closed, or when the kernel ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from queue import Empty, Queue

__all__ = ["NoWindow", "open_window"]

#: Matplotlib's first start builds a cache of all fonts.
_PATIENCE = 60.0
_SHOWN = "shown"
#: Inches of a window.
_LARGEST = (12.0, 7.5)


class NoWindow(Exception):
    """No window can be opened; the message says why."""


def open_window(png: bytes, title: str, *, patience: float = _PATIENCE) -> None:
    """Show the picture in a window and return as soon as it is there; `NoWindow` if it does not come."""
    if find_spec("matplotlib") is None:
        raise NoWindow("Matplotlib is not installed here; install it with: pip install matplotlib")
    if not _has_display():
        raise NoWindow("the kernel runs on a machine without a display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    # The notebook's backend is not one of windows.
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, title],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    answers: Queue[str] = Queue()
    threading.Thread(target=_talk, args=(process, png, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=patience)
    except (Empty, KeyboardInterrupt) as error:
        process.kill()
        if isinstance(error, KeyboardInterrupt):
            raise
        raise NoWindow(f"it did not open within {patience:.0f} seconds") from None
    if answer != _SHOWN:
        raise NoWindow(answer or "its process ended at once")


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _talk(process: subprocess.Popen[bytes], png: bytes, answers: Queue[str]) -> None:
    """Send the picture, pass on the answer, and wait for the end of the process, so that none is left behind."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(len(png).to_bytes(8, "big") + png)
        process.stdin.flush()
    except OSError:
        answers.put("")
    answers.put(process.stdout.readline().decode(errors="replace").strip())
    process.wait()
    process.stdout.close()
    process.stdin.close()


def _show(png: bytes, title: str) -> str:
    """Make the window and run it to its end; gives why that is impossible."""
    import io

    import matplotlib
    from matplotlib import image, pyplot

    picture = image.imread(io.BytesIO(png), format="png")
    height, width = picture.shape[:2]
    # The PNG has two pixels for one of the picture; a window must fit a screen, and can be zoomed.
    inches = min(1 / 200, _LARGEST[0] / width, _LARGEST[1] / height)
    figure = pyplot.figure(num=title, figsize=(max(2.0, width * inches), max(1.0, height * inches)), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(picture, interpolation="lanczos")
    axes.axis("off")
    if matplotlib.get_backend().lower() == "agg":
        return "Matplotlib finds no toolkit for windows here; install one, such as tkinter or PyQt"
    pyplot.show(block=False)
    print(_SHOWN, flush=True)
    threading.Thread(target=_end_with_the_kernel, daemon=True).start()
    pyplot.show(block=True)
    return ""


def _end_with_the_kernel() -> None:
    """The kernel holds the other end of the standard input."""
    sys.stdin.buffer.read()
    os._exit(0)


def _main() -> None:
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    png = sys.stdin.buffer.read(size)
    try:
        reason = _show(png, sys.argv[1])
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
    if reason:
        print(reason, flush=True)


if __name__ == "__main__":
    _main()
