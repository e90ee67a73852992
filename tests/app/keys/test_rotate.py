"""A key gets a new text without a moment in which its holder is refused; and keys that end by themselves."""

import json

from .cluster import Cluster, hash_of


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
