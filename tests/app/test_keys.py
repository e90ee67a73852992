"""`python -m serve_app.keys` with a kubectl that keeps Secrets in a folder."""

import base64
import hashlib
import io
import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.keys.__main__ import main
from serve_app.settings.gateway import Key

SECRET = "llm-issued-keys"

KUBECTL = """#!{python}
import base64, json, sys
from pathlib import Path

folder = Path({folder!r})
arguments = [each for each in sys.argv[1:]]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if (folder / "fails").exists():
    sys.exit("E1121 noise\\n" + (folder / "fails").read_text())
assert arguments.pop(0) == "--request-timeout=30s"
namespace = "default"
while arguments[0] in ("--namespace", "--context"):
    flag, value = arguments[:2]
    del arguments[:2]
    namespace = value if flag == "--namespace" else namespace


def stored(name):
    return folder / f"{{namespace}}.{{name}}.json"


if arguments[:2] == ["get", "secret"]:
    assert arguments[3:] == ["--ignore-not-found", "--output", "json"]
    if stored(arguments[2]).exists():
        print(stored(arguments[2]).read_text())
elif arguments == ["create", "--filename", "-"]:
    secret = json.load(sys.stdin)
    name = secret["metadata"]["name"]
    if stored(name).exists() or (folder / "another was faster").exists():
        stored(name).write_text(json.dumps(secret))
        sys.exit(f'Error from server (AlreadyExists): error when creating "STDIN": secrets "{{name}}" already exists')
    stored(name).write_text(json.dumps(secret))
elif arguments[:2] == ["patch", "secret"]:
    assert arguments[3:6] == ["--type", "merge", "--patch"]
    secret = json.loads(stored(arguments[2]).read_text())
    patch = json.loads(arguments[6])
    assert list(patch) == ["data"]
    data = {{**secret.get("data", {{}}), **patch["data"]}}
    secret["data"] = {{name: value for name, value in data.items() if value is not None}}
    stored(arguments[2]).write_text(json.dumps(secret))
else:
    sys.exit(f"error: unknown command {{arguments}}")
"""


