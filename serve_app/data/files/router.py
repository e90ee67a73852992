"""`/v1/files` as OpenAI has it."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Row
from starlette.datastructures import UploadFile
from starlette.types import Message, Receive

from serve_app.data.caller import Authenticated
from serve_app.data.database import Page
from serve_app.data.errors import ApiError
from serve_app.data.files.records import Files
from serve_app.data.lists import listed

PURPOSES = ("assistants", "batch", "user_data")
_FORM_BYTES = 65536
"""Of what is in a form beside the file."""


def router(files: Files, most_bytes: int) -> APIRouter:
    """The routes.

    Args:
        files: What they are about.
        most_bytes: Of the largest file.
    """
    routes = APIRouter(prefix="/v1/files", tags=["files"])

    @routes.post("")
    async def upload(request: Request, caller: Authenticated) -> dict[str, Any]:
        limited = Request(request.scope, _limited(request.receive, most_bytes))
        async with limited.form(max_files=1, max_fields=8, max_part_size=_FORM_BYTES) as form:
            source, purpose = form.get("file"), form.get("purpose")
            if not isinstance(source, UploadFile):
                raise ApiError(HTTPStatus.BAD_REQUEST, "file: is missing, send it as a part of the form.", param="file")
            if purpose not in PURPOSES:
                message = f"purpose: is {purpose!r}, use one of {', '.join(PURPOSES)}."
                raise ApiError(HTTPStatus.BAD_REQUEST, message, param="purpose")
            seconds = _seconds(form.get("expires_after[anchor]"), form.get("expires_after[seconds]"))
            added = await files.add(
                caller,
                source.file,
                filename=_name(source.filename),
                purpose=purpose,
                size=source.size or 0,
                seconds=seconds,
            )
        return shown(added)

    @routes.get("")
    async def list_files(
        caller: Authenticated,
        purpose: str | None = None,
        limit: Annotated[int, Query(ge=1, le=10000)] = 10000,
        order: Literal["asc", "desc"] = "desc",
        after: str | None = None,
    ) -> dict[str, Any]:
        mark = await files.get(caller, after) if after else None
        rows = await files.page(caller, Page(order, limit, mark), purpose)
        return listed([shown(row) for row in rows], limit)

    @routes.get("/{file_id}")
    async def retrieve(file_id: str, caller: Authenticated) -> dict[str, Any]:
        return shown(await files.get(caller, file_id))

    @routes.delete("/{file_id}")
    async def remove(file_id: str, caller: Authenticated) -> dict[str, Any]:
        await files.remove(caller, file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    @routes.get("/{file_id}/content")
    async def content(file_id: str, caller: Authenticated) -> StreamingResponse:
        row = await files.get(caller, file_id)
        pieces = files.content.stream(file_id)
        first = await anext(pieces, b"")
        headers = {
            "content-length": str(row.bytes),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(row.filename, safe='')}",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(_all(first, pieces), headers=headers, media_type="application/octet-stream")

    return routes


def shown(row: Row[Any]) -> dict[str, Any]:
    """OpenAI's file object."""
    return {
        "id": row.id,
        "object": "file",
        "bytes": row.bytes,
        "created_at": row.created_ms // 1000,
        "expires_at": None if row.expires_ms is None else row.expires_ms // 1000,
        "filename": row.filename,
        "purpose": row.purpose,
        "status": "processed",
        "sha256": row.sha256,
    }


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _name(name: str | None) -> str:
    """A file's name without folders and what no terminal should print."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[:255] or "file"


def _seconds(anchor: object, seconds: object) -> int | None:
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at" or not isinstance(seconds, str) or not seconds.isdecimal():
        message = "expires_after: is not understood, send anchor created_at and seconds."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="expires_after")
    if not 3600 <= int(seconds) <= 2592000:
        message = f"expires_after: has {seconds} seconds, choose 3600 to 2592000."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="expires_after")
    return int(seconds)


def _limited(receive: Receive, most_bytes: int) -> Receive:
    """Ends an upload that is larger than it may be, before more of it is on the disk."""
    left = most_bytes + _FORM_BYTES

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            text = f"file: is larger than {most_bytes} bytes, send a smaller one or have data.files.maxBytes raised."
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, code="file_too_large", param="file")
        return message

    return limited
