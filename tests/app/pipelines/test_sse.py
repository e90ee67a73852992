"""Reading a stream of events, however it is cut."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.pipelines.sse import LONGEST_EVENT, EventTooLongError, data_of

STREAM = ': comment\n\ndata: {"a": 1}\r\n\r\nevent: x\ndata: é\n\ndata: [DONE]\n\n'.encode()


async def cut(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=8))
async def test_cut_anywhere(places: list[int]) -> None:
    marks = [0, *sorted(places), len(STREAM)]
    pieces = [STREAM[begin:end] for begin, end in pairwise(marks)]
    assert [data async for data in data_of(cut(*pieces))] == ['{"a": 1}', "é", "[DONE]"]


async def test_bounded() -> None:
    with pytest.raises(EventTooLongError):
        async for _ in data_of(cut(b"data: ", b"x" * LONGEST_EVENT)):
            pass
