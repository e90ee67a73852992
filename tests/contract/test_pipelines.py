"""Pipelines as the chart renders them build through Ray's own schema and run on a real Ray, in the serve image."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.models.environment import DIRECT_STREAMING

from .test_serve_config import ROOT, check, image, run, serve_configs

__all__ = ["image"]

STREAMING = [f"{name}=1" for name in (*DIRECT_STREAMING, "RAY_SERVE_THROUGHPUT_OPTIMIZED")]
"""What of the chart's environment decides how requests and calls travel."""
HERE = Path(__file__).parent
VALUES = {
    "models": {
        "minilm": {
            "task": "embed",
            "source": "pvc://demo-models/minilm",
            "accelerator": "cpu",
            "engine": {"gpu_memory_utilization": 0.1, "enforce_eager": True},
            "env": {"OMP_NUM_THREADS": "1"},
        },
        "sparrow": {
            "source": "pvc://demo-models/sparrow",
            "accelerator": "cpu",
            "engine": {"enable_auto_tool_choice": True, "tool_call_parser": "hermes"},
        },
    },
    "data": {"enabled": True, "embed": "minilm"},
    "vectorStores": {"handbook": {}},
    "clusters": {"main": {"documents": True}},
    "pipelines": {
        "docs": {
            "store": "handbook",
            "rerank": "minilm",
            "generate": "sparrow",
            "parts": {"Retriever": {"replicas": {"max": 2}}},
        },
        "helper": {
            "kind": "agent",
            "generate": "sparrow",
            "tools": {
                "mcp": {"weather": {"url": "http://127.0.0.1:18425/mcp", "tools": ["get_weather"]}},
                "pipelines": {"docs": {"description": "Birds."}},
            },
        },
        "masked": {
            "kind": "custom",
            "importPath": "masked:build",
            "args": {"model": "sparrow"},
            "source": "pvc://graphs/masked",
            "env": {"GATEWAY": "http://127.0.0.1:18424", "TOKEN_FILE": "/graphs/token"},
            "parts": {"Masker": {"replicas": {"max": 2}}},
        },
    },
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the chart renders for them."""
    file = tmp_path_factory.mktemp("values") / "values.yaml"
    file.write_text(yaml.safe_dump(VALUES))
    (rendered,) = serve_configs(file)
    return rendered


def test_builds_through_rays_schema(image: str, tmp_path: Path, config: dict[str, Any]) -> None:
    done = check(image, tmp_path, {"docs": config})
    assert done.returncode == 0, done.stderr
    assert "docs: /pipelines/docs -> sparrow (Retriever, Ingress)" in done.stdout
    assert "helper: /pipelines/helper -> sparrow (Conversations, Ingress)" in done.stdout
    assert "masked: not ours (masked:build), not built" in done.stdout


def test_override_that_fits_no_part(image: str, tmp_path: Path, config: dict[str, Any]) -> None:
    application = next(each for each in config["applications"] if each["name"] == "docs")
    changed = application | {"deployments": [{"name": "Reranker"}]}
    done = check(image, tmp_path, {"docs": config | {"applications": [changed]}})
    assert done.returncode == 1
    assert "pipeline 'docs': the override for 'Reranker' fits no deployment" in done.stderr


@pytest.fixture(scope="module")
def seen(image: str, tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> dict[str, Any]:
    """What a Ray with the pipelines and all-MiniLM-L6-v2 did, behind HAProxy as on a cluster."""
    folder = tmp_path_factory.mktemp("graphs")
    folder.chmod(0o755)
    (folder / "token").write_text("secret\n")
    (folder / "graphs.py").write_text((HERE / "graphs.py").read_text())
    (folder / "tools.py").write_text((ROOT / "tests/cluster/pipelines/mcp_server.py").read_text())
    example = re.search(r"```python\n(\"\"\"masked\.py:.*?)```", (ROOT / "docs/pipelines.md").read_text(), re.DOTALL)
    assert example is not None
    assert len(example[1].splitlines()) <= 50
    (folder / "masked.py").write_text(example[1])
    applications = [each for each in config["applications"] if each["name"] != "sparrow"]
    for each in applications:
        here = {"url": "http://127.0.0.1:18424", "token_file": "/graphs/token"}
        if each["name"] == "docs":
            each["args"] |= {"data": here, "gateway": here}
        elif each["name"] == "helper":
            each["args"]["gateway"] = here
        elif each["name"] == "masked":
            each["runtime_env"]["env_vars"]["PYTHONPATH"] = "/graphs"
        else:
            each["args"]["source"] = "/minilm"
    wanted = {"http_options": {"host": "127.0.0.1", "port": 18423}, "applications": applications}
    (folder / "config.yaml").write_text(yaml.safe_dump(wanted))
    minilm = subprocess.check_output([ROOT / "tests/models/minilm/unpack.sh"], text=True).strip()
    binds = (f"{folder}:/graphs", f"{minilm}:/minilm")
    done = run(image, "env", *STREAMING, "python", "/graphs/graphs.py", "/graphs/config.yaml", binds=binds)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_answers_by_handle_and_gateway(seen: dict[str, Any]) -> None:
    assert seen["chat"]["status"] == 200, seen["chat"]
    answer = json.loads(seen["chat"]["text"])
    assert answer["choices"][0]["message"]["annotations"][0]["url_citation"]["url"] == "/v1/files/file-1/content"
    assert answer["usage"]["prompt_tokens"] > 20, "the tokens of embedding and reranking are in it"
    assert [source["file_id"] for source in answer["sources"]] == ["file-1", "file-2"], "not reranked"
    search, asked = seen["asked"][:2]
    assert search["path"] == "/v1/vector_stores/vs_handbook/search"
    assert len(search["query_vector"]) == 384
    assert sum(number**2 for number in search["query_vector"]) == pytest.approx(1, abs=1e-3)
    assert asked["messages"][0]["content"].count("Owls hunt.") == 1
    assert {search["key"], asked["key"]} == {"Bearer secret"}


def test_streams(seen: dict[str, Any]) -> None:
    assert seen["stream"]["status"] == 200, seen["stream"]
    assert seen["stream"]["text"].endswith("data: [DONE]\n\n")
    assert '"sources":[{"index":1' in seen["stream"]["text"].split("\n\n")[0]


def test_a_client_that_leaves_ends_the_generation(seen: dict[str, Any]) -> None:
    assert seen["left"] == {"stream": True, "whole": True}


def test_parts_are_small(seen: dict[str, Any]) -> None:
    """Each is a process: with torch and vLLM in it, it would be of 0.6 GiB and more."""
    parts = {name: each for name, each in seen["processes"].items() if name.startswith("docs:")}
    assert sorted(name.split(":")[1] for name in parts) == ["Ingress", "Retriever"], seen["processes"]
    print(parts)
    for each in parts.values():
        assert not each["heavy"], parts
        assert each["own_mib"] < 150, parts


def test_an_agent_calls_its_tools_by_mcp_and_by_handle(seen: dict[str, Any]) -> None:
    assert seen["agent"]["status"] == 200, seen["agent"]
    answer = json.loads(seen["agent"]["text"])
    assert answer["choices"][0]["message"]["content"] == "No [1]."
    weather, docs = answer["steps"]
    assert (weather["source"], weather["output"]) == ("weather", "rainy")
    assert (docs["source"], docs["failed"]) == ("docs", False)
    assert docs["output"].startswith("[1] a.md\nOwls hunt.")
    assert answer["usage"]["prompt_tokens"] > 0


def test_an_agent_keeps_the_conversation(seen: dict[str, Any]) -> None:
    first, second, unknown = seen["kept"]
    assert first["status"] == second["status"] == 200, seen["kept"]
    assert unknown["status"] == 404
    assert "previous_response_not_found" in unknown["text"]


def test_an_agents_parts_are_small(seen: dict[str, Any]) -> None:
    """One stands on an agent library and two clients, the other on nothing."""
    parts = {name.split(":")[1]: each for name, each in seen["processes"].items() if name.startswith("helper:")}
    print(parts)
    assert sorted(parts) == ["Conversations", "Ingress"]
    assert not any(each["heavy"] for each in parts.values()), parts
    assert parts["Conversations"]["own_mib"] < 150, parts
    assert parts["Ingress"]["own_mib"] < 260, parts


def test_the_documents_own_example(seen: dict[str, Any]) -> None:
    assert seen["masked"]["status"] == 200, seen["masked"]
    assert json.loads(seen["masked"]["text"])["choices"][0]["message"]["content"] == "No [1]."
    assert seen["asked"][-1]["messages"][0]["content"] == "Do owls write to (address)?"
    assert seen["asked"][-1]["model"] == "sparrow"
