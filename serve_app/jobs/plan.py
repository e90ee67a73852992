"""What a job has to do: the partitions of its input, and which of them are done.

Each partition becomes one part of the output. An input file has a folder there, with its parts and `_input.json`, which
says how it was cut and what is asked. So a job that is run again leaves out what is written, and says when it was
something else.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from pyarrow import ArrowInvalid, parquet
from pyarrow.fs import FileInfo

from serve_app.jobs.errors import JobError
from serve_app.jobs.places import Place
from serve_app.settings.job import JobSettings

ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
MANIFEST = "_input.json"
_PIECE = 1 << 20
_LONGEST_LINE = 64 << 20
"""Bytes of a row; what is longer is no file of lines."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Some rows of one input file."""

    part: str
    """Name of what is written of it."""
    file: str
    """Name of the input file."""
    start: int
    """Its first byte of lines, or its first row group."""
    end: int
    """After its last."""
    rows: int


def partitions(settings: JobSettings, source: Place, target: Place) -> Iterator[Partition]:
    """All partitions of a job, in the order of their files. Writes `_input.json` of files that are new.

    Raises:
        JobError: There is no input, a file cannot be read, or parts of another input or question are there.
    """
    asked = hashlib.sha256(json.dumps(settings.asked, sort_keys=True).encode()).hexdigest()[:16]
    found = [each for each in source.list() if _format(each.path)]
    if not found:
        raise JobError(f"{settings.input} has no file that ends in {', '.join(ENDINGS)}, correct jobs' input")
    ending = settings.output_format
    for info in found:
        name = source.name(info.path)
        for number, (start, end, rows) in enumerate(_cut(settings, source, target, info, asked)):
            yield Partition(f"{name}/part-{number:05d}.{ending}", name, start, end, rows)


def done(target: Place) -> set[str]:
    """Names of the parts that are written."""
    return {target.name(each.path) for each in target.list() if each.base_name.startswith("part-")}


def _cut(settings: JobSettings, source: Place, target: Place, info: FileInfo, asked: str) -> list[tuple[int, int, int]]:
    name = source.name(info.path)
    known = {"size": info.size, "modified_ns": info.mtime_ns, "rows": settings.partition_rows, "asked": asked}
    try:
        manifest: dict[str, Any] = json.loads(target.read(f"{name}/{MANIFEST}"))
    except FileNotFoundError:
        parts = _scan(source, info, settings.partition_rows)
        target.write(f"{name}/{MANIFEST}", json.dumps({**known, "parts": parts}).encode())
        return parts
    if changed := [key for key, value in known.items() if manifest.get(key) != value]:
        what = {"asked": "another question or model", "rows": "other partitionRows"}.get(changed[0], "another version")
        raise JobError(
            f"{settings.output} has parts of {name} by {what}, give the job another output, or delete its folder there"
        )
    return [(start, end, rows) for start, end, rows in manifest["parts"]]


def _scan(source: Place, info: FileInfo, rows: int) -> list[tuple[int, int, int]]:
    try:
        if _format(info.path) == "parquet":
            with source.files.open_input_file(info.path) as file:
                metadata = parquet.ParquetFile(file).metadata
            return _grouped([metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)], rows)
        with source.files.open_input_stream(info.path) as stream:
            return lines(stream, rows)
    except (ArrowInvalid, OSError) as error:
        raise JobError(f"{source.name(info.path)} cannot be read, repair it: {error}") from error


def lines(stream: BinaryIO, rows: int) -> list[tuple[int, int, int]]:
    """Cuts lines: first byte, the byte after the last, and how many are not empty."""
    parts: list[tuple[int, int, int]] = []
    start = position = count = 0
    rest = b""
    while piece := stream.read(_PIECE):
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise JobError(f"a line after byte {position} is longer than {_LONGEST_LINE >> 20} MiB, split it")
        for line in whole:
            position += len(line) + 1
            count += bool(line.strip())
            if count == rows:
                parts.append((start, position, count))
                start, count = position, 0
    position += len(rest)
    if count := count + bool(rest.strip()):
        parts.append((start, position, count))
    return parts


def _grouped(sizes: list[int], rows: int) -> list[tuple[int, int, int]]:
    """Cuts row groups, which are read whole: as many together as make up a partition."""
    parts: list[tuple[int, int, int]] = []
    start = count = 0
    for number, size in enumerate(sizes, 1):
        count += size
        if count >= rows or (number == len(sizes) and count):
            parts.append((start, number, count))
            start, count = number, 0
    return parts


def _format(path: str) -> str:
    return next((kind for ending, kind in ENDINGS.items() if path.endswith(ending)), "")


def as_rows(found: list[Partition]) -> list[dict[str, Any]]:
    """Partitions as rows of a Ray dataset; `Partition(**row)` gives one back."""
    return [asdict(each) for each in found]
