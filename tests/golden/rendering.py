"""What the chart renders, in a form that can be compared: documents in a stable order."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "ray-vllm-stack"
VALUES = sorted((ROOT / "values").glob("*.yaml"))


def golden(values: Path) -> Path:
    """The file that holds what a values file rendered."""
    return Path(__file__).parent / values.name


def render(
    values: Path,
    *arguments: str,
    helm: str = "helm",
    chart: Path = CHART,
    release: str = "demo",
    namespace: str = "llm",
) -> str:
    """What `helm install` would send, the operator's own chart left out.

    Raises:
        RuntimeError: helm refused; the message is helm's.
    """
    command = [helm, "template", release, str(chart), "--namespace", namespace, "--values", str(values)]
    command += ["--set", "kuberay-operator.enabled=false", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return "".join(f"---\n{document}\n" for document in sorted(_documents(done.stdout)))


def _documents(output: str) -> Iterator[str]:
    """The documents, each from its `# Source:` line, so that sorting is by template; Helm 3 and 4 space them apart."""
    for document in re.split(r"^---$", output, flags=re.MULTILINE):
        if text := document.strip():
            yield text
