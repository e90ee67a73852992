import pytest

from tests.app.gateway.api.samples import SAMPLES, fields, long_list
from tests.app.gateway.support import FakeModel, Gateway, answer, ask


@pytest.mark.parametrize("repeated", [1, 4], ids=["whole", "longer than what is read"])
async def test_a_long_list_of_validation_errors_is_still_an_error(
    gateway: Gateway, model: FakeModel, repeated: int
) -> None:
    body = long_list("responses-no-detail")
    head, mark, tail = body.partition(b"\\n")
    model.script = [answer(400, head + mark + tail[:-20] * repeated + tail[-20:])]
    async with gateway.post(ask(input="x"), path="/v1/responses") as response:
        assert response.status == 400
        assert response.headers["content-type"] == "application/json"
        content = await response.read()
    error = fields(content)
    assert error["message"].startswith("input[0].content[0].detail: Field required; ")
    assert error["message"].endswith(" (and 240 more errors)")
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", "input", None)
    assert len(content) < 1000


async def test_a_refusal_is_in_the_shape_of_the_callers_api(gateway: Gateway, model: FakeModel) -> None:
    for name, path in (("msg long", "/v1/messages"), ("chat long", "/v1/chat/completions")):
        model.script = [answer(400, SAMPLES[name].body)]
        async with gateway.post(ask(max_tokens=4), path=path) as response:
            error = fields(await response.read())
        assert error["type"] == "invalid_request_error"
        assert ("prompt is too long" in error["message"]) == (path == "/v1/messages")
