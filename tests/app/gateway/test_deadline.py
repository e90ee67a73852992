import asyncio
import time

import pytest

from serve_app.gateway.deadline import deadline

LATE = 0.01


async def test_a_block_that_takes_longer_times_out() -> None:
    with pytest.raises(TimeoutError), deadline(LATE):
        await asyncio.sleep(10)
    await asyncio.sleep(0)  # the task itself is not cancelled


async def test_a_block_in_time_goes_on() -> None:
    with deadline(LATE):
        await asyncio.sleep(0)
    await asyncio.sleep(3 * LATE)  # nor does it come later


async def test_what_the_block_raises_is_kept() -> None:
    with pytest.raises(ValueError, match="mine"), deadline(LATE):
        raise ValueError("mine")


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def block() -> None:
        with deadline(10):
            await asyncio.sleep(10)

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_where_both_come_the_cancellation_wins() -> None:
    async def block() -> None:
        with deadline(LATE):
            asyncio.get_running_loop().call_soon(task.cancel)
            time.sleep(2 * LATE)  # noqa: ASYNC251  # so that both are due when the loop goes on
            await asyncio.sleep(10)

    task = asyncio.create_task(block())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_is_the_one_that_ends() -> None:
    with deadline(10):
        with pytest.raises(TimeoutError), deadline(LATE):
            await asyncio.sleep(10)
        await asyncio.sleep(0)
