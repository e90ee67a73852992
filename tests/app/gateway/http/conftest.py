import asyncio
from collections.abc import AsyncIterator

import pytest

from .served import Connection, server


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer
        writer.close()
