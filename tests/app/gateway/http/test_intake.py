import asyncio

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.http.disconnect import DisconnectError
from serve_app.gateway.http.intake import receive_all

from .wire import receiving, share, stalling


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"ab", b"cd", b"ef"), (b"", b"abcdef", b"")], ids=str)
async def test_pieces_are_joined(pieces: tuple[bytes, ...]) -> None:
    assert await receive_all(receiving(*pieces), {}, 6, 10, share()) == b"abcdef"


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"abc", b"def")], ids=str)
async def test_what_is_larger_than_the_limit_is_refused(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ApiError) as refused:
        await receive_all(receiving(*pieces), {}, 5, 10, share())
    assert refused.value.status == 413


async def test_what_is_declared_too_large_is_refused_unread() -> None:
    receive = receiving(b"abc")
    with pytest.raises(ApiError) as refused:
        await receive_all(receive, {b"content-length": b"6"}, 5, 10, share())
    assert refused.value.status == 413
    assert (await receive())["body"] == b"abc"


async def test_a_client_that_leaves_in_between() -> None:
    with pytest.raises(DisconnectError):
        await receive_all(receiving(b"abc", None), {}, 10, 10, share())


@pytest.mark.parametrize("pieces", [(), (b"abc",)], ids=str)
async def test_a_client_that_takes_too_long_is_refused_and_its_connection_closed(pieces: tuple[bytes, ...]) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(ApiError) as refused:
            await receive_all(stalling(*pieces), {}, 10, 0.02, share())
    assert refused.value.status == 408
    assert (b"connection", b"close") in refused.value.headers


async def test_a_compressed_body_is_refused_unread() -> None:
    receive = receiving(b"\x1f\x8b")
    with pytest.raises(ApiError) as refused:
        await receive_all(receive, {b"content-encoding": b"gzip"}, 10, 10, share())
    assert refused.value.status == 415
    assert "'gzip'" in refused.value.message
    assert refused.value.headers == [(b"accept-encoding", b"identity")]


async def test_the_encoding_identity_is_none() -> None:
    assert await receive_all(receiving(b"abc"), {b"content-encoding": b"identity"}, 10, 10, share()) == b"abc"
