"""`python -m serve_app.keys` with a kubectl that keeps Secrets in a folder."""

import base64
import hashlib
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from serve_app.keys.__main__ import main

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
