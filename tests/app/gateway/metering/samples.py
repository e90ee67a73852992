"""What vLLM 0.29 answered: bodies as they came, chunked coding removed. `samples/README.md` says to which requests."""

from collections.abc import Iterator
from pathlib import Path

from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, Api
from serve_app.gateway.exchange.usage import NO_REQUEST, Usage, UsageRequest
from serve_app.gateway.metering.usage import Reader, reader

FOLDER = Path(__file__).parent / "samples"
BY_NAME = {api.name: api for api in (*APIS.values(), RETRIEVE, CANCEL)}


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def pairs() -> list[str]:
    """Streams that were asked for with and without usage, otherwise alike."""
    return sorted(path.name.removesuffix(".asked.txt") for path in FOLDER.glob("*.asked.txt"))


def api_of(name: str) -> Api:
    """By the beginning of a sample's name."""
    kind = name.split(".")[0].split("-")[0]
    return BY_NAME[{"chat": "chat_completions"}.get(kind, kind)]


def new_reader(name: str, *, strip: bool = False) -> Reader:
    request = UsageRequest({}, strip_total=True) if strip else NO_REQUEST
    return reader(api_of(name), event_stream=name.endswith(".txt"), request=request)


def read(reader: Reader, *pieces: bytes) -> tuple[bytes, Usage | None]:
    """What a client gets of an answer that arrives in these pieces, and what is counted."""
    passed = b"".join([reader.feed(piece) for piece in pieces]) + reader.end()
    return passed, reader.usage


def in_twos(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A body divided at every position."""
    return ((body[:at], body[at:]) for at in range(len(body) + 1))


def in_bytes(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def in_events(body: bytes) -> list[bytes]:
    return [event + b"\n\n" for event in body.split(b"\n\n")[:-1]]
