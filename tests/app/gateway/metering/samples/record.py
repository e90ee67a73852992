"""Records the streams of completions anew: `python -m tests.app.gateway.metering.samples.record URL`.

Each request is sent without usage asked for, with, and with usage in each chunk, until all three have begun in the same
second, so that they differ in nothing else. Where an engine does not say the same twice (choices take turns, a grammar
decides), only the last is recorded.
"""

import json
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
RAY: dict[str, Any] = {"messages": [{"role": "user", "content": "What is Ray?"}], "max_tokens": 4}
PROMPT: dict[str, Any] = {"prompt": "Question: What is Ray?\nAnswer:", "max_tokens": 3}
FLAT = '{"usage":{"prompt_tokens":1,"completion_tokens":1}}'
TOOL = {
    "type": "function",
    "function": {
        "name": "report",
        "parameters": {"type": "object", "properties": {"usage": {"type": "boolean"}}, "required": ["usage"]},
    },
}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, RAY),
    "chat-logprobs": (CHAT, RAY | {"logprobs": True, "top_logprobs": 2}),
    "chat-token-ids": (CHAT, RAY | {"return_token_ids": True}),
    "chat-echo": (CHAT, RAY | {"messages": [{"role": "user", "content": FLAT}], "echo": True}),
    "completions": (COMPLETIONS, PROMPT),
    "completions-echo": (COMPLETIONS, PROMPT | {"prompt": FLAT, "echo": True}),
}
NEVER_THE_SAME: dict[str, tuple[str, dict[str, Any]]] = {
    "chat-n2": (CHAT, RAY | {"n": 2, "temperature": 1, "seed": 3}),
    "chat-n3": (CHAT, RAY | {"n": 3, "temperature": 1, "seed": 5, "max_tokens": 30}),
    "chat-tools": (
        CHAT,
        RAY | {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "report"}}, "max_tokens": 60},
    ),
    "completions-two-n2": (
        COMPLETIONS,
        PROMPT | {"prompt": ["What is Ray?", "Hello"], "n": 2, "temperature": 1, "seed": 7},
    ),
}
OPTIONS: dict[str, dict[str, bool] | None] = {
    "plain": None,
    "asked": {"include_usage": True},
    "continuous": {"include_usage": True, "continuous_usage_stats": True},
}


def stream(url: str, name: str, asked: dict[str, Any], kind: str) -> bytes:
    """A stream's bytes."""
    options = {"stream_options": OPTIONS[kind]} if OPTIONS[kind] else {}
    body = {"model": "sparrow", "stream": True, "temperature": 0} | asked | options
    headers = {"content-type": "application/json", "x-request-id": f"sample-{name}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: bytes = answer.read()
    return content


def record(url: str) -> None:
    """Writes the files."""
    for name, (path, asked) in ASKED.items():
        bodies: dict[str, bytes] = {}
        while len({created for body in bodies.values() for created in re.findall(rb'"created":\d+', body)}) != 1:
            bodies = {kind: stream(url + path, name, asked, kind) for kind in OPTIONS}
        for kind, body in bodies.items():
            (HERE / f"{name}.{kind}.txt").write_bytes(body)
    for name, (path, asked) in NEVER_THE_SAME.items():
        (HERE / f"{name}.continuous.txt").write_bytes(stream(url + path, name, asked, "continuous"))


if __name__ == "__main__":
    record(sys.argv[1])
