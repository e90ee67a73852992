"""The demo's models in vLLM, started as values/cpu-demo.yaml has them: open questions, tools, JSON by a schema."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import openai
import pydantic
import pytest
import yaml

from tests.clients.engines import Engine, Server, serve_image
from tests.contract.test_serve_config import ROOT, serve_configs

MODELS = ("owl", "smollm2")
TOOL = yaml.safe_load((ROOT / "tests/models/tool.yaml").read_text())
GET_WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": TOOL["name"],
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Bird(pydantic.BaseModel):
    """A structured answer."""

    name: Literal["owl", "sparrow"]
    can_fly: bool


def flags(engine: dict[str, Any]) -> Iterator[str]:
    """The engine arguments of a values file as vLLM's command line takes them."""
    for name, value in engine.items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield json.dumps(value) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, openai.OpenAI]]:
    """A model -> a client of its engine. The engines start side by side."""
    (config,) = serve_configs(ROOT / "values/cpu-demo.yaml")
    wanted = {app["name"]: app["args"] for app in config["applications"]}
    folder, image = tmp_path_factory.mktemp("engines"), serve_image()
    made = {
        "owl": _made("train.sh", image) / "owl",
        "smollm2": _made("smollm2/convert.sh", image),
    }
    servers: dict[str, Server] = {}
    try:
        for name in MODELS:
            environment = tuple(f"{key}={value}" for key, value in wanted[name]["env"].items())
            engine = Engine((name,), "/model", tuple(flags(wanted[name]["engine"])), environment)
            with (folder / f"{name}.log").open("wb") as log:
                servers[name] = Server(engine, image, [f"{made[name]}:/model"], log)
        for server in servers.values():
            server.wait()
        yield {
            name: openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=120)
            for name, server in servers.items()
        }
    finally:
        for server in servers.values():
            server.stop()


def _made(script: str, image: str) -> Path:
    return Path(subprocess.check_output([ROOT / "tests/models" / script, image], text=True).strip())


def test_a_question_of_anybody(clients: dict[str, openai.OpenAI]) -> None:
    asked: Any = [{"role": "user", "content": "What is the capital of France?"}]
    completion = clients["smollm2"].chat.completions.create(
        model="smollm2", messages=asked, temperature=0, max_completion_tokens=50
    )
    assert "Paris" in (completion.choices[0].message.content or "")
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("result", TOOL["results"])
def test_owl_calls_its_tool_and_reads_the_result(clients: dict[str, openai.OpenAI], result: str, stream: bool) -> None:
    messages: Any = [
        {"role": "system", "content": "You are a careful agent. Use the tools that you are given."},
        {"role": "user", "content": TOOL["ask"]},
    ]
    ask: dict[str, Any] = {"model": "owl", "tools": [GET_WEATHER], "temperature": 0, "max_completion_tokens": 100}
    create = clients["owl"].chat.completions
    if stream:
        with create.stream(messages=messages, **ask) as events:
            choice: Any = events.get_final_completion().choices[0]
    else:
        choice = create.create(messages=messages, **ask).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (TOOL["name"], TOOL["arguments"])
    function = {"name": call.function.name, "arguments": call.function.arguments}
    messages += [
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call.id, "content": result},
    ]
    after = create.create(messages=messages, **ask).choices[0]
    assert after.message.content == TOOL["answer"].format(result=result)
    assert after.finish_reason == "stop"


def test_owl_leaves_other_tools_alone(clients: dict[str, openai.OpenAI]) -> None:
    other = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
    asked: Any = [{"role": "user", "content": TOOL["ask"]}]
    tools: Any = [other]
    choice = clients["owl"].chat.completions.create(model="owl", messages=asked, tools=tools, temperature=0).choices[0]
    assert (choice.message.content, choice.finish_reason) == (TOOL["without"], "stop")


@pytest.mark.parametrize("model", MODELS)
def test_json_by_a_schema_ends(clients: dict[str, openai.OpenAI], model: str) -> None:
    asked: Any = [{"role": "user", "content": "Who are you?"}]
    completion = clients[model].chat.completions.parse(
        model=model, messages=asked, response_format=Bird, temperature=0, max_completion_tokens=100
    )
    assert isinstance(completion.choices[0].message.parsed, Bird)
