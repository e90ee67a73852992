"""What is known of files."""

from http import HTTPStatus
from typing import Any, BinaryIO

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.caller import Caller
from serve_app.data.database import Page, files, new_id, now_ms, store_files
from serve_app.data.errors import ApiError, not_found
from serve_app.data.files.content import Content
from serve_app.settings.data import Files as Settings


class Files:
    """The files of all callers; each sees those of its team."""

    def __init__(self, engine: AsyncEngine, content: Content, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self.content = content

    async def add(
        self, caller: Caller, source: BinaryIO, *, filename: str, purpose: str, size: int, seconds: int | None
    ) -> Row[Any]:
        """Keeps a file.

        Args:
            caller: Whose it is.
            source: Its bytes.
            filename: What it is called.
            purpose: OpenAI's `purpose`.
            size: Its bytes, counted.
            seconds: After how long it goes; None for never.

        Raises:
            ApiError: 413, the team's files would have more bytes than they may.
        """
        most = self._settings.max_team_bytes
        if most and await self._bytes_of(caller) + size > most:
            message = f"Your files may have {most} bytes in all: delete some, or have data.files.maxTeamBytes raised."
            raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="quota_exceeded")
        file_id = new_id("file-")
        kept = await self.content.put(file_id, source)
        now = now_ms()
        values = {
            "id": file_id,
            "owner": caller.owner,
            "filename": filename,
            "purpose": purpose,
            "bytes": kept.size,
            "sha256": kept.sha256,
            "created_ms": now,
            "expires_ms": None if seconds is None else now + seconds * 1000,
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(files).values(values))
        return await self.get(caller, file_id)

    async def put(self, file_id: str, owner: str, source: BinaryIO, *, filename: str, purpose: str) -> str:
        """Keeps a file that the component has made, under an id of its own; the same again changes nothing."""
        kept = await self.content.put(file_id, source)
        values = {
            "owner": owner,
            "filename": filename,
            "purpose": purpose,
            "bytes": kept.size,
            "sha256": kept.sha256,
            "created_ms": now_ms(),
        }
        async with self._engine.begin() as connection:
            there = update(files).where(files.c.id == file_id).values(values)
            if not (await connection.execute(there)).rowcount:
                await connection.execute(insert(files).values(id=file_id, **values))
        return file_id

    async def get(self, caller: Caller, file_id: str) -> Row[Any]:
        """One file.

        Raises:
            ApiError: 404, there is none for the caller.
        """
        query = select(files).where(files.c.id == file_id, files.c.owner == caller.owner)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise not_found("file", file_id)
        return row

    async def page(self, caller: Caller, page: Page, purpose: str | None) -> list[Row[Any]]:
        """A page of files, and one more where there is another page."""
        query = select(files).where(files.c.owner == caller.owner)
        if purpose:
            query = query.where(files.c.purpose == purpose)
        async with self._engine.connect() as connection:
            return list(await connection.execute(page.of(query, files, "id")))

    async def remove(self, caller: Caller, file_id: str) -> None:
        """Deletes a file, out of all stores too: no search finds it from now on.

        Raises:
            ApiError: 404, there is none for the caller.
        """
        await self.get(caller, file_id)
        await self._remove(file_id)

    async def remove_expired(self) -> None:
        """Deletes the files whose time is over."""
        async with self._engine.connect() as connection:
            expired = list(
                await connection.scalars(select(files.c.id).where(files.c.expires_ms <= now_ms()).limit(100))
            )
        for file_id in expired:
            await self._remove(file_id)

    async def _remove(self, file_id: str) -> None:
        async with self._engine.begin() as connection:
            leaving = update(store_files).where(store_files.c.file_id == file_id)
            await connection.execute(leaving.values(status="deleting", next_ms=0))
            await connection.execute(delete(files).where(files.c.id == file_id))
        await self.content.delete(file_id)

    async def _bytes_of(self, caller: Caller) -> int:
        query = select(func.coalesce(func.sum(files.c.bytes), 0)).where(files.c.owner == caller.owner)
        async with self._engine.connect() as connection:
            return int(await connection.scalar(query) or 0)
