"""The Secret with the entries of keys, read and written by the user's own kubectl."""

import base64
import json
import subprocess
from typing import Any

LABELS = {"app.kubernetes.io/part-of": "ray-vllm-stack"}


class KeysError(Exception):
    """Why nothing was done, in one sentence with the remedy."""


class KeySecret:
    """A Secret of one namespace."""

    def __init__(self, name: str, namespace: str, context: str) -> None:
        """Asks nothing yet; an empty namespace or context is kubectl's own."""
        self.name = name
        self.namespace = namespace
        self.context = context

    def read(self) -> dict[str, bytes] | None:
        """Key name -> entry; None if there is no such Secret.

        Raises:
            KeysError: kubectl failed.
        """
        found = self._kubectl("get", "secret", self.name, "--ignore-not-found", "--output", "json")
        if not found.strip():
            return None
        return {name: base64.b64decode(value) for name, value in (json.loads(found).get("data") or {}).items()}

    def create(self) -> None:
        """Makes the Secret without entries; that another made it meanwhile is fine.

        Raises:
            KeysError: kubectl failed.
        """
        empty = json.dumps(manifest(self.name, self.namespace, {}))
        self._kubectl("create", "--filename", "-", stdin=empty, fine="(AlreadyExists)")

    def change(self, name: str, entry: str | None) -> None:
        """Sets or deletes one entry; what others do to other entries meanwhile stays.

        Raises:
            KeysError: kubectl failed.
        """
        value = None if entry is None else base64.b64encode(entry.encode()).decode()
        self._kubectl("patch", "secret", self.name, "--type", "merge", "--patch", json.dumps({"data": {name: value}}))

    def _kubectl(self, *arguments: str, stdin: str | None = None, fine: str | None = None) -> str:
        place = [("--namespace", self.namespace), ("--context", self.context)]
        given = [part for flag in place if flag[1] for part in flag]
        try:
            done = subprocess.run(
                ["kubectl", "--request-timeout=30s", *given, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise KeysError("kubectl is not on the PATH, install it, or use make --dry-run") from error
        if done.returncode == 0:
            return done.stdout
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1] if lines else f"kubectl ended with status {done.returncode}"
        if fine and fine in why:
            return ""
        if "(Forbidden)" in why:
            raise KeysError(f"{why}: ask for a Role with get, create and patch on secrets")
        if "(NotFound)" in why and 'namespaces "' in why:
            raise KeysError(f"{why}: correct --namespace")
        raise KeysError(f"{why}: see whether kubectl get secrets works with the same --context and --namespace")


def manifest(name: str, namespace: str, entries: dict[str, str]) -> dict[str, Any]:
    """A Secret with these entries."""
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": entries}
