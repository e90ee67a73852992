"""The demo's last step: install the chart with values/cpu-demo.yaml and print streamed answers as they come.

The environment's ASK is a question for smollm2; without it each model is asked what it knows.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.cluster.kube import kubectl
from tests.cluster.stack import ROOT, Stack

LOCAL = os.environ.get("CLUSTER", "local") == "local"
CACHE = Path(
    os.environ.get("RAY_VLLM_STACK_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ray-vllm-stack"
)
OPEN_MODEL = "smollm2"  # may be asked anything


def questions(models: list[str], asked: str) -> dict[str, str]:
    """Model -> its question: what the user asks, of the model that may be asked anything, or one for each."""
    if asked:
        return {OPEN_MODEL: asked}
    return {
        model: "What is the capital of France?" if model == OPEN_MODEL else "What is ray-vllm-stack?"
        for model in models
    }


def images() -> dict[str, str]:
    """The images to use: those built here on the local cluster, else those of the IMAGES environment variable."""
    text = (CACHE / "images.txt").read_text() if LOCAL else os.environ.get("IMAGES", "")
    found = dict(word.split("=", 1) for word in text.split())
    if missing := {"serve-cpu", "gateway", "demo-models"} - set(found):
        sys.exit(
            f"demo: IMAGES lacks {', '.join(sorted(missing))}. Build them with `make images "
            "IMAGES='serve-cpu gateway demo-models'`, push them to a registry that your cluster pulls from, and set "
            "IMAGES='serve-cpu=REF gateway=REF demo-models=REF'."
        )
    return found


@contextlib.contextmanager
def gateway(stack: Stack) -> Iterator[str]:
    """An address of the gateway that this machine reaches: the Service itself, or a port-forward."""
    if LOCAL:
        yield stack.url
        return
    command = ["kubectl", "-n", stack.namespace, "port-forward", f"service/{stack.fullname}-gateway", "8080:80"]
    forward = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if not (forward.stdout and forward.stdout.readline()):
            sys.exit("demo: kubectl port-forward to the gateway ended; is port 8080 free?")
        yield "http://127.0.0.1:8080"
    finally:
        forward.terminate()


def answer(client: OpenAI, model: str, question: str) -> float:
    """Print a model's answer as it comes, and return the seconds until it began."""
    asked = time.monotonic()
    first = None
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    for chunk in client.chat.completions.create(
        model=model, messages=messages, stream=True, temperature=0, max_tokens=200
    ):
        if text := chunk.choices[0].delta.content:
            first = first or time.monotonic() - asked
            print(text, end="", flush=True)
    if first is None:
        sys.exit(f"demo: {model} answered no text")
    return first


def main() -> None:
    """Install, wait, ask."""
    values = [ROOT / "values/cpu-demo.yaml", *([ROOT / "tests/cluster/values-local.yaml"] if LOCAL else [])]
    stack = Stack("demo", "llm", values, images(), lambda text: print(text, flush=True))
    begin = time.monotonic()
    context = kubectl("config", "current-context").strip()
    print(f"\n== models onto a volume (context {context}, namespace {stack.namespace})", flush=True)
    stack.prepare()
    print(f"  {time.monotonic() - begin:4.0f} s\n\n== helm install {stack.release}", flush=True)
    installing = time.monotonic()
    stack.install()
    stack.wait_for_models()
    print(f"  {time.monotonic() - installing:4.0f} s  all models running", flush=True)
    with gateway(stack) as url:
        client = OpenAI(base_url=f"{url}/v1", api_key=stack.api_key)
        for model, question in questions(stack.models, os.environ.get("ASK", "")).items():
            print(f"\n{model}, asked {question!r}:\n  ", end="", flush=True)
            first = answer(client, model, question)
            print(f"\n  first token after {first * 1000:.0f} ms")
    print(f"\nFrom the volume to the last token: {time.monotonic() - begin:.0f} s.\n")
    kube = (
        f"export KUBECONFIG={os.environ['KUBECONFIG']} PATH={CACHE}/bin:$PATH"
        if LOCAL
        else "# your kubeconfig as it is"
    )
    secret = (
        f"kubectl -n {stack.namespace} get secret {stack.fullname}-api-keys -o jsonpath='{{.data.default}}' | base64 -d"
    )
    print(f"""URL      {url}/v1
API key  Secret {stack.fullname}-api-keys in namespace {stack.namespace}, key "default"

Next:
  {kube}
  # list the models
  curl -s {url}/v1/models -H "Authorization: Bearer $({secret})"
  # edit one model: only sparrow rolls, owl goes on
  helm upgrade {stack.release} charts/ray-vllm-stack -n {stack.namespace} \\
    --reuse-values --set models.sparrow.engine.max_num_seqs=16
  # the Ray dashboard, on http://localhost:8265
  kubectl -n {stack.namespace} port-forward service/{stack.fullname}-main-head-svc 8265:8265

`make down` stops it all.""")


if __name__ == "__main__":
    main()
