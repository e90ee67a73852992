import pytest
from starlette.types import Message, Receive

from serve_app.gateway.apis.body import discard, parse, read
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.disconnect import DisconnectError


def receiving(*pieces: bytes | None) -> Receive:
    """ASGI's receive for a body in pieces; None is a client that leaves."""
    messages: list[Message] = [
        {"type": "http.disconnect"}
        if piece is None
        else {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1}
        for index, piece in enumerate(pieces)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    return receive


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"ab", b"cd", b"ef"), (b"", b"abcdef", b"")], ids=str)
async def test_pieces_are_joined(pieces: tuple[bytes, ...]) -> None:
    assert await read(receiving(*pieces), {}, 6) == b"abcdef"


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"abc", b"def")], ids=str)
async def test_what_is_larger_than_the_limit_is_refused(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ApiError) as refused:
        await read(receiving(*pieces), {}, 5)
    assert refused.value.status == 413


async def test_what_is_declared_too_large_is_dropped_so_that_the_refusal_arrives() -> None:
    receive = receiving(b"abc", b"def")
    with pytest.raises(ApiError) as refused:
        await read(receive, {b"content-length": b"6"}, 5)
    assert refused.value.status == 413
    with pytest.raises(IndexError):
        await receive()


@pytest.mark.parametrize("headers", [{b"expect": b"100-continue"}, {b"content-length": b"999999999999"}], ids=str)
async def test_what_need_not_or_cannot_be_dropped_is_not_even_read(headers: dict[bytes, bytes]) -> None:
    receive = receiving(b"abc")
    await discard(receive, headers)
    assert (await receive())["body"] == b"abc"


async def test_a_client_that_leaves_in_between() -> None:
    with pytest.raises(DisconnectError):
        await read(receiving(b"abc", None), {}, 10)


def test_the_models_name_is_found() -> None:
    assert parse(b'{"model": "a", "n": 1}') == ({"model": "a", "n": 1}, "a")
