"""A key gets a new text without a moment in which its holder is refused; and keys that end by themselves."""

import json

import pytest

from .cluster import SECRET, Cluster, hash_of


def test_old_and_new_text_until_the_old_one_is_ended(cluster: Cluster) -> None:
    old, _ = cluster.run("make", "ci", "--team", "red")
    new, told = cluster.run("rotate", "ci")
    assert "the old one too" in told
    entry = {"hash": hash_of(new.strip()), "team": "red", "previousHash": hash_of(old.strip())}
    assert cluster.entries() == {"ci": entry}
    shown = cluster.run("list")[0].splitlines()[1]
    assert shown.endswith(f"{entry['hash'][:15]}... and {entry['previousHash'][:15]}...")
    assert "has an old text already, end that with --finish first" in cluster.refused("rotate", "ci")
    cluster.run("rotate", "ci", "--finish")
    assert cluster.entries() == {"ci": {"hash": entry["hash"], "team": "red"}}
    assert "has no old text, rotate it first" in cluster.refused("rotate", "ci", "--finish")


def test_no_key_to_rotate(cluster: Cluster) -> None:
    assert "there is no key ci in llm-issued-keys, its keys are: none" in cluster.refused("rotate", "ci")


@pytest.mark.parametrize("entry", ["sk-plaintext", "[]", "{}", '{"hash": "sk-x"}', '{"hash": null}'])
@pytest.mark.parametrize("step", [(), ("--finish",)])
def test_an_entry_that_is_none_is_not_rotated(cluster: Cluster, entry: str, step: tuple[str, ...]) -> None:
    cluster.put(SECRET, ci=entry)
    told = cluster.refused("rotate", "ci", *step)
    assert "the entry of ci is refused by the gateway, make the key anew with --replace" in told
    assert not any("patch" in call for call in cluster.calls())


def test_a_key_of_the_values_is_rotated_there(cluster: Cluster) -> None:
    cluster.put("llm-key-hashes", default="{}")
    told = cluster.refused("rotate", "default")
    assert "default is a key of auth.apiKeys, give it a hash and a previousHash there" in told


def test_what_a_key_may_do_stays_as_it_is(cluster: Cluster) -> None:
    cluster.run("make", "ci", "--models", "a,b", "--monthly-cost", "2.5", "--expires", "2027-01-31T12:00:00Z")
    (before,) = cluster.entries().values()
    cluster.run("rotate", "ci")
    cluster.run("rotate", "ci", "--finish")
    (after,) = cluster.entries().values()
    assert after == before | {"hash": after["hash"]}
    assert after["hash"] != before["hash"]


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "2e9", "free"])
def test_a_budget_that_is_none(cluster: Cluster, amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cluster.run("make", "ci", "--monthly-cost", amount)
    assert f"argument --monthly-cost: '{amount}' is no amount above 0" in capsys.readouterr().err
    assert cluster.calls() == []


def test_a_key_that_expires_and_may_cost_so_much(cluster: Cluster) -> None:
    cluster.run("make", "ci", "--expires", "2027-01-31", "--monthly-cost", "250")
    (entry,) = cluster.entries().values()
    assert (entry["expires"], entry["monthlyCost"]) == ("2027-01-31", 250.0)
    assert "cost 250/month" in cluster.run("list")[0]
    (listed,) = json.loads(cluster.run("list", "--output", "json")[0])
    assert listed["expires"].startswith("2027-01-31T00:00:00")


def test_a_time_that_is_none(cluster: Cluster) -> None:
    assert "expires is 'soon', write a time as" in cluster.refused("make", "ci", "--expires", "soon")
    assert cluster.calls() == []
