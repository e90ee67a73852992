"""The rows of one partition, in and out."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
from pyarrow import parquet

from serve_app.jobs.places import Place
from serve_app.jobs.plan import Partition
from serve_app.settings.job import Format

Row = dict[str, Any]


def read(source: Place, partition: Partition) -> Iterator[Row]:
    """The rows of a partition; a line that is no JSON object is `{}`."""
    path = source.path(partition.file)
    with source.files.open_input_file(path) as file:
        if path.endswith(".parquet"):
            groups = list(range(partition.start, partition.end))
            yield from parquet.ParquetFile(file).read_row_groups(groups).to_pylist()
            return
        file.seek(partition.start)
        content = bytes(file.read(partition.end - partition.start))
    for line in content.split(b"\n"):
        if line.strip():
            yield _parsed(line)


def question(row: Row, column: str, *, chat: bool) -> tuple[Any, str]:
    """What a row asks, and what is wrong with it where it asks nothing.

    Args:
        row: An input row.
        column: The name of its question.
        chat: Whether the question is a conversation; a text is its only message then.
    """
    asked = row.get(column)
    if isinstance(asked, str) and asked:
        return ([{"role": "user", "content": asked}] if chat else asked), ""
    if chat and isinstance(asked, list) and asked and all(isinstance(each, dict) and "role" in each for each in asked):
        return asked, ""
    return None, f"{column} is no text" + (", and no list of messages" if chat else "")


def encoded(rows: Sequence[Row], form: Format) -> bytes:
    """Rows as the content of a file; one that Parquet has no type for is text there."""
    if form == "jsonl":
        return b"".join(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n" for row in rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.table({name: _column([row.get(name) for row in rows]) for name in names})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def _column(values: list[Any]) -> pyarrow.Array:
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([None if value is None else json.dumps(value, default=str) for value in values])


def _parsed(line: bytes) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
