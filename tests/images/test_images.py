"""What the images promise, checked in the built ones: who runs, what can be written, what is in them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.images.conftest import ROOT, Image

GATEWAY_CONFIG = """
models:
  sparrow: {url: "http://127.0.0.1:1/models/sparrow"}
"""
# Starts the gateway, asks for its health until it answers, and ends it.
START = """
python -m serve_app.gateway --config /config/gateway.yaml --port 18080 --metrics-port 19090 --drain-delay-seconds 0 &
pid=$!
for _ in $(seq 100); do
  python -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:18080/healthz").status)' 2>/dev/null && break
  sleep 0.2
done
kill $pid
wait $pid
"""


def test_runs_as_an_ordinary_user_on_a_read_only_root(image: Image) -> None:
    assert image.config["User"] == "1000:1000"
    assert not image.config.get("Entrypoint")
    tried = "id -u; touch /tmp/a ~/a /dev/shm/a && echo written; ! touch /a /opt/app/a 2>/dev/null && echo refused; pwd"
    assert image.output("bash", "-c", tried).split() == ["1000", "written", "refused", "/home/ray"]


def test_labels_name_the_versions(serve: Image, gateway: Image, data: Image, versions: dict[str, Any]) -> None:
    for image, name in ((serve, "serveImage"), (gateway, "gatewayImage"), (data, "dataImage")):
        version = versions[name]
        labels = image.config["Labels"]
        assert labels["org.opencontainers.image.version"] == version
        assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
        assert labels["org.opencontainers.image.title"].startswith("ray-vllm-stack ")
        assert labels["org.opencontainers.image.source"].startswith("https://github.com/")
        assert labels["org.opencontainers.image.description"]
    labels = serve.config["Labels"]
    assert labels["io.github.ray-vllm-stack.ray"] == versions["ray"]
    assert labels["io.github.ray-vllm-stack.vllm"] == versions["vllm"]
    assert labels["io.github.ray-vllm-stack.accelerator"] == "cpu"
    assert labels["io.github.ray-vllm-stack.torch"] in ("cpu", "pypi")


def test_serve_reports_the_pinned_versions(serve: Image, versions: dict[str, Any]) -> None:
    report = json.loads(serve.output("python", "-m", "serve_app.version"))
    assert {name: report[name] for name in ("stack", "ray", "vllm")} == {
        name: versions[name] for name in ("stack", "ray", "vllm")
    }
    assert report["python"].startswith(f"{versions['python']}.")


def test_serve_has_what_kuberay_probes_with(serve: Image) -> None:
    paths = serve.output("bash", "-c", "command -v bash wget grep").split()
    assert [path.rpartition("/")[2] for path in paths] == ["bash", "wget", "grep"]


def test_serve_imports_ray_and_vllm_for_cpus(serve: Image) -> None:
    code = (
        "import ray.serve.llm, vllm, serve_app.models\n"
        "from vllm.platforms import current_platform\n"
        "print('platform', current_platform.device_type)"
    )
    assert "platform cpu" in serve.output("python", "-c", code)
    # Without a C++ compiler vLLM's CPU sampler kills the engine on the first request unless this is set.
    assert "TORCHDYNAMO_DISABLE=1" in serve.config["Env"]


def test_gateway_has_its_own_python(gateway: Image, versions: dict[str, Any]) -> None:
    assert gateway.output("python", "-V").startswith(f"Python {versions['gatewayPython']}.")


def test_gateway_is_slim(gateway: Image) -> None:
    assert gateway.megabytes < 270
    found = (
        "import importlib.util as u; print(*(n for n in ('ray', 'torch', 'vllm', 'transformers') if u.find_spec(n)))"
    )
    assert gateway.output("python", "-c", found).split() == []
    assert not gateway.output("bash", "-c", "ls /opt/app/serve_app | grep -x models || true")


def test_gateway_starts_from_the_image_alone(gateway: Image, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "gateway.yaml").write_text(GATEWAY_CONFIG)
    answer = gateway.output("bash", "-c", START, options=("--bind", f"{tmp_path}:/config"))
    assert "200" in answer.split()


def test_data_has_what_reads_embeds_and_keeps_documents(data: Image, versions: dict[str, Any]) -> None:
    """Milvus Lite opens a file, pgvector's and S3's clients are there, and nothing of Ray."""
    assert data.output("python", "-V").startswith(f"Python {versions['gatewayPython']}.")
    code = (
        "import obstore, pgvector, pypdf, serve_app.data.app\n"
        "from pymilvus import MilvusClient\n"
        "client = MilvusClient('/tmp/vectors.db'); client.create_collection('a', 2)\n"
        "print('collections', client.list_collections())\n"
        "import importlib.util as u; print(*(n for n in ('ray', 'torch', 'vllm', 'transformers') if u.find_spec(n)))"
    )
    assert data.output("python", "-c", code).splitlines()[-2:] == ["collections ['a']", ""]


def test_byte_code_is_baked_in(image: Image) -> None:
    missing = (
        "import pathlib, importlib.util as u\n"
        "for path in pathlib.Path('/opt/app').rglob('*.py'):\n"
        "    if not pathlib.Path(u.cache_from_source(str(path))).exists(): print(path)\n"
    )
    assert image.output("python", "-c", missing) == ""


def test_demo_models_can_be_read_by_the_servers(built: Callable[[str], Image]) -> None:
    read = "import pathlib; print(sum(len(p.read_bytes()) for p in pathlib.Path('/models').rglob('*') if p.is_file()))"
    image = built("demo-models")
    assert 3e8 < int(image.output("python3", "-c", read)) < 4e8
    assert image.output("ls", "/models").split() == ["minilm", "owl", "smollm2", "sparrow", "sparrow-in-verse"]
    for model in ("smollm2", "minilm"):
        assert "Apache License" in image.output("cat", f"/models/{model}/LICENSE")
    assert image.config["User"] == "1000:1000"


def test_the_stand_in_for_torch_is_a_choice_of_the_build() -> None:
    dockerfile = (ROOT / "images/serve/Dockerfile").read_text()
    assert "ARG TORCH=cpu\n" in dockerfile, "a build that chooses nothing must install the real torch"
    cuda = dockerfile.partition("AS cuda-dependencies")[2].partition("\nFROM ")[0]
    assert "stubs" not in cuda
    assert dockerfile.count("TORCHDYNAMO_DISABLE=1") == 1
