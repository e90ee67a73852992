"""What can be done with keys, a function per command; keys and tables go to stdout, what is said of them to stderr."""

import argparse
import getpass
import hashlib
import json
import re
import secrets
import sys
from typing import Any

import yaml
from pydantic import ValidationError

from serve_app.keys.secret import KeySecret, KeysError, manifest
from serve_app.settings import patterns
from serve_app.settings.gateway import Key, explain

ISSUED, FROM_VALUES = "-issued-keys", "-key-hashes"
"""How the names of the Secrets end: of keys that were made here, and of those that the chart's values have."""
SOON = "within about 90 seconds, when the kubelets have updated the gateway's pods"
SHORTEST = 32
"""Characters of a key that was made elsewhere. A plain hash protects what is long and random, nothing else."""
COUNTS = {
    "requestsPerMinute": "requests/min",
    "tokensPerMinute": "tokens/min",
    "concurrentRequests": "at once",
    "monthlyTokens": "tokens/month",
}
_FIELDS = ("team", "models", "priority", *COUNTS, "monthlyCost", "expires")


def make(arguments: argparse.Namespace) -> None:
    """Makes a key and prints its text, this once."""
    text = f"sk-{secrets.token_urlsafe(32)}"
    entry = json.dumps(_entry(text, arguments))
    if arguments.dry_run:
        secret = manifest(arguments.secret, arguments.namespace, {arguments.name: entry})
        _print(_yaml(secret))
        _say(f"The text of the key {arguments.name}, which is written nowhere else:\n{text}")
        return
    _put(_secret(arguments), arguments.name, entry, replace=arguments.replace)
    _say(f"The text of the key {arguments.name}, which is shown this once; it is accepted {SOON}:")
    _print(text)


def revoke(arguments: argparse.Namespace) -> None:
    """Ends a key."""
    secret = _secret(arguments)
    _stored(secret, arguments.name, in_values="delete it there")
    secret.change(arguments.name, None)
    _say(f"The key {arguments.name} is refused {SOON}; at once in pods that you restart (kubectl rollout restart).")


def rotate(arguments: argparse.Namespace) -> None:
    """Gives a key a new text; the old one is accepted as well until `--finish`."""
    name, secret = arguments.name, _secret(arguments)
    entry = _stored(secret, name, in_values="give it a hash and a previousHash there")
    try:
        key = Key.model_validate_json(entry)
    except ValidationError as error:
        raise KeysError(f"the entry of {name} is refused by the gateway, make the key anew with --replace") from error
    fields = json.loads(entry)
    if arguments.finish:
        if not key.previous_hash:
            raise KeysError(f"the key {name} has no old text, rotate it first")
        del fields["previousHash"]
        secret.change(name, json.dumps(fields))
        _say(f"The old text of the key {name} is refused {SOON}.")
        return
    if key.previous_hash:
        raise KeysError(f"the key {name} has an old text already, end that with --finish first")
    text = f"sk-{secrets.token_urlsafe(32)}"
    secret.change(name, json.dumps(fields | {"hash": _hash(text), "previousHash": key.hash}))
    _say(f"The new text of the key {name}, which is shown this once; it is accepted {SOON}, the old one too:")
    _print(text)


def list_keys(arguments: argparse.Namespace) -> None:
    """Prints the keys and what they may do."""
    secret = _secret(arguments)
    entries = secret.read()
    if entries is None:
        raise KeysError(f"there is no Secret {secret.name}, make a key, or correct --secret and --namespace")
    keys = [_shown(name, entries[name]) for name in sorted(entries)]
    if arguments.output == "json":
        _print(json.dumps(keys, indent=2))
        return
    rows = [("NAME", "TEAM", "MODELS", "LIMITS", "PRIORITY", "EXPIRES", "HASH"), *map(_row, keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def hash_key(arguments: argparse.Namespace) -> None:
    """Reads a key that was made elsewhere, and prints its entry of auth.apiKeys."""
    text = (getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if len(text) < SHORTEST:
        raise KeysError(f"the key has {len(text)} characters, take a random one of at least {SHORTEST}, or use make")
    _print(_yaml({arguments.name: _entry(text, arguments)}))


def _stored(secret: KeySecret, name: str, in_values: str) -> bytes:
    """A key's entry.

    Raises:
        KeysError: There is none; `in_values` is what to do with a key of the values.
    """
    entries = secret.read() or {}
    if name in entries:
        return entries[name]
    if name in _from_values(secret):
        raise KeysError(f"{name} is a key of auth.apiKeys, {in_values}")
    known = ", ".join(sorted(entries)) or "none"
    raise KeysError(f"there is no key {name} in {secret.name}, its keys are: {known}")


def _put(secret: KeySecret, name: str, entry: str, *, replace: bool) -> None:
    if name in _from_values(secret):
        raise KeysError(f"{name} is a key of auth.apiKeys, use another name")
    entries = secret.read()
    if entries is None:
        secret.create()
    elif name in entries and not replace:
        raise KeysError(f"there is a key {name} in {secret.name}, use another name, or --replace to end that key")
    secret.change(name, entry)


def _entry(text: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """A key's entry, as the gateway reads it."""
    if not re.fullmatch(patterns.NAME, arguments.name):
        raise KeysError(f"{arguments.name!r} is no name for a key, use {patterns.WORDS[patterns.NAME]}")
    if arguments.name == "oidc":
        raise KeysError("oidc is the name of those who come with a token, use another name")
    given = {field: value for field in _FIELDS if (value := getattr(arguments, field)) is not None}
    entry = {"hash": _hash(text), **given}
    try:
        Key.model_validate(entry)
    except ValidationError as error:
        raise KeysError(explain(error)) from error
    return entry


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _secret(arguments: argparse.Namespace) -> KeySecret:
    return KeySecret(arguments.secret, arguments.namespace, arguments.context)


def _from_values(secret: KeySecret) -> dict[str, bytes]:
    """The keys that the chart's values have beside this Secret."""
    if not secret.name.endswith(ISSUED):
        return {}
    name = secret.name.removesuffix(ISSUED) + FROM_VALUES
    return KeySecret(name, secret.namespace, secret.context).read() or {}


def _shown(name: str, content: bytes) -> dict[str, Any]:
    """A key without its whole hash."""
    try:
        key = Key.model_validate(json.loads(content))
    except ValidationError as error:
        return {"name": name, "refused": explain(error)}
    except ValueError:
        return {"name": name, "refused": "it is not JSON, make it again"}
    fields = key.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    hashes = [field for field in ("hash", "previousHash") if field in fields]
    return {"name": name} | fields | {field: fields[field][: len("sha256:") + 8] + "..." for field in hashes}


def _row(key: dict[str, Any]) -> tuple[str, ...]:
    if "refused" in key:
        return (key["name"], "", "", f"REFUSED: {key['refused']}", "", "", "")
    models = ",".join(key["models"]) if "models" in key else "all"
    limits = [f"{key[field]} {unit}" for field, unit in COUNTS.items() if field in key]
    limits += [f"cost {key['monthlyCost']:g}/month"] if "monthlyCost" in key else []
    hashes = key["hash"] + (f" and {key['previousHash']}" if "previousHash" in key else "")
    named = (key["name"], key.get("team", ""), models, ", ".join(limits) or "none", key.get("priority", ""))
    return (*named, key.get("expires", ""), hashes)


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, width=1000).rstrip()


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
