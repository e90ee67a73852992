"""Keys are listed, revoked, hashed; and what keeps that from working."""

import io
import json
import re
import sys

import pytest
import yaml

from serve_app.keys.__main__ import main

from .cluster import SECRET, Cluster, hash_of


def test_keys_are_listed(cluster: Cluster) -> None:
    digest = hash_of("sk-1")
    ci = {"hash": digest, "team": "red", "models": ["a", "b"], "requestsPerMinute": 60, "concurrentRequests": 4}
    cluster.put(SECRET, plain="sk-plaintext", ci=json.dumps(ci), bad='{"hash": "x"}', all=json.dumps({"hash": digest}))
    out, _ = cluster.run("list")
    short = digest[:15] + "..."
    assert [re.split(r"  +", line) for line in out.splitlines()] == [
        ["NAME", "TEAM", "MODELS", "LIMITS", "PRIORITY", "EXPIRES", "HASH"],
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
    assert cluster.run("list")[0].splitlines() == ["NAME  TEAM  MODELS  LIMITS  PRIORITY  EXPIRES  HASH"]


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
