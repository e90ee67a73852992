"""Real vLLM, the real gateway in front of it, and what clients need to know: a URL, a key, and what the model says."""

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import yaml

from tests.clients import engines
from tests.clients.counters import total

HERE = Path(__file__).parent
KEY = "sk-of-the-clients"
ORIGIN = f"http://localhost:{engines.free_port()}"  # of a web page that may call the gateway
TASKS = {"sparrow": "generate", "embedder": "embed", "reranker": "score", "listener": "transcribe"}
ANSWERS = {
    pair["ask"]: pair["sparrow"] for pair in yaml.safe_load((engines.ROOT / "tests/models/pairs.yaml").read_text())
}
Program = Callable[[str], dict[str, Any]]
Made = Callable[[], float]


@pytest.fixture(scope="session")
def installed() -> tuple[Path, Path]:
    """The programs' Python environment, and the directory of their npm packages."""
    environment, modules = subprocess.check_output([HERE / "install.sh"], text=True).split()
    return Path(environment), Path(modules)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, installed: tuple[Path, Path]) -> Iterator[dict[str, str]]:
    """A model's name -> where its engine is."""
    (packages,) = installed[0].glob("lib/python3*/site-packages")
    folder = tmp_path_factory.mktemp("engines")
    for part in (folder, folder.parent):
        part.chmod(0o755)  # pytest's own are closed to the container's user
    with engines.running(folder, packages) as found:
        assert found.keys() == TASKS.keys()
        yield found


@dataclass(frozen=True)
class Gateway:
    """A running gateway: where its API is, and where its metrics."""

    url: str
    metrics: str


@pytest.fixture(scope="session")
def gateway_process(tmp_path_factory: pytest.TempPathFactory, models: dict[str, str]) -> Iterator[Gateway]:
    """The gateway, as its own process."""
    folder = tmp_path_factory.mktemp("gateway")
    keys = folder / "keys"
    keys.mkdir()
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    (keys / "clients").write_text(json.dumps({"hash": f"sha256:{digest}"}))
    entries: dict[str, dict[str, Any]] = {name: {"url": url, "task": TASKS[name]} for name, url in models.items()}
    entries["sparrow"]["contextLength"] = 2048
    config = folder / "gateway.yaml"
    config.write_text(yaml.safe_dump({"models": entries, "cors": {"origins": [ORIGIN]}}))
    port, metrics_port, log = engines.free_port(), engines.free_port(), folder / "gateway.log"
    running = Gateway(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}")
    command = [sys.executable, "-m", "serve_app.gateway", "--config", str(config), "--api-keys", str(keys)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics_port)]
    command += ["--drain-delay-seconds", "0", "--drain-seconds", "5"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, cwd=engines.ROOT)
        try:
            _wait_for(f"{running.url}/healthz", process, log)
            yield running
        finally:
            process.terminate()
            status = process.wait(30)
    assert status == 0, log.read_text()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def gateway(gateway_process: Gateway) -> str:
    """The gateway's URL."""
    return gateway_process.url


@pytest.fixture(scope="session")
def answers() -> dict[str, str]:
    """What the model was taught: question -> answer, word for word under greedy decoding."""
    return ANSWERS


@pytest.fixture
def client(gateway: str) -> Iterator[openai.OpenAI]:
    """The openai package; without retries, which would hide errors."""
    with openai.OpenAI(base_url=f"{gateway}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def place(gateway: str) -> dict[str, str]:
    """The environment of programs: where the API is, and its key. They find nothing else of their user's there."""
    openai, claude = f"{gateway}/v1", gateway
    place = {"OPENAI_BASE_URL": openai, "OPENAI_API_BASE": openai, "OPENAI_API_KEY": KEY}
    place |= {"ANTHROPIC_BASE_URL": claude, "ANTHROPIC_API_KEY": KEY}
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **place}


@pytest.fixture
def program(place: dict[str, str], installed: tuple[Path, Path]) -> Program:
    """Runs one of programs/ and returns what it printed."""
    environment, modules = installed

    def run(name: str) -> dict[str, Any]:
        file = HERE / "programs" / name
        commands = {
            ".py": [str(environment / "bin/python"), str(file)],
            # node finds packages from where it is started, if the program comes from its standard input.
            ".mjs": [str(environment / "bin/node"), "--input-type=module", "-"],
            ".java": ["java", "-XX:TieredStopAtLevel=1", str(file)],
        }
        return run_program(commands[file.suffix], place, cwd=modules, source=file.read_text())

    return run


def run_program(command: list[str], place: dict[str, str], *, cwd: Path, source: str = "") -> dict[str, Any]:
    """Runs a program.

    Args:
        command: What is run.
        place: Its environment.
        cwd: Where.
        source: Its standard input.

    Returns:
        The JSON object in the last line that it printed.
    """
    done = subprocess.run(
        command, input=source, capture_output=True, text=True, cwd=cwd, env=place, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(printed, dict)
    return printed


@pytest.fixture(scope="session")
def comma(models: dict[str, str]) -> str:
    """The comma's token: where a tool has to be called, this small model calls it without end unless held back."""
    asked = httpx.post(f"{models['sparrow']}/tokenize", json={"prompt": ",", "model": "sparrow"})
    (token,) = asked.raise_for_status().json()["tokens"]
    return str(token)


@pytest.fixture
def made(models: dict[str, str]) -> Made:
    """Tokens that the engine has made since the test began, once it makes no more."""

    def now() -> float:
        return total(models["sparrow"], "vllm:generation_tokens_total")

    before = now()

    def settled() -> float:
        deadline, readings = time.monotonic() + 60, [before]
        while readings[-1] == before or readings[-1] != readings[-2]:
            assert time.monotonic() < deadline, "the engine does not come to rest"
            time.sleep(0.5)
            readings.append(now())
        return readings[-1] - before

    return settled