class Cluster:
    """What is stored, and the commands as a user types them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def put(self, name: str, namespace: str = "default", **entries: str) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in entries.items()}
        (self.folder / f"{namespace}.{name}.json").write_text(json.dumps({"metadata": {"name": name}, "data": data}))

    def secret(self, name: str = SECRET, namespace: str = "default") -> dict[str, Any]:
        return json.loads((self.folder / f"{namespace}.{name}.json").read_text())

    def entries(self, **place: str) -> dict[str, Any]:
        return {name: json.loads(base64.b64decode(value)) for name, value in self.secret(**place)["data"].items()}

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def run(self, *arguments: str, secret: str | None = SECRET, status: int = 0) -> tuple[str, str]:
        command = [arguments[0], *(("--secret", secret) if secret else ()), *arguments[1:]]
        assert main(command) == status
        return tuple(self._capsys.readouterr())  # type: ignore[return-value]

    def refused(self, *arguments: str) -> str:
        out, err = self.run(*arguments, status=1)
        assert out == ""
        assert err.startswith("ERROR: ")
        assert err.count("\n") == 1
        return err


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cluster:
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL.format(python=sys.executable, folder=str(tmp_path)))
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(kubectl.parent))
    return Cluster(tmp_path, capsys)


def hash_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_the_first_key(cluster: Cluster) -> None:
    out, err = cluster.run("make", "ci")
    assert re.fullmatch(r"sk-[A-Za-z0-9_-]{43}\n", out)
    assert "within about 90 seconds" in err
    text = out.strip()
    assert text not in err
    assert cluster.entries() == {"ci": {"hash": hash_of(text)}}
    assert cluster.secret()["metadata"]["labels"] == {"app.kubernetes.io/part-of": "ray-vllm-stack"}
    assert text not in (cluster.folder / "calls").read_text()


def test_two_keys_are_not_the_same(cluster: Cluster) -> None:
    (a, _), (b, _) = cluster.run("make", "a"), cluster.run("make", "b")
    assert a != b
    assert set(cluster.entries()) == {"a", "b"}


def test_all_that_a_key_may_do(cluster: Cluster) -> None:
    limits = "--requests-per-minute 60 --tokens-per-minute 100000 --concurrent-requests 4 --monthly-tokens 5000000"
    cluster.run("make", "ci", "--team", "red", "--models", "a, b", "--priority", "high", *limits.split())
    entry = cluster.entries()["ci"]
    assert {name: value for name, value in entry.items() if name != "hash"} == {
        "team": "red",
        "models": ["a", "b"],
        "priority": "high",
        "requestsPerMinute": 60,
        "tokensPerMinute": 100000,
        "concurrentRequests": 4,
        "monthlyTokens": 5000000,
    }
    assert Key.model_validate(entry).tokens_per_minute == 100000


def test_a_change_touches_one_entry_only(cluster: Cluster) -> None:
    cluster.put(SECRET, other="{}")
    cluster.run("make", "ci")
    cluster.run("revoke", "ci")
    patches = [json.loads(call[-1]) for call in cluster.calls() if "patch" in call]
    assert [list(patch["data"]) for patch in patches] == [["ci"], ["ci"]]
    assert patches[1] == {"data": {"ci": None}}
    assert cluster.entries() == {"other": {}}
    assert not any("create" in call for call in cluster.calls())


def test_two_who_make_the_first_key_at_once(cluster: Cluster) -> None:
    (cluster.folder / "another was faster").touch()
    cluster.run("make", "ci")
    assert set(cluster.entries()) == {"ci"}


def test_namespace_and_context_are_passed_on(cluster: Cluster) -> None:
    cluster.run("make", "ci", "-n", "llm", "--context", "prod")
    assert set(cluster.entries(namespace="llm")) == {"ci"}
    assert {tuple(call[1:5]) for call in cluster.calls()} == {("--namespace", "llm", "--context", "prod")}


def test_a_name_that_is_taken(cluster: Cluster) -> None:
    old, _ = cluster.run("make", "ci")
    assert "there is a key ci in llm-issued-keys, use another name, or --replace" in cluster.refused("make", "ci")
    assert cluster.entries()["ci"]["hash"] == hash_of(old.strip())
    new, _ = cluster.run("make", "ci", "--replace")
    assert cluster.entries()["ci"]["hash"] == hash_of(new.strip())
    assert new != old


def test_a_name_that_the_values_have(cluster: Cluster) -> None:
    cluster.put("llm-key-hashes", default="{}")
    assert "default is a key of auth.apiKeys, use another name" in cluster.refused("make", "default", "--replace")
    cluster.put(SECRET, ci="{}")
    assert "default is a key of auth.apiKeys, delete it there" in cluster.refused("revoke", "default")


@pytest.mark.parametrize("name", ["..data", ".x", "a/b", "a b", "", "-x-", "a" * 64, "clé", "a\n"])
def test_a_name_that_cannot_be(cluster: Cluster, name: str) -> None:
    assert "is no name for a key, use letters, digits, ., _ and -" in cluster.refused("make", "--", name)
    assert cluster.calls() == []


def test_the_name_of_tokens(cluster: Cluster) -> None:
    assert "oidc is the name of those who come with a token" in cluster.refused("make", "oidc")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--requests-per-minute", "0"),
        ("--tokens-per-minute", "-1"),
        ("--concurrent-requests", "1.5"),
        ("--monthly-tokens", "many"),
        ("--priority", "highest"),
        ("--models", "a,,b"),
        ("--models", ""),
    ],
    ids=" ".join,
)
def test_a_policy_that_cannot_be(
    cluster: Cluster, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["make", "ci", "--secret", SECRET, *arguments])
    assert f"argument {arguments[0]}: " in capsys.readouterr().err
    assert cluster.calls() == []


def test_dry_run_prints_the_secret_and_asks_nobody(cluster: Cluster) -> None:
    out, err = cluster.run("make", "ci", "--team", "red", "--dry-run", "-n", "llm")
    (text,) = re.findall(r"^sk-[A-Za-z0-9_-]{43}$", err, re.MULTILINE)
    assert text not in out
    secret = yaml.safe_load(out)
    entry = json.loads(secret["stringData"].pop("ci"))
    assert entry == {"hash": hash_of(text), "team": "red"}
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": "llm", "labels": {"app.kubernetes.io/part-of": "ray-vllm-stack"}},
        "type": "Opaque",
        "stringData": {},
    }
    assert cluster.calls() == []


def test_keys_are_listed(cluster: Cluster) -> None:
    digest = hash_of("sk-1")
    ci = {"hash": digest, "team": "red", "models": ["a", "b"], "requestsPerMinute": 60, "concurrentRequests": 4}
    cluster.put(SECRET, plain="sk-plaintext", ci=json.dumps(ci), bad='{"hash": "x"}', all=json.dumps({"hash": digest}))
    out, _ = cluster.run("list")
    short = digest[:15] + "..."
    assert [re.split(r"  +", line) for line in out.splitlines()] == [
        ["NAME", "TEAM", "MODELS", "LIMITS", "PRIORITY", "HASH"],
        ["all", "all", "none", short],
        ["bad", "REFUSED: hash is no sha256:<64 hexadecimal digits>, make the entry with python -m serve_app.keys"],
        ["ci", "red", "a,b", "60 requests/min, 4 at once", short],
        ["plain", "REFUSED: it is not JSON, make it again"],
    ]
    listed, _ = cluster.run("list", "--output", "json")
    assert json.loads(listed)[2] == {"name": "ci", **ci, "hash": short}
    assert digest not in out + listed
    assert "sk-plaintext" not in out + listed


def test_what_was_revoked_is_gone(cluster: Cluster) -> None:
    cluster.run("make", "ci")
    out, err = cluster.run("revoke", "ci")
    assert out == ""
    assert "The key ci is refused within about 90 seconds" in err
    assert cluster.entries() == {}
    assert cluster.run("list")[0].splitlines() == ["NAME  TEAM  MODELS  LIMITS  PRIORITY  HASH"]


def test_a_key_that_is_not_there(cluster: Cluster) -> None:
    assert "there is no key ci in llm-issued-keys, its keys are: none" in cluster.refused("revoke", "ci")
    cluster.put(SECRET, b="{}", a="{}")
    assert "its keys are: a, b" in cluster.refused("revoke", "ci")


def test_a_secret_that_is_not_there(cluster: Cluster) -> None:
    assert "there is no Secret llm-issued-keys, make a key, or correct --secret and" in cluster.refused("list")


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ('Error from server (Forbidden): secrets "x" is forbidden: User "u" cannot get', "ask for a Role with get,"),
        ('Error from server (NotFound): error when creating "STDIN": namespaces "x" not found', "correct --namespace"),
        ("The connection to the server localhost:8080 was refused", "see whether kubectl get secrets works with the"),
        ("", "kubectl ended with status 1: see whether"),
    ],
)
@pytest.mark.parametrize("command", ["make ci", "list", "revoke ci"])
def test_kubectl_fails(cluster: Cluster, command: str, stderr: str, says: str) -> None:
    (cluster.folder / "fails").write_text(stderr)
    told = cluster.refused(*command.split())
    if stderr:
        assert f"{stderr}: {says}" in told
    else:
        assert "E1121 noise: see whether" in told


def test_no_kubectl(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cluster.folder / "nothing"))
    assert "kubectl is not on the PATH, install it, or use make --dry-run" in cluster.refused("make", "ci")


def test_the_hash_of_a_key_made_elsewhere(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "k" * 32
    monkeypatch.setattr(sys, "stdin", io.StringIO(text + "\n"))
    out, _ = cluster.run("hash", "partner", "--team", "red", "--models", "a,b", secret=None)
    assert yaml.safe_load(out) == {"partner": {"hash": hash_of(text), "team": "red", "models": ["a", "b"]}}
    assert cluster.calls() == []


def test_a_short_key_is_none(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    assert main(["hash", "partner"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "ERROR: the key has 6 characters, take a random one of at least 32, or use make\n"
