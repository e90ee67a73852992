"""Has a document read by `document`, in a process that is ended where it takes too long."""

import asyncio
import json
import sys
from typing import Any

from sqlalchemy import Row

from serve_app.data.ingest.document import RefusedError

SECONDS = 300
"""That one document may take."""


async def read(row: Row[Any], content: bytes, max_chunks: int, seconds: float = SECONDS) -> list[str]:
    """The parts of a file.

    Args:
        row: The file in its store.
        content: Its bytes.
        max_chunks: Parts at most.
        seconds: That it may take.

    Raises:
        RefusedError: It cannot be taken.
    """
    numbers = (row.max_tokens, row.overlap_tokens, max_chunks)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "serve_app.data.ingest.document",
        row.filename,
        *map(str, numbers),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate(content)
    except TimeoutError as error:
        raise RefusedError("invalid_file", f"The file could not be read in {seconds:g} s: split it.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        told = json.loads(out)
    except ValueError as error:
        raise RefusedError("invalid_file", "The file cannot be read: what reads it broke off.") from error
    if "code" in told:
        raise RefusedError(told["code"], told["message"])
    chunks: list[str] = told["chunks"]
    return chunks
