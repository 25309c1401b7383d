"""A fork of a template from its beginning until it is the process of a stage.

The template forks it before there is a stage. So what a fork does first, and the memory that it changes then and the
system copies for it, costs the stage no time: the fork rehearses a stage, and then waits.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # its functions, without the enumerations
import array
import json
import os
import select
import socket
import sys
import time

from . import imported, leaving, stage

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["BEGUN", "BLOCKED", "PART", "WHOLE", "Fork", "discarded"]

#: Signals that the template ignores and blocks; its forks unblock them when the stage begins.
BLOCKED = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
#: What a fork tells the template: it begins to read its stage; it has read a part; it has read the rest.
#: After a colon comes why the stage could not be started.
BEGUN, PART, WHOLE = b"T", b"P", b"C"
#: Bytes that are read at once. For more the C library would map memory, and unmap it, for each message.
_CHUNK = 64 * 1024
_MOST_DESCRIPTORS = 8
_SPACE = socket.CMSG_LEN(_MOST_DESCRIPTORS * array.array("i").itemsize)
_DECODE: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Fork:
    """One fork. Made in the template; few and long methods, for each function that a fork calls is memory to copy."""

    def __init__(self, *, stages: socket.socket, told: int, life: int, nothing: int) -> None:
        """`stages`: where the stage comes from; `told`: where the template reads; `life`: ends with the template;
        `nothing`: an empty file."""
        self._stages = stages
        self._told = told
        self._life = life
        self._nothing = nothing
        #: No descriptor of the template is above it.
        self.highest = 0

    def rehearse(self) -> None:
        """In the template: read and enter a stage as a fork does, so that nothing is done for the first time there."""
        ours, stages = socket.socketpair()
        told = os.open(os.devnull, os.O_WRONLY)
        environment = dict(os.environ)
        for _ in range(stage.REHEARSALS):
            head = json.dumps({"environment": {"PROACTIVE_REHEARSAL": "1"}, "directory": os.getcwd()}).encode("ascii")
            sent = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1, 2]))]
            ours.sendmsg([len(head).to_bytes(4, "big") + bytes(4) + head], sent)
            fork = Fork(stages=stages, told=told, life=-1, nothing=self._nothing)
            descriptors = fork._enter()[1]
            for descriptor in descriptors:
                os.close(descriptor)
        for name in [name for name in os.environ if name not in environment]:
            del os.environ[name]
        for end in (ours, stages):
            end.close()
        os.close(told)

    def prepare(self, at_forks: Iterable[dict[str, Any]]) -> None:
        """Do what can be done before the stage is known. `at_forks`: what modules want to have called in its forks."""
        os.setsid()
        _signal.set_wakeup_fd(-1)
        for number in (_signal.SIGCHLD, *BLOCKED):
            _signal.signal(number, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        for calls in at_forks:
            os.register_at_fork(**calls)
        # The number of the thread, which the system has changed.
        main_thread: Any = sys.modules["threading"].main_thread()
        main_thread._native_id = os.getpid()
        imported.renew()
        stage.rehearse()
        leaving.rehearse()

    def run(self) -> str:
        """Wait for the stage, and become its process. Returns the request; ends the process where there is no stage."""
        if self._life in select.select((self._stages.fileno(), self._life), (), ())[0]:
            os._exit(0)  # the template is gone, and a stage is lost
        request, descriptors = self._enter()
        self._stages.detach()
        # No stage may hold what the next one comes over.
        os.closerange(3, 1 + max(self.highest, *descriptors))
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, BLOCKED)
        return request

    def _enter(self) -> tuple[str, Iterable[int]]:
        """Read the stage and enter it; the request, and the descriptors that came with it."""
        os.write(self._told, BEGUN)
        data, ancillary, _, _ = self._stages.recvmsg(_CHUNK, _SPACE)
        descriptors = array.array("i", ancillary[0][2] if ancillary else b"")
        first = 8 + int.from_bytes(data[:4], "big")
        end = first + int.from_bytes(data[4:8], "big")
        if len(data) < end:
            os.write(self._told, PART)
            while len(data) < end:
                more = self._stages.recv(_CHUNK)
                if not more:
                    os._exit(0)  # the node is gone
                data += more
            os.write(self._told, WHOLE)
        head = _DECODE(data[8:first].decode("ascii"), 0)[0]
        try:
            for target, stream in enumerate((self._nothing, *descriptors)):
                os.dup2(stream, target)
            os.chdir(head["directory"])
        except OSError as error:
            reason = error.strerror or str(error)
            os.write(self._told, f":{error.filename}: {reason}".encode() if error.filename else f":{reason}".encode())
            os._exit(127)
        for name, text in head["environment"].items():
            os.environ[name] = text
        if "TZ" in head["environment"]:
            time.tzset()
        return data[first:].decode("ascii"), descriptors


def discarded(stages: socket.socket) -> bool:
    """Read all that is there of a stage; whether it was the whole."""
    whole = b""
    while len(whole) < 8 or len(whole) < 8 + int.from_bytes(whole[:4], "big") + int.from_bytes(whole[4:8], "big"):
        data, ancillary, _, _ = stages.recvmsg(_CHUNK, _SPACE, socket.MSG_DONTWAIT)
        if not data:
            return False
        whole += data
        for _, _, content in ancillary:
            for descriptor in array.array("i", content):
                os.close(descriptor)
    return True
