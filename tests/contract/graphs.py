"""In the serve image: runs pipelines on a real Ray, deployed as KubeRay does, and prints what it saw.

The model that embeds and reranks is a real one, on vLLM; the gateway and the store of documents are HTTP servers of
this process. usage: graphs.py CONFIG
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import ray
import yaml
from aiohttp import web
from ray import serve

PORT = 18423
GATEWAY = 18424
TOOLS = 18425
ASK = {"messages": [{"role": "user", "content": "Do owls write to ann@example.com?"}]}
CHUNK: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "sparrow"}
FOREVER = "Tell me for ever"
asked: list[dict[str, Any]] = []
left = asyncio.Event()
"""The generation that never ends has been ended."""


async def answer(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    asked.append({"path": request.path, "key": request.headers.get("authorization"), **body})
    if request.path.endswith("/search"):
        content = [{"type": "text", "text": "Owls hunt."}]
        found = {"file_id": "file-1", "filename": "a.md", "score": 0.9, "attributes": None, "content": content}
        other = {**found, "file_id": "file-2", "content": [{"type": "text", "text": "Bonds yield interest."}]}
        return web.json_response({"data": [other, found]})
    if FOREVER in json.dumps(body["messages"]) and not body.get("stream"):
        await forever(None, whole=True)
    if body.get("tools") and body["messages"][-1]["role"] == "user":
        return sse(calls())
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    if not body.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "No [1]."}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    if FOREVER in json.dumps(body["messages"]):
        await forever(response, whole=False)
    for delta, reason in (({"content": "No [1]."}, None), ({}, "stop")):
        chunk = {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await asyncio.sleep(0.2)
    await response.write(b"data: [DONE]\n\n")
    return response


def calls() -> list[dict[str, Any]]:
    """Chunks in which a model calls two tools of an agent."""
    given = {"get_weather": {"city": "Rome"}, "search_docs": {"query": "owls"}}
    told = [
        {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for number, (name, arguments) in enumerate(given.items())
    ]
    choices: list[dict[str, Any]] = [
        {"delta": {"tool_calls": told}, "finish_reason": None},
        {"delta": {}, "finish_reason": "tool_calls"},
    ]
    return [{**CHUNK, "choices": [{"index": 0, **choice}]} for choice in choices]


def sse(chunks: list[dict[str, Any]]) -> web.Response:
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


async def forever(response: web.StreamResponse | None, *, whole: bool) -> None:
    """A generation that only its client's leave ends; streamed, or of an answer as a whole."""
    try:
        while True:
            if response is not None and not whole:
                await response.write(b'data: {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hoo "}}]}\n\n')
            await asyncio.sleep(0.1)
    except (asyncio.CancelledError, ConnectionError):
        left.set()
        raise


async def leaves(*, stream: bool) -> bool:
    """Whether a client that leaves ends the generation, as the gateway sends its request."""
    left.clear()
    before = len(asked)
    body = {"messages": [{"role": "user", "content": FOREVER}], "stream": stream}
    url = f"http://127.0.0.1:{PORT}/pipelines/docs/v1/chat/completions"
    headers = {"x-request-disconnect-disabled": "?0"}
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.post(url, json=body, headers=headers))
        async with asyncio.timeout(30):
            while len(asked) < before + 2:  # noqa: ASYNC110 - the search, and the generation
                await asyncio.sleep(0.05)
            if stream:
                await (await asking).content.readany()
        asking.cancel()
    try:
        await asyncio.wait_for(left.wait(), 10)
    except TimeoutError:
        return False
    return True


async def running(names: list[str]) -> None:
    """Waits for applications; says what Ray says of one that fails."""
    async with asyncio.timeout(240):
        while True:
            found = serve.status().applications
            failed = {name: app.message for name, app in found.items() if app.status == "DEPLOY_FAILED"}
            assert not failed, failed
            if all(name in found and found[name].status == "RUNNING" for name in names):
                return
            await asyncio.sleep(0.5)


def processes() -> dict[str, dict[str, Any]]:
    """Memory of each part's process that is its own, and whether torch is in it."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().split(b"\0")[0].decode()
            if title.startswith("ray::ServeReplica:"):
                fields = (line.split() for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
                sizes = {each[0]: int(each[1]) for each in fields}
                own = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
                maps = (folder / "maps").read_text()
                found[title.removeprefix("ray::ServeReplica:").strip()] = {
                    "mib": round(sizes["Rss:"] / 1024),
                    "own_mib": round(own / 1024),
                    "heavy": "torch" in maps or "vllm" in maps,
                }
        except OSError:  # it has ended meanwhile
            continue
    return found


async def ask(name: str, body: dict[str, Any], path: str = "chat/completions") -> Any:
    url = f"http://127.0.0.1:{PORT}/pipelines/{name}/v1/{path}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        text = await response.text()
        return {"status": response.status, "text": text}


async def kept() -> list[Any]:
    """A response of the agent, one that goes on from it, and one that goes on from none."""
    first = await ask("helper", {"input": "Rome?"}, "responses")
    previous = json.loads(first["text"]).get("id", "")
    asked_for = [{"input": "And then?", "previous_response_id": name} for name in (previous, "resp_1")]
    return [first, *[await ask("helper", body, "responses") for body in asked_for]]


async def main(config: dict[str, Any]) -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", GATEWAY).start()
    tools = await asyncio.create_subprocess_exec(sys.executable, "/graphs/tools.py", str(TOOLS), stdout=sys.stderr)
    ray.init(num_cpus=4, resources={"accelerator-class-cpu": 1000}, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema

    await asyncio.to_thread(_get_global_client().deploy_apps, ServeDeploySchema.model_validate(config))
    await running([each["name"] for each in config["applications"]])
    seen = {
        "chat": await ask("docs", ASK),
        "stream": await ask("docs", {**ASK, "stream": True}),
        "masked": await ask("masked", ASK),
        "processes": processes(),
        "asked": list(asked),
        "agent": await ask("helper", ASK),
        "kept": await kept(),
        "left": {"stream": await leaves(stream=True), "whole": await leaves(stream=False)},
    }
    tools.terminate()
    print(json.dumps(seen), flush=True)
    os._exit(0)  # Ray's own end takes ten seconds


if __name__ == "__main__":  # Ray imports it too
    asyncio.run(main(yaml.safe_load(Path(sys.argv[1]).read_text())))
