"""One release of the chart on the cluster of the current kubeconfig: install with visible progress, address, key."""

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kube import helm, kubectl

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "ray-vllm-stack"


@dataclass(frozen=True)
class Stack:
    """A release, its namespace, its values files in order, and the images under test by images/build.sh's names."""

    release: str
    namespace: str
    values: Sequence[Path]
    images: dict[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = print

    def prepare(self) -> None:
        """Make the namespace, which enforces PodSecurity restricted, and copy the demo models onto its claim."""
        make_namespace(self.namespace)
        manifest = (ROOT / "tests/models/demo-models.yaml").read_text().replace("@IMAGE@", self.images["demo-models"])
        self.kubectl("delete", "job", "demo-models", "--ignore-not-found", "--wait")
        self.kubectl("apply", "--server-side", "-f", "-", input=manifest)
        self.kubectl("wait", "--for=condition=Complete", "job/demo-models", "--timeout=180s")

    def install(self) -> None:
        """`helm upgrade --install --wait` with the values files and images."""
        self._upgrade(CHART, "--install", *self.arguments())

    def edit(self, *arguments: str, chart: Path = CHART) -> None:
        """`helm upgrade --wait` of what is there, with only these further arguments; such as `--wait=hookOnly`."""
        self._upgrade(chart, "--reuse-values", *arguments)

    def remove(self, *paths: str) -> None:
        """`helm upgrade --wait` without some values, such as `models.wren`."""
        with self.without(*paths) as arguments:
            self._upgrade(CHART, *arguments)

    @contextmanager
    def without(self, *paths: str) -> Iterator[list[str]]:
        """Helm's arguments for the values that are there without some; with `--reuse-values` a null would come back."""
        values = yaml.safe_load(helm("get", "values", self.release, "-n", self.namespace, "-o", "yaml"))
        for path in paths:
            *parents, key = path.split(".")
            entry = values
            for parent in parents:
                entry = entry[parent]
            del entry[key]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            yield ["--reset-values", "-f", file.name]

    def _upgrade(self, chart: Path, *arguments: str) -> None:
        """Run helm, saying every few seconds what it waits for.

        Raises:
            RuntimeError: helm failed; the message is helm's.
        """
        command = [
            "helm",
            "upgrade",
            self.release,
            str(chart),
            "-n",
            self.namespace,
            "--wait",
            "--timeout",
            "15m",
            *arguments,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        begin = said = time.monotonic()
        last = ""
        while process.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - said >= 5:
                said = time.monotonic()
                now = self.progress()
                if now != last or (said - begin) % 30 < 5:
                    self.say(f"  {said - begin:4.0f} s  {now}")
                last = now
        output = process.stdout.read() if process.stdout else ""
        if process.returncode:
            raise RuntimeError(f"{output}\n{self.progress()}")
        self.__dict__.pop("url", None)

    def arguments(self) -> list[str]:
        """Values files and image tags as helm arguments."""
        arguments = [word for file in self.values for word in ("-f", str(file))]
        for name, key in (("serve-cpu", "clusterDefaults.image"), ("gateway", "gateway.image"), ("data", "data.image")):
            if name in self.images:
                repository, tag = self.images[name].rsplit(":", 1)
                registry, repository = repository.split("/", 1)
                arguments += ["--set", f"{key}.registry={registry},{key}.repository={repository},{key}.tag={tag}"]
        return arguments

    def progress(self) -> str:
        """What the release waits for: pods that are not ready and why, applications that are not running and why."""
        waits = [reason for pod in self.objects("pods") if (reason := _waits(pod))]
        for service in self.objects("rayservices.ray.io"):
            states = applications(service)
            waits += [f"application {name}: {text}" for name, text in states.items() if text != "RUNNING"]
            waits += [] if states else [f"RayService {service['metadata']['name']}: no application yet"]
        if not waits:
            return "all pods ready, all applications running" if self.objects("pods") else "no pod yet"
        return "; ".join(waits)

    def wait_for_models(self, seconds: float = 600) -> None:
        """Wait until every Serve application of the release is RUNNING.

        Raises:
            TimeoutError: not within `seconds`; the message says what each waits for.
        """
        begin = said = time.monotonic()
        while (services := self.objects("rayservices.ray.io")) and not all(
            (states := applications(service)) and set(states.values()) == {"RUNNING"} for service in services
        ):
            if time.monotonic() - begin > seconds:
                raise TimeoutError(f"models not running after {seconds:.0f} s: {self.progress()}")
            if time.monotonic() - said >= 5:
                said = time.monotonic()
                self.say(f"  {said - begin:4.0f} s  {self.progress()}")
            time.sleep(0.5)

    def uninstall(self) -> None:
        """`helm uninstall --wait`, whose hook waits for KubeRay's clean-up; absence is fine."""
        helm("uninstall", self.release, "-n", self.namespace, "--wait", "--timeout", "6m", "--ignore-not-found")

    def kubectl(self, *words: str, input: str | None = None) -> str:  # noqa: A002
        """Kubectl in the release's namespace."""
        return kubectl("-n", self.namespace, *words, input=input)

    def objects(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """The namespace's objects of a kind; none where the kind is not known."""
        try:
            text = self.kubectl("get", kind, "-l", selector, "-o", "json")
        except RuntimeError as error:
            if "the server doesn't have a resource type" in str(error):
                return []
            raise
        items: list[dict[str, Any]] = json.loads(text)["items"]
        return items

    def everything(self) -> set[str]:
        """Names of all objects of the namespace but events, and of all cluster-wide roles and volumes."""
        kinds = [kind for kind in _kinds() if not kind.startswith("events")]
        names = self.kubectl("get", ",".join(kinds), "-o", "name", "--ignore-not-found").split()
        wide = kubectl("get", "clusterroles,clusterrolebindings,persistentvolumes", "-o", "name").split()
        return {*names, *wide}

    @property
    def fullname(self) -> str:
        """The prefix of the release's object names."""
        return self.release if "ray-vllm-stack" in self.release else f"{self.release}-ray-vllm-stack"

    @cached_property
    def url(self) -> str:
        """The gateway's address that this machine reaches: the Service's cluster IP on the local cluster."""
        service = json.loads(self.kubectl("get", "service", f"{self.fullname}-gateway", "-o", "json"))
        return f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"

    @property
    def api_key(self) -> str:
        """The key named default."""
        return self.key("default")

    def key(self, name: str) -> str:
        """A key of `auth.apiKeys`."""
        secret = json.loads(self.kubectl("get", "secret", f"{self.fullname}-api-keys", "-o", "json"))
        return base64.b64decode(secret["data"][name]).decode()

    @property
    def models(self) -> list[str]:
        """The enabled models of the values files."""
        text = helm("get", "values", self.release, "-n", self.namespace, "-o", "yaml")
        return [name for name, model in yaml.safe_load(text)["models"].items() if model.get("enabled", True)]


def make_namespace(name: str) -> None:
    """A namespace that enforces PodSecurity `restricted`."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    kubectl("apply", "--server-side", "-f", "-", input=json.dumps(namespace))


def _kinds() -> list[str]:
    return kubectl("api-resources", "--namespaced", "--verbs=list,delete", "-o", "name").split()


def applications(rayservice: dict[str, Any]) -> dict[str, str]:
    """Application name -> RUNNING, or its status and message; of the cluster that is starting where there is one."""
    status = rayservice.get("status", {})
    clusters = [status.get("pendingServiceStatus") or {}, status.get("activeServiceStatus") or {}]
    found: dict[str, str] = {}
    for cluster in clusters:
        for name, state in (cluster.get("applicationStatuses") or {}).items():
            message = (state.get("message") or "").strip().splitlines()
            found.setdefault(name, " ".join([state.get("status", "UNKNOWN"), *message[-1:]]).strip())
    return found


def _waits(pod: dict[str, Any]) -> str:
    """Why a pod is not ready, or the empty string."""
    status = pod["status"]
    if status.get("phase") == "Succeeded" or any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])
    ):
        return ""
    states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    reasons = [
        f"{state['name']} {detail.get('reason', kind)} {detail.get('message', '')}".strip()
        for state in states
        for kind, detail in state.get("state", {}).items()
        if kind != "running" and detail.get("reason") != "Completed" and detail.get("reason") != "PodInitializing"
    ]
    reasons += [
        c["message"] for c in status.get("conditions", []) if c["type"] == "PodScheduled" and c["status"] == "False"
    ]
    not_ready = [f"{s['name']} starting" for s in states if "running" in s.get("state", {}) and not s.get("ready")]
    return f"pod {pod['metadata']['name']}: {', '.join(reasons or not_ready or [status.get('phase', 'unknown')])}"
