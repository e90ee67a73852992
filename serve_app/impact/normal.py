"""The form in which KubeRay's hash sees `rayClusterConfig`, so far as two spellings of one thing are one.

An API server adds the CRD's defaults, which a manifest has not, and Go writes quantities anew. Whatever is not known
to be the same stays different: the verdict may say too much, and never too little.
"""

import re
from decimal import Decimal
from typing import Any

from serve_app.impact.manifests import Json

DEFAULTS: dict[tuple[str, str], Any] = {
    ("", "name"): "",
    ("fileKeyRef", "optional"): False,
    ("ports", "protocol"): "TCP",
    ("grpc", "service"): "",
    ("azureDisk", "fsType"): "ext4",
    ("azureDisk", "readOnly"): False,
    ("iscsi", "iscsiInterface"): "default",
    ("rbd", "keyring"): "/etc/ceph/keyring",
    ("rbd", "pool"): "rbd",
    ("rbd", "user"): "admin",
    ("scaleIO", "fsType"): "xfs",
    ("scaleIO", "storageMode"): "ThinProvisioned",
    ("workerGroupSpecs", "numOfHosts"): 1,
}
"""Key of the map around (or of the list), key -> what the CRD sets where it is left out; everywhere for `""`."""

_QUANTITY_MAPS = ("requests", "limits", "overhead")
_QUANTITIES = ("sizeLimit", "divisor")
_QUANTITY = re.compile(r"([+-]?[0-9]*\.?[0-9]*)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def normal(value: Json, around: str = "") -> Json:
    """A value without nulls and defaults, quantities in one spelling.

    Args:
        value: From a manifest or from an API server.
        around: The key of the map or list that it lies in.
    """
    if isinstance(value, list):
        return [normal(each, around) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, each in value.items():
        if each is None or _default(around, key, each):
            continue
        if key in _QUANTITIES or around in _QUANTITY_MAPS:
            found[key] = quantity(each)
        else:
            found[key] = normal(each, key)
    return found


def _default(around: str, key: str, value: Json) -> bool:
    default = DEFAULTS.get((around, key), DEFAULTS.get(("", key)))
    return type(default) is type(value) and default == value


def number(value: Json) -> float | None:
    """What a quantity amounts to; None for what is none."""
    parsed = _parsed(value)
    return float(parsed[0]) if parsed else None


def quantity(value: Json) -> Json:
    """A quantity in the one spelling of Go: 1024Mi is 1Gi, 0.5 is 500m; 1Gi and 1073741824 stay two."""
    parsed = _parsed(value)
    return f"{parsed[0].normalize():f} {parsed[1]}" if parsed else value


def _parsed(value: Json) -> tuple[Decimal, str] | None:
    match = _QUANTITY.fullmatch(str(value).strip())
    if value is None or isinstance(value, bool) or not match or not match[1].strip("+-."):
        return None
    amount, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        amount *= 2 ** _BINARY[suffix]
        return amount, "binary" if abs(amount) >= 1024 else "decimal"
    if suffix in _DECIMAL:
        return amount.scaleb(_DECIMAL[suffix]), "decimal"
    return amount.scaleb(int(suffix[1:])), "exponent"
