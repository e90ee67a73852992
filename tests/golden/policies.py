"""What NetworkPolicies allow, decided as Kubernetes does: everything without one, else what any allows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address outside (no labels)."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    address: str = "10.0.0.1"
    namespace_labels: dict[str, str] = field(default_factory=dict)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector, of which only `In` is known here, selects labels."""
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def allowed(policies: Sequence[dict[str, Any]], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection may be made."""
    return _side(policies, source, target, port, protocol, "Egress", "egress", "to") and _side(
        policies, target, source, port, protocol, "Ingress", "ingress", "from"
    )


def _side(
    policies: Sequence[dict[str, Any]], pod: End, peer: End, port: int, protocol: str, kind: str, rules: str, peers: str
) -> bool:
    about = [each for each in policies if _is_about(each, pod) and kind in each["spec"]["policyTypes"]]
    if not about:
        return True
    return any(
        _port(rule, port, protocol) and _peer(rule, peers, peer, each["metadata"]["namespace"])
        for each in about
        for rule in each["spec"].get(rules, [])
    )


def _is_about(policy: dict[str, Any], pod: End) -> bool:
    same = pod.namespace == policy["metadata"]["namespace"]
    return same and selects(policy["spec"]["podSelector"], pod.labels)


def _port(rule: dict[str, Any], port: int, protocol: str) -> bool:
    wanted = [(each["port"], each.get("protocol", "TCP")) for each in rule.get("ports", [])]
    return not wanted or (port, protocol) in wanted


def _peer(rule: dict[str, Any], peers: str, peer: End, namespace: str) -> bool:
    if not rule.get(peers):
        return True
    return any(_is_peer(each, peer, namespace) for each in rule[peers])


def _is_peer(selector: dict[str, Any], peer: End, namespace: str) -> bool:
    if "ipBlock" in selector:
        return ip_address(peer.address) in ip_network(selector["ipBlock"]["cidr"])
    if not peer.namespace:
        return False
    if "namespaceSelector" in selector:
        there = selects(selector["namespaceSelector"], peer.namespace_labels)
    else:
        there = peer.namespace == namespace
    return there and selects(selector.get("podSelector", {}), peer.labels)
