import asyncio
from collections.abc import Callable

import pytest

from serve_app.gateway.http.disconnect import DisconnectError, cancelled_on_disconnect


class Client:
    """A client that leaves when told to."""

    def __init__(self) -> None:
        self._left: Callable[[], None] | None = None

    def when_left(self, left: Callable[[], None] | None) -> None:
        self._left = left

    def leave(self) -> None:
        if self._left:
            self._left()


async def test_the_block_is_cancelled_and_the_task_is_not() -> None:
    client = Client()
    answering = asyncio.Event()
    asyncio.get_running_loop().call_soon(client.leave)
    with pytest.raises(DisconnectError), cancelled_on_disconnect(client):
        await answering.wait()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    await asyncio.sleep(0)  # not cancelled here


async def test_a_client_that_stays_changes_nothing() -> None:
    client = Client()
    with cancelled_on_disconnect(client):
        await asyncio.sleep(0)
    client.leave()
    await asyncio.sleep(0.01)


async def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), cancelled_on_disconnect(Client()):
        raise ValueError("mine")


async def test_a_cancelled_task_stays_cancelled() -> None:
    async def work() -> None:
        with cancelled_on_disconnect(Client()):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
