"""``/catalog`` beside ``/rest``: what clients and workflows fetch from ProActive's catalog service."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Route
from proactive_jupyter_kernel.scheduler.sources.catalog import media_type

__all__ = ["OUTSIDE"]


async def buckets(call: Call) -> Response:
    """All buckets."""
    counts = await asyncio.to_thread(call.service.catalog.buckets)
    return json_answer([{"name": name, "owner": "", "contentCount": count} for name, count in counts.items()])


async def objects(call: Call) -> Response:
    """The objects of a bucket."""
    bucket = call.params["bucket"]
    found = await asyncio.to_thread(call.service.catalog.listed, bucket)
    return json_answer(
        [
            {"name": name, "bucket_name": bucket, "content_type": media_type(path), "file_name": path.name}
            for name, path in sorted(found.items())
        ]
    )


async def raw(call: Call) -> Response:
    """The content of an object. There is one revision, whichever is asked for."""
    bucket, name = call.params["bucket"], call.params["name"]

    def read() -> tuple[bytes, Path]:
        path = call.service.catalog.find(bucket, name)
        return path.read_bytes(), path

    content, path = await asyncio.to_thread(read)
    return Response(content, media_type=media_type(path))


_BUCKETS = "/catalog/buckets"
_OBJECT = _BUCKETS + "/{bucket}/resources/{name}"

OUTSIDE = (
    Route("GET", _BUCKETS, buckets, "Buckets of the catalog."),
    Route("GET", _BUCKETS + "/{bucket}/resources", objects, "Objects of a bucket of the catalog."),
    Route("GET", _OBJECT + "/raw", raw, "The content of an object of the catalog.", gives=ANYTHING),
    Route("GET", _OBJECT + "/revisions/{revision}/raw", raw, "The content of an object's revision.", gives=ANYTHING),
)
