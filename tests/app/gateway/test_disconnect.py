import asyncio

import pytest
from starlette.types import Message

from serve_app.gateway.disconnect import DisconnectError, cancelled_on_disconnect


class Client:
    """A client that leaves when told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def test_the_block_is_cancelled_and_the_task_is_not() -> None:
    client = Client()
    answering = asyncio.Event()
    asyncio.get_running_loop().call_soon(client.left.set)
    with pytest.raises(DisconnectError), cancelled_on_disconnect(client.receive):
        await answering.wait()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    await asyncio.sleep(0)  # not cancelled here


async def test_a_client_that_stays_changes_nothing() -> None:
    client = Client()
    with cancelled_on_disconnect(client.receive):
        await asyncio.sleep(0)
    client.left.set()
    await asyncio.sleep(0.01)


async def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), cancelled_on_disconnect(Client().receive):
        raise ValueError("mine")


async def test_a_cancelled_task_stays_cancelled() -> None:
    async def work() -> None:
        with cancelled_on_disconnect(Client().receive):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
