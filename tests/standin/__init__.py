"""A stand-in for a ProActive server, made of recorded answers: `StandIn` is a small HTTP server for tests."""

from standin.server import StandIn
from standin.shapes import NoRecordings

__all__ = ["NoRecordings", "StandIn"]
