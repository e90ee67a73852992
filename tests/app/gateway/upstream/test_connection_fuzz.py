"""Any bytes, in any pieces: a caller gets its own response whole or an error, never what belongs to another."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import h11
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from serve_app.gateway.upstream.connection import HIGH_WATER, MOST_HEAD_BYTES
from serve_app.gateway.upstream.errors import LostError, NotHttpError

from .wire import receive

SEGMENT = 16 * 1024
"""Most bytes that the transport delivers at once."""
THEIRS = b"ZQX"
"""Letters of a response that belongs to somebody else; those of our own never have them."""
EXAMPLES = settings(max_examples=200, deadline=None)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


# Responses

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).map(lambda text: f"x-{text}".encode())
VALUE = st.binary(max_size=20).map(lambda value: bytes(byte for byte in value if 0x20 < byte < 0x7F and byte != 0x3A))
BODY = st.binary(max_size=300).map(lambda body: bytes(byte for byte in body if byte not in THEIRS))
LARGE = st.integers(0, 3 * HIGH_WATER).map(lambda size: b"a" * size)
INFORMATIONAL = st.sampled_from([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"])


@dataclass
class Response:
    """A valid response on the wire, and what it says."""

    wire: bytes
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    until_closed: bool
    keeps_alive: bool


@st.composite
def responses(draw: st.DrawFn) -> Response:
    status = draw(st.sampled_from([200, 201, 204, 206, 400, 404, 500]))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    body = b"" if status == 204 else draw(st.one_of(BODY, LARGE))
    headers = draw(st.lists(st.tuples(TOKEN, VALUE), max_size=5))
    framing = draw(st.sampled_from(["length", "chunked", "close"] if version == b"1.1" else ["length", "close"]))
    if status == 204:
        framing = "none"
    content = body
    if framing == "length":
        headers.append((b"content-length", b"%d" % len(body)))
    elif framing == "chunked":
        headers.append((b"transfer-encoding", draw(st.sampled_from([b"chunked", b"Chunked"]))))
        content = chunked(draw, body)
    close = framing == "close" or draw(st.booleans())
    if close and version == b"1.1":
        headers.append((b"connection", b"close"))
    if not close and version == b"1.0":
        headers.append((b"connection", b"keep-alive"))
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    before = b"".join(draw(st.lists(INFORMATIONAL, max_size=2)))
    wire = b"%sHTTP/%s %d Reason\r\n%s\r\n%s" % (before, version, status, lines, content)
    return Response(wire, status, headers, body, framing == "close", not close)


def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    extension = draw(st.sampled_from([b"", b";a=b", b';a="b c"']))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(body) - 1)), max_size=4))) if body else []
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    trailer = draw(st.sampled_from([b"", b"x-trailer: t\r\n"]))
    return b"%s0%s\r\n%s\r\n" % (chunks, extension, trailer)


def split(wire: bytes, cuts: set[int]) -> list[bytes]:
    """In segments that end at these places, none longer than `SEGMENT`."""
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire)), *range(0, len(wire), SEGMENT)})
    return [wire[start:end] for start, end in itertools.pairwise(places)]


CUTS = st.sets(st.integers(1, 1000), max_size=30)
AFTER = st.one_of(
    st.just(b"HTTP/1.1 404 No\r\nx-z: 1\r\ncontent-length: 6\r\n\r\nZQXZQX"),
    st.just(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nZQX\r\n"),
    st.just(b"ZQX"),
    st.just(b"HTTP"),
    st.binary(min_size=1, max_size=40).filter(lambda after: after.strip(b"\r\n")),
)
"""Line ends alone are no response's: the parser skips them."""


@EXAMPLES
@given(response=responses(), cuts=CUTS, at_once=st.booleans())
def test_a_valid_response_arrives_whole(
    runner: asyncio.Runner, response: Response, cuts: set[int], at_once: bool
) -> None:
    got = runner.run(receive(split(response.wire, cuts), closes=response.until_closed, at_once=at_once))
    assert got.error is None
    assert (got.status, got.body, got.headers) == (response.status, response.body, response.headers)
    assert got.reused == (response.keeps_alive and response.status < 300)
    assert got.most_held <= HIGH_WATER + SEGMENT


@EXAMPLES
@given(response=responses(), after=AFTER, cuts=CUTS, at_once=st.booleans())
def test_what_comes_after_it_is_nobodys(
    runner: asyncio.Runner, response: Response, after: bytes, cuts: set[int], at_once: bool
) -> None:
    assume(not response.until_closed)  # else it is a part of the body
    got = runner.run(receive(split(response.wire + after, cuts), closes=False, at_once=at_once))
    assert got.error is None
    assert (got.status, got.body, got.headers) == (response.status, response.body, response.headers)
    assert not got.connection.is_open


@EXAMPLES
@given(response=responses(), cuts=CUTS, share=st.floats(0, 1, exclude_max=True), reset=st.booleans())
def test_a_response_that_is_cut_is_an_error(
    runner: asyncio.Runner, response: Response, cuts: set[int], share: float, reset: bool
) -> None:
    wire = response.wire[: int(len(response.wire) * share)]
    got = runner.run(receive(split(wire, cuts), reset=reset))
    assert response.body.startswith(got.body)
    if response.until_closed and not reset and b"\r\n\r\n" in wire.partition(b"Reason")[2]:
        assert got.error is None
    else:
        assert isinstance(got.error, LostError)
    assert not got.reused


def by_h11(wire: bytes) -> tuple[int, bytes] | None:
    """Status and body as another parser reads them; None if it finds no whole response."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "h")]))
    client.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        for data in (wire, b""):
            client.receive_data(data)
            while not isinstance(event := client.next_event(), type) and not isinstance(event, h11.EndOfMessage):
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += event.data
            if isinstance(event, h11.EndOfMessage):
                return status, body
    except h11.RemoteProtocolError:
        return None
    return None


@EXAMPLES
@given(response=responses(), cuts=CUTS, data=st.data())
def test_damaged_bytes_are_a_response_or_an_error(
    runner: asyncio.Runner, response: Response, cuts: set[int], data: st.DataObject
) -> None:
    wire = bytearray(response.wire)
    for place in data.draw(st.sets(st.integers(0, min(len(wire), 400) - 1), max_size=3)):
        wire[place] = data.draw(st.integers(0, 255))
    got = runner.run(receive(split(bytes(wire), cuts)))
    assert got.most_held <= HIGH_WATER + SEGMENT
    assert not got.reused or got.status < 300
    expected = by_h11(bytes(wire))
    if got.error is None and expected is not None:
        assert (got.status, got.body) == expected


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), id="headers"),
        pytest.param((b"HTTP/1.1 200 OK\r\nx: ", b"y"), id="a header"),
        pytest.param((b"HTTP/1.1 200 ", b"O"), id="a reason"),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="informational"),
        pytest.param((b"", b"\r\n"), id="empty lines"),
        pytest.param((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"x"), id="a chunk's extension"),
        pytest.param((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", b"y"), id="a trailer"),
        pytest.param((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"), id="trailers"),
    ],
)
def test_what_is_no_body_is_bounded(runner: asyncio.Runner, endless: tuple[bytes, bytes]) -> None:
    start, more = endless
    piece = more * (1024 // len(more))
    got = runner.run(receive([start or more, *[piece] * 1000]))
    assert isinstance(got.error, NotHttpError)
    assert got.delivered <= MOST_HEAD_BYTES + 2 * len(piece)
    assert not got.connection._pieces
