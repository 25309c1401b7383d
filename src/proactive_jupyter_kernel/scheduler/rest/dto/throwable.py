"""A failure as Java's serialization stream has it: a ``java.lang.Exception`` with a message.

Clients that ask a result for its exception deserialize it. The class descriptions, with their serial version ids, are
those of ``java.lang.Exception`` and ``java.lang.Throwable``, which have not changed since Java 7.
"""

from __future__ import annotations

import struct

from proactive_jupyter_kernel.workflow.java import serialization

__all__ = ["serialized_exception"]


def _utf(text: str) -> bytes:
    content = text.encode("utf-8")
    return struct.pack(">H", len(content)) + content


#: TC_OBJECT; TC_CLASSDESC of Exception: SC_SERIALIZABLE, no fields; its super class Throwable: SC_WRITE_METHOD too.
_HEAD = (
    b"\xac\xed\x00\x05\x73\x72"
    + _utf("java.lang.Exception")
    + bytes.fromhex("d0fd1f3e1a3b1cc4020000")
    + b"\x78\x72"
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
_NULL, _END = b"\x70", b"\x78"


def serialized_exception(message: str) -> bytes:
    """The stream of an exception without cause and Java stack trace. (Throwable takes null for an empty one.)"""
    text = serialization.dumps(message)[4:]
    return _HEAD + _NULL + text + _NULL + _NULL + _END
