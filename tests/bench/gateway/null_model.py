"""The null model: an engine that answers at once and costs next to nothing, so that what stands before it shows.

It answers chat completions whole or as a stream of `CHUNKS` events, each written by itself, as fast as it goes, with
usage at the end or in each of them where that is asked for. Where the request's text holds `STEADY`, an event comes
every `INTERVAL` seconds, as from an engine; where it holds `HOLD`, the first event comes and then nothing, until
somebody posts to `/release`; where it holds `FLOOD`, events come without end, as fast as they are read. Anything else
gets a 200.
"""

import asyncio
import os
import re
from typing import ClassVar, cast

import uvloop

CHUNKS = 64
INTERVAL = 0.02
STEADY = b"a steady stream"
HOLD = b"hold this stream"
FLOOD = b"flood this stream"
_STREAM = re.compile(rb'"stream": ?true')
_USAGE = re.compile(rb'"include_usage": ?true')
_CONTINUOUS = re.compile(rb'"continuous_usage_stats": ?true')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_USED = b'"usage":{"prompt_tokens":100,"completion_tokens":%d,"total_tokens":%d}' % (CHUNKS, 100 + CHUNKS)


def _event(delta: bytes, finish: bytes = b"null", usage: bytes = b"") -> bytes:
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"null","choices":'
        b'[{"index":0,"delta":{%s},"finish_reason":%s}]%s}\n\n' % (delta, finish, usage)
    )


def _so_far(tokens: int) -> bytes:
    return b',"usage":{"prompt_tokens":100,"total_tokens":%d,"completion_tokens":%d}' % (100 + tokens, tokens)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


TEXT = b"x" * 300
ANSWER = _whole(
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"null","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%s"},"finish_reason":"stop"}],%s}' % (TEXT, _USED)
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
WORD = b'"content":"word "'
FIRST = _chunk(_event(b'"role":"assistant",' + WORD))
MIDDLE = _chunk(_event(WORD))
EVENTS = [FIRST, *[MIDDLE] * (CHUNKS - 2), _chunk(_event(WORD, b'"stop"'))]
EVENTS_WITH_USAGE = [
    _chunk(_event(b'"role":"assistant",' + WORD, usage=_so_far(1))),
    *[_chunk(_event(WORD, usage=_so_far(tokens))) for tokens in range(2, CHUNKS)],
    _chunk(_event(WORD, b'"stop"', _so_far(CHUNKS))),
]
USAGE = _chunk(
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"null","choices":[],'
    b"%s}\n\n" % _USED
)
END = _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
OTHER = _whole(b'{"object":"list","data":[{"id":"null","object":"model"}]}')


class NullModel(asyncio.Protocol):
    """One connection, one request at a time."""

    held: ClassVar[set["NullModel"]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = bytearray()
        self.missing = 0
        self.flooding = self.full = False

    def connection_lost(self, error: Exception | None) -> None:
        self.held.discard(self)
        self.flooding = False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self.flooding:
            self.flood()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.missing -= len(data)
        if self.missing > 0:  # of a large body, which is looked at when it is there
            return
        head, mark, body = bytes(self.buffer).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        self.missing = int(length[1]) - len(body) if mark and length else 0
        if not mark or self.missing > 0:
            return
        self.buffer.clear()
        line = head[: head.index(b"\r\n")]
        if b"/chat/completions " in line:
            self.answer(body)
            return
        if b" /release " in line:
            for stream in list(self.held):
                stream.finish(b"")
        self.transport.write(OTHER)

    def answer(self, body: bytes) -> None:
        if not _STREAM.search(body):
            self.transport.write(ANSWER)
            return
        self.transport.write(HEAD)
        if HOLD in body:
            self.held.add(self)
            self.transport.write(FIRST)
        elif FLOOD in body:
            self.flooding = True
            self.flood()
        else:
            self.interval = INTERVAL if STEADY in body else 0
            self.events = EVENTS_WITH_USAGE if _CONTINUOUS.search(body) else EVENTS
            self.write(0, USAGE if _USAGE.search(body) else b"")

    def write(self, number: int, usage: bytes) -> None:
        """One event for each turn of the loop, so that each is a write of its own."""
        self.transport.write(self.events[number])
        if number == CHUNKS - 1:
            self.finish(usage)
            return
        loop = asyncio.get_running_loop()
        if self.interval:
            loop.call_later(self.interval, self.write, number + 1, usage)
        else:
            loop.call_soon(self.write, number + 1, usage)

    def flood(self) -> None:
        """Some events, and more in the loop's next turn if there is room."""
        self.transport.write(MIDDLE * 100)
        if self.flooding and not self.full:
            asyncio.get_running_loop().call_soon(self.flood)

    def finish(self, usage: bytes) -> None:
        self.held.discard(self)
        self.transport.write(usage + END)


def run(port: int, core: int | None) -> None:
    """Serves until the process is ended, on one core if it is given."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(NullModel, "127.0.0.1", port, backlog=4096)
        await server.serve_forever()

    if core is not None:
        os.sched_setaffinity(0, {core})
    uvloop.run(serve())
