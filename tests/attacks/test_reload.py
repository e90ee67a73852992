"""Files that nobody should mount: the gateway refuses them, and goes on to follow the next."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from tests.attacks.hostile import asked, head
from tests.attacks.pod import ATTACKER, Pod, key_entry
from tests.attacks.stage import Stage
from tests.attacks.test_memory import SMALL

POISON = {
    "a date that does not exist": b"models: {}\nteams: {!!timestamp 2026-13-45: {}}\n",
    "a date as a name": b"models: {!!timestamp 2026-01-31: {url: http://x}}\n",
    "not UTF-8": b"models: {\xff\xfe: \x00}",
    "deeper than Python's stack": b"models: " + b"[" * 5000 + b"]" * 5000,
    "not a number": b"models: {a: {url: http://127.0.0.1:1}}\nqueue: {maxSeconds: .nan}\n",
}
KEY_POISON = {
    "date": b'{"hash": 2026-13-45}',
    "binary": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "array": b"[]",
}


def seen(pod: Pod, condition: Callable[[], bool], seconds: float = 4) -> bool:
    """Whether something came true; files are looked at once a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and pod.alive:
        if condition():
            return True
        time.sleep(0.1)
    return False


def follow(pod: Pod) -> str:
    """Mounts all poison, then what is right; returns what became of it."""

    def refused() -> float | None:
        return pod.metric("config_reloads_total", source="config", result="failed")

    for what, poison in POISON.items():
        before = refused()
        pod.configure(poison)
        if not seen(pod, partial(lambda before: refused() != before, before)):
            return f"{what}: not refused"
        if pod.metric("config_valid", source="config"):
            return f"{what}: refused, but config_valid is 1"
    models = pod.configured["models"] | {"corrected": {"url": "http://127.0.0.1:1"}}
    pod.configure(pod.configured | {"models": models})
    if not seen(pod, lambda: '"corrected"' in pod.get("/v1/models", key=ATTACKER)[1]):
        return "the corrected file was not taken"
    for name, poison in KEY_POISON.items():
        (pod.keys / name).write_bytes(poison)
    (pod.keys / "fresh").write_text(key_entry("sk-fresh"))
    (pod.keys / "attacker").unlink()
    if not seen(pod, lambda: pod.get("/v1/models", key="sk-fresh")[0] == 200):
        return "a new key beside refused ones was not taken"
    if not seen(pod, lambda: pod.get("/v1/models", key=ATTACKER)[0] == 401):
        return "the revoked key is still accepted"
    return "all refused; corrected file, new and revoked key taken"


async def test_poison_in_mounted_files_ends_no_reload(stage: Stage) -> None:
    async with stage.attack("dates that do not exist and other poison in config and keys", ceiling=SMALL) as row:
        row.got = await asyncio.to_thread(follow, stage.pod)
        (stage.pod.keys / "attacker").write_text(key_entry(ATTACKER))  # the stage asks with it
        await asyncio.sleep(1.5)
        assert row.got.startswith("all refused"), row.got
        assert await asked(stage.port, head("GET", "/v1/models")) == 200
