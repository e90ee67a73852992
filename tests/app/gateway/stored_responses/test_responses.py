import asyncio

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.stored_responses.responses import (
    KEPT_SECONDS,
    ResponseIdReader,
    ResponseOrigin,
    Responses,
    hinted,
    owner_of,
)

ALICE = Caller(key="alice", team="red")
BOB = Caller(key="bob", team="red")
EVE = Caller(key="eve", team="blue")

JSON = b'{"id":"resp_1","created_at":1,"instructions":null,"metadata":{"id":"resp_2"},"object":"response"}'
STREAM = b'event: response.created\ndata: {"response":{"id":"resp_1","created_at":1},"sequence_number":0}\n\n'


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Shared(dict[str, bytes]):
    """A store that several replicas use."""

    seconds = 0
    broken = False

    async def get(self, key: str) -> bytes | None:  # type: ignore[override]
        if self.broken:
            raise ConnectionError
        return super().get(key)

    async def set(self, key: str, value: bytes, seconds: int) -> bool:
        if self.broken:
            raise ConnectionError
        self.seconds = seconds
        absent = key not in self
        self.setdefault(key, value)
        return absent


def learn(responses: Responses, response_id: str, caller: Caller = ALICE, model: str = "a", route: str = "") -> None:
    responses.reader(model, route, caller).feed(b'{"id":"%s",' % response_id.encode())


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(JSON, id="vLLM"),
        pytest.param(STREAM, id="vLLM's stream"),
        pytest.param(b'{\n  "id": "resp_1",\n  "object": "response"', id="OpenAI"),
        pytest.param(b'{"object": "response", "id": "resp_1"', id="OpenAI, other order"),
        pytest.param(
            b'event: response.created\r\ndata: {"type":"response.created","sequence_number":0,'
            b'"response":{"id":"resp_1"',
            id="OpenAI's stream",
        ),
        pytest.param(b'data: {"type":"response.created","response":{"id":"resp_1"', id="stream without names"),
        pytest.param(b": still waiting\n\n: still waiting\n\n" + STREAM, id="after comments"),
    ],
)
def test_the_id_is_found_in_whatever_pieces_the_answer_comes(answer: bytes) -> None:
    for size in (1, 7, len(answer)):
        found: list[str] = []
        reader = ResponseIdReader(found.append)
        for start in range(0, len(answer), size):
            reader.feed(answer[start : start + size])
        assert (found, reader.done) == (["resp_1"], True)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b'{"metadata":{"id":"resp_1"}}', id="in what the caller wrote"),
        pytest.param(b'{"instructions":"{\\"id\\":\\"resp_1\\"}"', id="in a text"),
        pytest.param(b'{"id":"resp 1"}', id="no id"),
        pytest.param(b'{"id":5}', id="a number"),
        pytest.param(b'event: error\ndata: {"error":{"id":"resp_1"}}\n\n', id="an error"),
        pytest.param(b" " * 5000 + JSON, id="too late"),
    ],
)
def test_what_is_no_id_is_not_learned(answer: bytes) -> None:
    found: list[str] = []
    ResponseIdReader(found.append).feed(answer)
    assert found == []


def test_an_id_reader_gives_up() -> None:
    reader = ResponseIdReader(lambda _: None)
    for _ in range(100):
        reader.feed(b"x" * 100)
    assert reader.done


async def test_what_made_a_response_is_known_to_its_team_only() -> None:
    responses = Responses()
    learn(responses, "resp_1", ALICE, "a", "chat")
    assert await responses.find("resp_1", BOB) == ResponseOrigin("a", "chat", "team/red")
    for find in (responses.find("resp_1", EVE), responses.find("resp_1", EVE, "a"), responses.known("resp_1", EVE)):
        with pytest.raises(ApiError) as refused:
            await find
        assert (refused.value.status, refused.value.code) == (404, "response_not_found")


async def test_an_unknown_one_needs_the_models_name() -> None:
    responses = Responses()
    assert await responses.known("resp_1", ALICE) is None
    assert await responses.find("resp_1", ALICE, "a") is None
    with pytest.raises(ApiError, match=r"\?model=NAME") as refused:
        await responses.find("resp_1", ALICE)
    assert (refused.value.status, refused.value.param) == (404, "response_id")


