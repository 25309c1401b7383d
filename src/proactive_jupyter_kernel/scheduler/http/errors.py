"""An error of a request that has its HTTP status."""

from __future__ import annotations

__all__ = ["HttpError"]


class HttpError(Exception):
    """An error that is answered with this status and this message: as a page by the portals, as JSON by REST."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
