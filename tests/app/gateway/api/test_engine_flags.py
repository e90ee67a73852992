import json
from importlib.resources import files

import pytest

from serve_app.gateway.api import engine_flags
from serve_app.gateway.api.engine_flags import with_keys

from .samples import SAMPLES

KEYS = {
    'tool_choice="required" requires --tool-call-parser to be set': "models.<name>.engine.tool_call_parser",
    SAMPLES["chat chat_template"].message: "models.<name>.engine.trust_request_chat_template",
    SAMPLES[
        "chat thinking budget"
    ].message: "models.<name>.engine.reasoning_parser, models.<name>.engine.reasoning_config",
    "You must set `--enable-prompt-embeds` to input `prompt_embeds`.": "models.<name>.engine.enable_prompt_embeds",
    "To enable these features, set the environment variable `VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the "
    "vLLM server.": "models.<name>.env.VLLM_ENABLE_RESPONSES_API_STORE",
}


@pytest.mark.parametrize("message", KEYS)
def test_refusals_that_name_flags_name_the_keys_too(message: str) -> None:
    assert with_keys(message) == f"{message.rstrip('.')}. In the values of the chart: {KEYS[message]}."


@pytest.mark.parametrize("message", ["", "No.", "--foo is bad", "--tool-call-parsers", "xVLLM_MAX_N_SEQUENCES"])
def test_other_messages_stay(message: str) -> None:
    assert with_keys(message) == message


def test_the_keys_exist() -> None:
    arguments = json.loads(files("serve_app.settings").joinpath("engine_arguments.json").read_text())["arguments"]
    for flag in engine_flags._FLAGS:
        assert flag[2:].replace("-", "_") in arguments
