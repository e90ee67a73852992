"""A key is made."""

import json
import re

import pytest
import yaml

from serve_app.keys.__main__ import main
from serve_app.settings.gateway import Key

from .cluster import SECRET, Cluster, hash_of


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
