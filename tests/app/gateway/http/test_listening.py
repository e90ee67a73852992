import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from serve_app.gateway.http import listening

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
IPV4, IPV6 = ("127.0.0.1", "::1")


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        pytest.param("::", {IPV4, IPV6}, marks=needs_ipv6),
        pytest.param("::1", {IPV6}, marks=needs_ipv6),
        ("0.0.0.0", {IPV4}),
        ("127.0.0.1", {IPV4}),
    ],
)
def test_families(host: str, reached: set[str]) -> None:
    with listening.listener(host, 0) as listener:
        port = listener.getsockname()[1]
        assert {each for each in (IPV4, IPV6) if answers(each, port)} == reached


def test_all_addresses_where_the_machine_has_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    assert listening.all_addresses() == "0.0.0.0"


def test_a_port_that_is_taken() -> None:
    with listening.listener("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listening.listener("127.0.0.1", first.getsockname()[1])


@needs_ipv6
def test_api_and_metrics_of_the_process_are_on_both_families(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text("models: {a: {url: 'http://h/models/a'}}")
    ports = []
    for _ in range(2):
        with listening.listener("::", 0) as free:
            ports.append(free.getsockname()[1])
    options = ["--config", str(config), "--port", str(ports[0]), "--metrics-port", str(ports[1])]
    command = [sys.executable, "-m", "serve_app.gateway", *options, "--drain-delay-seconds", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not answers(IPV4, ports[0]) and time.monotonic() < deadline:
            time.sleep(0.05)
        for host in ("127.0.0.1", "[::1]"):
            assert urlopen(f"http://{host}:{ports[0]}/healthz").status == 200
            assert re.search(rb"(?m)^ray_vllm_gateway_", urlopen(f"http://{host}:{ports[1]}/metrics").read())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