async def test_nobody_can_tell_somebody_elses_from_an_unknown_one() -> None:
    responses = Responses()
    learn(responses, "resp_1", ALICE)
    said = []
    for response_id in ("resp_1", "resp_2"):
        with pytest.raises(ApiError) as refused:
            await responses.find(response_id, EVE)
        said.append(refused.value.message.replace(response_id, ""))
    assert said[0] == said[1]


async def test_nobody_takes_over_an_id() -> None:
    responses = Responses()
    learn(responses, "resp_1", ALICE, "a")
    learn(responses, "resp_1", EVE, "b")
    assert (await responses.find("resp_1", ALICE)) == ResponseOrigin("a", "", "team/red")
    learn(responses, "resp_1", BOB, "b")
    assert (await responses.find("resp_1", ALICE)) == ResponseOrigin("b", "", "team/red")


async def test_ids_are_forgotten_after_a_while() -> None:
    clock = Clock()
    responses = Responses(clock=clock)
    learn(responses, "resp_1")
    clock.now += KEPT_SECONDS - 1
    assert await responses.known("resp_1", ALICE)
    clock.now += 1
    assert await responses.known("resp_1", ALICE) is None
    learn(responses, "resp_1", EVE)
    assert await responses.known("resp_1", EVE)


async def test_no_more_are_kept_than_allowed() -> None:
    responses = Responses(most=2)
    for number in range(3):
        learn(responses, f"resp_{number}")
    known = [await responses.known(f"resp_{number}", ALICE) for number in range(3)]
    assert [made is not None for made in known] == [False, True, True]


async def test_replicas_share_what_they_learn(supervisor: Supervisor) -> None:
    store = Shared()
    one, other = (Responses(store, supervisor) for _ in range(2))
    learn(one, "resp_1", ALICE, "a", "chat")
    await asyncio.sleep(0)
    assert await other.find("resp_1", BOB) == ResponseOrigin("a", "chat", "team/red")
    with pytest.raises(ApiError):
        await other.find("resp_1", EVE, "a")
    assert store.seconds == KEPT_SECONDS


async def test_a_store_that_fails_fails_nobody(supervisor: Supervisor) -> None:
    store = Shared()
    store.broken = True
    responses = Responses(store, supervisor)
    learn(responses, "resp_1")
    await asyncio.sleep(0)
    assert await responses.known("resp_1", ALICE)
    assert await responses.known("resp_2", ALICE) is None


@pytest.mark.parametrize(
    ("caller", "owner"),
    [
        (ALICE, "team/red"),
        (Caller(key="k"), "key/k"),
        (Caller(key="oidc", subject="ann"), "subject/ann"),
        (Caller(key="oidc", subject="ann", team="red"), "team/red"),
        (ANYBODY, ""),
    ],
    ids=str,
)
def test_owners(caller: Caller, owner: str) -> None:
    assert owner_of(caller) == owner


@pytest.mark.parametrize(
    ("query", "hint", "rest"),
    [
        (b"", "", b""),
        (b"stream=true", "", b"stream=true"),
        (b"model=a", "a", b""),
        (b"stream=true&model=org%2Fa+b&starting_after=%33", "org/a b", b"stream=true&starting_after=%33"),
        (b"submodel=a", "", b"submodel=a"),
        (b"model=a&model=b", "b", b""),
        (b"model=%ff", "\ufffd", b""),
    ],
)
def test_hints(query: bytes, hint: str, rest: bytes) -> None:
    assert hinted(query) == (hint, rest)


async def test_a_background_response_is_counted_once_in_all(supervisor: Supervisor) -> None:
    shared = Shared()
    one, other = (Responses(shared, supervisor) for _ in range(2))
    one.reader("a", "", ALICE, background=True).feed(JSON)
    learn(one, "resp_9")
    await asyncio.sleep(0)
    assert await one.counts("resp_1", ALICE)
    assert not await one.counts("resp_1", ALICE)
    assert not await other.counts("resp_1", ALICE)
    assert not await one.counts("resp_9", ALICE), "counted when it was made"
    assert not await one.counts("resp_0", ALICE), "nobody knows it"
