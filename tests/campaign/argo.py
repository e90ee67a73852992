"""Argo CD on this machine, against the cluster of the kubeconfig, with a git repository that it follows."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kube import apply_crds, kubectl, wait_until
from tests.cluster.stack import CHART, ROOT, Stack, make_namespace

KIT = ROOT / "deploy/argocd"
TOOL = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools/argocd"
NAMESPACE = "argocd"
REDIS, REPOSITORIES = "127.0.0.1:16380", "127.0.0.1:18081"
METRICS = {"repo-server": "18084", "controller": "18082"}


class Repository:
    """A git repository with the chart in `chart/`, and values files in `values/` that later ones override."""

    def __init__(self, path: Path, values: Sequence[Path]) -> None:
        self.url = f"file://{path}"
        self._path = path
        shutil.copytree(CHART, path / "chart")
        (path / "values").mkdir()
        self.files = [f"values/{number}-{file.name}" for number, file in enumerate(values)]
        for name, file in zip(self.files, values, strict=True):
            shutil.copy(file, path / name)
        self.files.append("values/edit.yaml")
        self._git("init", "--quiet", "--initial-branch", "main")
        self.edit({})

    def _git(self, *words: str) -> str:
        who = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"]
        return subprocess.check_output(["git", "-C", self._path, *who, *words], text=True).strip()

    def edit(self, values: dict[str, Any]) -> str:
        """Commits these in place of those of the edit before; gives the commit."""
        (self._path / "values/edit.yaml").write_text(yaml.safe_dump(values))
        self._git("add", "--all", "--force")
        self._git("commit", "--quiet", "--message", "edit")
        return self._git("rev-parse", "HEAD")


class Application:
    """The Application of the kit's ApplicationSet for an environment, whose release a Stack describes."""

    def __init__(self, environment: str, stack: Stack, repository: Repository) -> None:
        text = json.dumps(yaml.safe_load((KIT / "application-set.yaml").read_text())["spec"]["template"])
        self._made = json.loads(text.replace("{{ .environment }}", environment))
        self._made |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
        self._made["metadata"]["namespace"] = NAMESPACE
        chart = {"repoURL": repository.url, "targetRevision": "main"}
        self._made["spec"]["sources"] = [
            chart
            | {
                "path": "chart",
                "helm": {
                    "releaseName": stack.release,
                    "valueFiles": [f"$values/{file}" for file in repository.files],
                    "parameters": parameters(stack),
                },
            },
            chart | {"ref": "values"},
        ]
        assert self._made["spec"]["destination"]["namespace"] == stack.namespace
        self.name = self._made["metadata"]["name"]

    def create(self) -> None:
        kubectl("apply", "--server-side", "-f", "-", input=json.dumps(self._made))

    def delete(self) -> None:
        """With all that it has made, as the finalizer says."""
        kubectl("-n", NAMESPACE, "delete", "application", self.name, "--timeout=600s")

    def refresh(self) -> None:
        """What a webhook of the git server brings about."""
        annotation = "argocd.argoproj.io/refresh=normal"
        kubectl("-n", NAMESPACE, "annotate", "application", self.name, annotation, "--overwrite")

    @property
    def status(self) -> dict[str, Any]:
        found = json.loads(kubectl("-n", NAMESPACE, "get", "application", self.name, "-o", "json"))
        return found.get("status") or {}

    @property
    def health(self) -> str:
        return self.status.get("health", {}).get("status", "")

    @property
    def synced(self) -> str:
        """The commit that it is Synced with, or the empty string."""
        sync = self.status.get("sync", {})
        return sync["revisions"][0] if sync.get("status") == "Synced" and sync.get("revisions") else ""

    @property
    def operation(self) -> dict[str, Any]:
        """The last sync."""
        return self.status.get("operationState") or {}

    def reason(self, kind: str) -> str:
        """The health message of the object of a kind."""
        (found,) = [each for each in self.status["resources"] if each["kind"] == kind]
        return found.get("health", {}).get("message", "")


def parameters(stack: Stack) -> list[dict[str, Any]]:
    """The images under test, as parameters of Helm's."""
    pairs = [pair.split("=") for words in stack.arguments() if "=" in words for pair in words.split(",")]
    return [{"name": name, "value": value, "forceString": True} for name, value in pairs]


@contextmanager
def argo_cd(folder: Path, sources: str) -> Iterator[None]:
    """Argo CD as it is installed, with the kit's health checks and AppProject, which allows these sources too.

    Without its UI, its API server and what checks signatures.
    """
    subprocess.run([ROOT / "tests/tools/build.sh", "argocd"], check=True)
    make_namespace(NAMESPACE)
    apply_crds(TOOL / "crds")
    kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", str(TOOL / "config"))
    checks = str(KIT / "argocd-cm.yaml")
    kubectl("-n", NAMESPACE, "patch", "configmap", "argocd-cm", "--patch-file", checks)
    project = yaml.safe_load((KIT / "app-project.yaml").read_text())
    project["spec"]["sourceRepos"].append(sources)
    kubectl("apply", "--server-side", "-f", "-", input=json.dumps(project))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.extend(_start(folder))  # each that has started ends, also where the next does not start
        wait_until("Argo CD to answer", 60, lambda: all(_answers(port) for port in METRICS.values()))
        assert [process.poll() for process in processes] == [None] * 3, f"the logs are in {folder}"
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(30)
        forget = json.dumps({"metadata": {"finalizers": None}})
        for name in kubectl("-n", NAMESPACE, "get", "applications,appprojects", "-o", "name").split():
            kubectl("-n", NAMESPACE, "patch", name, "--type=merge", "--patch", forget)
        kubectl("delete", "-f", str(TOOL / "crds"), "--timeout=60s")
        kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def _answers(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _start(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    (folder / "tmp").mkdir()
    environment = os.environ | {
        "ARGOCD_FAKE_IN_CLUSTER": "true",  # https://kubernetes.default.svc is the kubeconfig's
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_ASK_PASS_SOCK": str(folder / "tmp/ask-pass.sock"),
        "ARGOCD_TLS_DATA_PATH": str(folder / "tmp/tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "tmp/ssh"),
        "TMPDIR": str(folder / "tmp"),
    }
    host, port = REDIS.split(":")
    redis = ["redis-server", "--bind", host, "--port", port, "--save", "", "--appendonly", "no"]
    host, port = REPOSITORIES.split(":")
    server = ["argocd-repo-server", "--address", host, "--port", port, "--redis", REDIS]
    server += ["--metrics-address", host, "--metrics-port", METRICS["repo-server"]]
    controller = ["argocd-application-controller", "--namespace", NAMESPACE, "--redis", REDIS]
    controller += ["--repo-server", REPOSITORIES, "--metrics-port", METRICS["controller"]]
    controller += ["--app-resync", "60", "--app-resync-jitter", "0", "--status-processors", "2"]
    controller += ["--operation-processors", "2", "--persist-resource-health"]
    for command in (redis, server, controller):
        with (folder / f"{command[0]}.log").open("wb") as log:
            yield subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
