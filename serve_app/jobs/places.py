"""Where a job's files are: a bucket, or a claim that the chart mounts."""

import os
import uuid
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pyarrow import ArrowInvalid
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem

from serve_app.jobs.errors import JobError

CLAIM = "pvc://"
CLAIMS = Path("/mnt/jobs")
"""Where the chart mounts the claims of jobs, on the head and the workers."""


class Place(NamedTuple):
    """A folder of a file system."""

    files: FileSystem
    folder: str

    def list(self) -> list[FileInfo]:
        """All files below it in the order of their paths; none where the folder is not there."""
        found = self.files.get_file_info(FileSelector(self.folder, recursive=True, allow_not_found=True))
        return sorted((each for each in found if each.type == FileType.File), key=lambda each: each.path)

    def name(self, path: str) -> str:
        """A path as it is named below the folder."""
        return PurePosixPath(path).relative_to(self.folder).as_posix()

    def path(self, name: str) -> str:
        """The path of a name."""
        return f"{self.folder}/{name}"

    def read(self, name: str) -> bytes:
        """A whole file."""
        with self.files.open_input_stream(self.path(name)) as stream:
            return bytes(stream.read())

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, which is there whole or not at all: a bucket shows an object when it is complete."""
        path = self.path(name)
        if not isinstance(self.files, LocalFileSystem):
            with self.files.open_output_stream(path) as stream:
                stream.write(content)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)


def place(url: str) -> Place:
    """The folder of a URL.

    Args:
        url: `s3://BUCKET/PATH`, `gs://BUCKET/PATH` or `pvc://CLAIM/PATH`.

    Raises:
        JobError: There is no such bucket, or no way to it.
    """
    if url.startswith(CLAIM):
        return Place(LocalFileSystem(), str(CLAIMS / url.removeprefix(CLAIM).rstrip("/")))
    try:
        files, folder = FileSystem.from_uri(url.rstrip("/"))
    except (ArrowInvalid, OSError) as error:
        raise JobError(f"{url} cannot be opened, correct it or the credentials: {error}") from error
    return Place(files, folder.rstrip("/"))
