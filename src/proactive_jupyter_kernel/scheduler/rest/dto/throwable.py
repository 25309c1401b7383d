"""A failure as Java's serialization stream has it: an exception without trace, of a class that clients can read.

Clients that ask a result for its exception deserialize it. The official Java client has the classes of
``org.ow2.proactive.scheduler.common.exception`` (serial version 1, no fields, children of ``SchedulerException``). It
lacks ``TaskException`` and its kin, which only a server's nodes have, and fails at those that a server sends. They are
``java.lang.Exception`` here, with the same message.
"""

from __future__ import annotations

import struct

from proactive_jupyter_kernel.scheduler.attempt import COMMON_EXCEPTIONS, Failure
from proactive_jupyter_kernel.workflow.java import serialization

__all__ = ["serialized_exception"]


def _utf(text: str) -> bytes:
    content = text.encode("utf-8")
    return struct.pack(">H", len(content)) + content


def _description(name: str, serial_version: int = 1) -> bytes:
    """TC_CLASSDESC of a class without fields: SC_SERIALIZABLE; what follows is the description of its super class."""
    return b"\x72" + _utf(name) + struct.pack(">Q", serial_version) + b"\x02\x00\x00\x78"


#: ``Exception``, and ``Throwable`` with SC_WRITE_METHOD, its fields and no super class; unchanged since Java 7.
_EXCEPTION = (
    _description("java.lang.Exception", 0xD0FD1F3E1A3B1CC4)
    + b"\x72"
    + _utf("java.lang.Throwable")
    + bytes.fromhex("d5c635273977b8cb030004")
    + b"L"
    + _utf("cause")
    + b"t"
    + _utf("Ljava/lang/Throwable;")
    + b"L"
    + _utf("detailMessage")
    + b"t"
    + _utf("Ljava/lang/String;")
    + b"["
    + _utf("stackTrace")
    + b"t"
    + _utf("[Ljava/lang/StackTraceElement;")
    + b"L"
    + _utf("suppressedExceptions")
    + b"t"
    + _utf("Ljava/util/List;")
    + b"\x78\x70"
)
_HEAD, _OBJECT, _NULL, _END = b"\xac\xed\x00\x05", b"\x73", b"\x70", b"\x78"


def serialized_exception(failure: Failure) -> bytes:
    """The stream of an exception without cause and Java stack trace. (Throwable takes null for an empty one.)"""
    text = serialization.dumps(failure.message)[len(_HEAD) :]
    return _HEAD + _OBJECT + _classes(failure) + _NULL + text + _NULL + _NULL + _END


def _classes(failure: Failure) -> bytes:
    """The descriptions of the class and of those above it."""
    if failure.exception in COMMON_EXCEPTIONS:
        scheduler = failure.java_class.rpartition(".")[0] + ".SchedulerException"
        return _description(failure.java_class) + _description(scheduler) + _EXCEPTION
    return _EXCEPTION
