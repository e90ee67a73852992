"""The bytes of files, in a directory or a bucket."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, S3Store

_PIECE = 1024 * 1024


class Kept(NamedTuple):
    """What was stored."""

    size: int
    sha256: str


class Content:
    """A place for bytes, by the file's id."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str, directory: Path) -> "Content":
        """The bucket of a URL, or a directory where there is none.

        A bucket's region, endpoint and credentials are AWS's usual environment variables.
        """
        if url:
            return cls(S3Store.from_url(url))
        folder = directory / "files"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(prefix=folder))

    async def put(self, file_id: str, source: BinaryIO) -> Kept:
        """Stores a file from its beginning to its end; what breaks off leaves nothing behind."""
        source.seek(0)
        counted = _Counted(source)
        await obstore.put_async(self._store, file_id, iter(counted))
        return Kept(counted.size, counted.hash.hexdigest())

    async def get(self, file_id: str) -> bytes:
        """All of a file.

        Raises:
            FileNotFoundError: It is not there.
        """
        try:
            result = await obstore.get_async(self._store, file_id)
            return bytes(await result.bytes_async())
        except NotFoundError as error:
            raise FileNotFoundError(file_id) from error

    async def stream(self, file_id: str) -> AsyncIterator[bytes]:
        """A file's pieces.

        Raises:
            FileNotFoundError: It is not there.
        """
        try:
            result = await obstore.get_async(self._store, file_id)
        except NotFoundError as error:
            raise FileNotFoundError(file_id) from error
        async for piece in result.stream(min_chunk_size=_PIECE):
            yield bytes(piece)

    async def delete(self, file_id: str) -> None:
        """Deletes a file, if it is there."""
        try:
            await obstore.delete_async(self._store, file_id)
        except (NotFoundError, FileNotFoundError):
            return


class _Counted:
    """Pieces of a file, counted on their way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._source.read(_PIECE):
            self.size += len(piece)
            self.hash.update(piece)
            yield piece
