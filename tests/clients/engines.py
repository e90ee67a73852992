"""Real vLLM on CPU, in the built serve image: a server for each thing that a model can be for."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.clients import weight

ROOT = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS = 240, 60
ENVIRONMENT = ("HF_HUB_OFFLINE=1", "VLLM_NO_USAGE_STATS=1", "OMP_NUM_THREADS=1", "VLLM_CPU_OMP_THREADS_BIND=nobind")
ARGUMENTS = ("--max-num-seqs", "8", "--enforce-eager", "--kv-cache-memory-bytes", "67108864")
SOUND = ("soundfile.py", "_soundfile.py", "_soundfile_data")


@dataclass(frozen=True)
class Engine:
    """A vLLM server: the names that it answers to, and what it is started with."""

    names: tuple[str, ...]
    model: str
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


CHAT = Engine(
    ("sparrow",),
    "/models/sparrow",
    (
        *("--max-model-len", "2048", "--enable-prompt-tokens-details"),
        *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
        # White space between JSON's tokens is where a model as small as this one would stay for ever. vLLM does
        # without only where a JSON schema guides it, so tool calls are guided by theirs (strict calling is not).
        *("--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}'),
    ),
    ("VLLM_ENFORCE_STRICT_TOOL_CALLING=0", "VLLM_ENABLE_RESPONSES_API_STORE=1"),
)
POOLING = Engine(("embedder", "reranker"), "/models/sparrow", ("--runner", "pooling", "--convert", "embed"))
SPEECH = Engine(("listener",), "/speech/whisper", environment=("PYTHONPATH=/opt/app:/sound",))


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A running engine, in a container."""

    def __init__(self, engine: Engine, image: str, binds: list[str], log: IO[bytes]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = Path(log.name)
        options = [f"--bind={bind}" for bind in binds]
        options += [f"--env={pair}" for pair in (*ENVIRONMENT, *engine.environment)]
        serve = ["python", "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)]
        serve += ["--model", engine.model, "--served-model-name", *engine.names, *ARGUMENTS, *engine.arguments]
        # In a session of its own: a Ctrl-C is for the tests, which then stop it in order.
        command = [sys.executable, str(ROOT / "images/run.py"), *options, image, *serve]
        self._process = subprocess.Popen(weight.entered(command), stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Waits until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-40:])
                raise RuntimeError(f"{self._log.stem} did not start:\n{tail}")
            time.sleep(0.5)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Ends it. A server that has only begun to start does not hear the signal, hence again and again."""
        for _ in range(STOP_SECONDS // 2):
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                continue
            return
        raise RuntimeError(f"process {self._process.pid} did not end in {STOP_SECONDS} s")


def serve_image() -> str:
    """The serve image for CPUs; built where it is not built yet."""
    if given := os.environ.get("SERVE_CPU_IMAGE"):
        return given
    return subprocess.check_output([ROOT / "images/build.sh", "serve-cpu"], text=True).strip().partition("=")[2]


@contextmanager
def running(folder: Path, packages: Path) -> Iterator[dict[str, str]]:
    """Starts the engines side by side.

    Args:
        folder: Where their logs and the speech model go.
        packages: A Python environment's packages, for soundfile.

    Yields:
        A model's name -> where it is served.
    """
    image = serve_image()
    models = subprocess.check_output([ROOT / "tests/models/train.sh", image], text=True).strip()
    speech = folder / "speech"
    speech.mkdir(mode=0o777)
    speech.chmod(0o777)  # the container's user writes there
    sound = [f"{packages / name}:/sound/{name}" for name in SOUND]
    with ExitStack() as stack:
        stack.callback(weight.remove)

        def start(engine: Engine, *binds: str) -> Server:
            log = stack.enter_context((folder / f"{engine.names[0]}.log").open("wb"))
            server = Server(engine, image, list(binds), log)
            stack.callback(server.stop)
            return server

        servers = {engine: start(engine, f"{models}:/models") for engine in (CHAT, POOLING)}
        make = ["python", "/clients/whisper.py", "/speech/whisper"]
        binds = (f"--bind={speech}:/speech:rw", f"--bind={Path(__file__).parent}:/clients")
        subprocess.run([sys.executable, ROOT / "images/run.py", *binds, image, *make], check=True)
        servers[SPEECH] = start(SPEECH, f"{speech}:/speech", *sound)
        for server in servers.values():
            server.wait()
        yield {name: server.url for engine, server in servers.items() for name in engine.names}
