"""Level 4: keys made, listed and revoked on a real API server, by the commands that a user types."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.kube import kubectl
from tests.cluster.stack import ROOT, make_namespace

NAMESPACE = "keys"
SECRET = "llm-issued-keys"


@pytest.fixture(scope="module", autouse=True)
def namespace() -> Iterator[None]:
    make_namespace(NAMESPACE)
    yield
    kubectl("delete", "namespace", NAMESPACE)


def keys(command: str, *arguments: str, namespace: str = NAMESPACE) -> subprocess.CompletedProcess[str]:
    place = ["--secret", SECRET, "--namespace", namespace]
    return subprocess.run(
        [sys.executable, "-m", "serve_app.keys", command, *arguments, *place],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def entries() -> dict[str, dict[str, object]]:
    data = json.loads(kubectl("get", "secret", SECRET, "-n", NAMESPACE, "-o", "json")).get("data", {})
    return {name: json.loads(base64.b64decode(value)) for name, value in data.items()}


def test_make_list_revoke() -> None:
    first = keys("make", "ci", "--team", "red", "--requests-per-minute", "60")
    assert (first.returncode, first.stderr[:24]) == (0, "The text of the key ci, ")
    assert re.fullmatch(r"sk-[A-Za-z0-9_-]{43}\n", first.stdout)
    digest = hashlib.sha256(first.stdout.strip().encode()).hexdigest()
    assert entries() == {"ci": {"hash": f"sha256:{digest}", "team": "red", "requestsPerMinute": 60}}
    labels = kubectl("get", "secret", "-n", NAMESPACE, "-l", "app.kubernetes.io/part-of=ray-vllm-stack", "-o", "name")
    assert labels.split() == [f"secret/{SECRET}"]

    assert keys("make", "other").returncode == 0
    again = keys("make", "ci")
    assert (again.returncode, again.stdout) == (1, "")
    assert "there is a key ci in llm-issued-keys, use another name, or --replace to end that key" in again.stderr
    listed = keys("list", "--output", "json")
    assert [(key["name"], key.get("team")) for key in json.loads(listed.stdout)] == [("ci", "red"), ("other", None)]
    assert digest not in listed.stdout

    assert keys("revoke", "ci").returncode == 0
    assert list(entries()) == ["other"]
    gone = keys("revoke", "ci")
    assert gone.returncode == 1
    assert gone.stderr == "ERROR: there is no key ci in llm-issued-keys, its keys are: other\n"


def test_the_secret_of_a_dry_run_is_accepted_as_it_is() -> None:
    made = keys("make", "sealed", "--models", "a,b", "--dry-run")
    stored = kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-", input=made.stdout
    )
    entry = json.loads(base64.b64decode(json.loads(stored)["data"]["sealed"]))
    text = made.stderr.strip().splitlines()[-1]
    assert entry == {"hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", "models": ["a", "b"]}


def test_a_namespace_that_is_not_there() -> None:
    made = keys("make", "ci", namespace="not-there")
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr.rstrip().endswith('namespaces "not-there" not found: correct --namespace')


def test_one_who_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl("create", "serviceaccount", "nobody", "-n", NAMESPACE)
    config = yaml.safe_load(kubectl("config", "view", "--raw", "--minify"))
    config["users"][0]["user"] = {"token": kubectl("create", "token", "nobody", "-n", NAMESPACE).strip()}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    for command in (["make", "ci"], ["list"], ["revoke", "ci"]):
        told = keys(*command)
        assert (told.returncode, told.stdout) == (1, "")
        assert "(Forbidden)" in told.stderr
        assert told.stderr.endswith("ask for a Role with get, create and patch on secrets\n")
