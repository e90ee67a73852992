import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

from ..support import KEY, FakeModel, Gateway, ask, config_for, key_entry, stream, until


async def test_a_draining_gateway_is_not_ready_but_serves(gateway: Gateway) -> None:
    gateway.drain.begin()
    async with gateway.get("/readyz") as response:
        assert (response.status, await response.json()) == (503, {"status": "draining"})
    async with gateway.get("/healthz") as response:
        assert response.status == 200
    async with gateway.post(ask()) as response:
        assert response.status == 200
        assert response.headers["connection"] == "close"


class Process:
    """The gateway as a process."""

    def __init__(self, folder: Path, url: str, *arguments: str) -> None:
        self.ports = _free_ports(2)
        config = folder / "gateway.yaml"
        config.write_text(yaml.safe_dump(config_for(url)))
        (folder / "keys").mkdir()
        (folder / "keys" / "default").write_text(key_entry(KEY))
        command = [sys.executable, "-m", "serve_app.gateway", "--config", str(config), "--host", "127.0.0.1"]
        command += ["--api-keys", str(folder / "keys"), "--port", str(self.ports[0])]
        command += ["--metrics-port", str(self.ports[1]), *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": _root()}
        )
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        self.metrics_url = f"http://127.0.0.1:{self.ports[1]}/metrics"

    async def status(self, client: aiohttp.ClientSession, path: str) -> int | None:
        try:
            async with client.get(self.url + path) as response:
                return response.status
        except aiohttp.ClientConnectionError:
            return None

    async def wait_for(self, client: aiohttp.ClientSession, path: str, status: int | None) -> None:
        async with asyncio.timeout(60):
            while await self.status(client, path) != status:
                assert self.process.poll() is None or status is None
                await asyncio.sleep(0.02)

    async def ended(self) -> tuple[int, bytes, bytes]:
        out, err = await asyncio.to_thread(self.process.communicate, timeout=60)
        return self.process.returncode, out, err


def _root() -> str:
    return str(Path(__file__).parents[3])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


async def test_sigterm_finishes_streams_and_takes_requests_until_the_endpoints_know(
    model: FakeModel, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    model.script = [stream(b"1", b"2", gate=gate)]
    gateway = Process(tmp_path, model.url, "--drain-delay-seconds", "5", "--drain-seconds", "60")
    headers = {"authorization": f"Bearer {KEY}"}
    try:
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(force_close=True)) as client:
            await gateway.wait_for(client, "/readyz", 200)
            async with client.post(gateway.url + "/v1/chat/completions", json=ask()) as response:
                assert await response.content.readexactly(1) == b"1"
                gateway.process.send_signal(signal.SIGTERM)
                await gateway.wait_for(client, "/readyz", 503)
                assert await gateway.status(client, "/v1/models") == 200
                async with client.get(gateway.metrics_url) as metrics:
                    text = await metrics.text()
                    assert "ray_vllm_gateway_draining 1.0" in text
                    assert "_created" not in text
                await gateway.wait_for(client, "/healthz", None)  # no connection any more
                gate.set()
                assert await response.content.read() == b"2"
        status, out, err = await gateway.ended()
        assert status == 0, err
        assert b'"outcome":"2xx"' in out
        assert KEY.encode() not in out + err
    finally:
        gateway.process.kill()


async def test_a_stream_that_takes_longer_than_the_limit_is_cut(model: FakeModel, tmp_path: Path) -> None:
    model.script = [stream(b"1", b"2", gate=asyncio.Event())]
    gateway = Process(tmp_path, model.url, "--drain-delay-seconds", "0", "--drain-seconds", "1")
    try:
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {KEY}"}) as client:
            await gateway.wait_for(client, "/readyz", 200)
            async with client.post(gateway.url + "/v1/chat/completions", json=ask()) as response:
                assert await response.content.readexactly(1) == b"1"
                gateway.process.send_signal(signal.SIGTERM)
                with pytest.raises(aiohttp.ClientPayloadError):
                    await response.content.read()
        assert (await gateway.ended())[0] == 0
        await until(model.cancelled.is_set)
    finally:
        gateway.process.kill()
