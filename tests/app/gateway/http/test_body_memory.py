import json
import tracemalloc

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.http.body import read
from serve_app.gateway.http.body_memory import SMALL_BYTES
from serve_app.gateway.http.disconnect import DisconnectError
from serve_app.settings.gateway import Limits

from .wire import JSON, memory, receiving

LIMITS = Limits()
CHAT = "/v1/chat/completions"


async def test_millions_of_objects_are_read_without_being_built() -> None:
    raw = b'{"model":"a","messages":[' + b",".join([b"{}"] * 1_000_000) + b"]}"
    tracemalloc.start()
    body = await read(receiving(raw), JSON, APIS[CHAT], LIMITS, memory())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert body.model == "a"
    assert peak < len(raw) / 10


async def test_bytes_are_counted_until_all_that_use_them_have_released_them() -> None:
    room = memory(20)
    body = await read(receiving(b'{"model":', b'"a"}'), JSON, APIS[CHAT], LIMITS, room)
    assert (room.used, body.memory_is_scarce) == (13, True)
    other = body.share()
    for _ in range(2):
        body.release()
        assert (room.used, body.raw, other.raw) == (13, b"", b'{"model":"a"}')
    for _ in range(2):
        other.release()
        assert (room.used, other.raw) == (0, b"")


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
async def test_what_is_kept_of_a_released_body_is_small(path: str) -> None:
    fields = {"model": "a", "user": "u", "store": False, "stream_options": {}, "metadata": {"x": "y" * 1_000_000}}
    content = json.dumps(fields).encode()
    tracemalloc.start()
    body = await read(receiving(content[:9], content[9:]), JSON, APIS[path], LIMITS, memory())
    del content
    before = tracemalloc.get_traced_memory()[0]
    body.release()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert (before > 1_000_000, after < 50_000) == (True, True)
    assert body.envelope.value("user") == "u"


async def test_what_was_read_of_a_refused_body_is_not_counted() -> None:
    room = memory()
    for pieces in ((b'{"model": 1}',), (b"{}", None), (b"x" * LIMITS.max_body_bytes, b"x")):
        with pytest.raises((ApiError, DisconnectError)):
            await read(receiving(*pieces), JSON, APIS[CHAT], LIMITS, room)
        assert room.used == 0


async def test_a_body_that_finds_no_room_is_refused_and_a_small_one_still_let_in() -> None:
    room = memory(4 * SMALL_BYTES)
    other = room.share()
    other.take(4 * SMALL_BYTES)
    with pytest.raises(ApiError) as refused:
        await read(receiving(b'{"model":"a"}' + b" " * SMALL_BYTES), JSON, APIS[CHAT], LIMITS, room)
    assert (refused.value.status, refused.value.code) == (503, "gateway_overloaded")
    assert (b"retry-after", b"1") in refused.value.headers
    await read(receiving(b'{"model":"a"}'), JSON, APIS[CHAT], LIMITS, room)
    assert room.used == 4 * SMALL_BYTES + 13
