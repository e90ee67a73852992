"""Prefill and decode in replicas of their own, the KV blocks handed over by NIXL, on CPUs over TCP."""

import json
import subprocess
import time
from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.campaign.added import added, smollm2
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.stack import ROOT, Stack

TOKENS = "ray_vllm_prompt_tokens_by_source_total"
MODELS = ("whole", "split")


@pytest.fixture
def nixl(stack: Stack) -> Iterator[str]:
    """Puts NIXL beside the models; its path in the workers."""
    fetch = ROOT / "tests/campaign/nixl/fetch.sh"
    found = subprocess.run([fetch], capture_output=True, text=True, check=True).stdout.strip()
    claim = {"name": "target", "persistentVolumeClaim": {"claimName": "demo-models"}}
    container = {
        "name": "copy",
        "image": stack.images["demo-models"],
        "command": ["sleep", "3600"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "target", "mountPath": "/target"}],
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {"restartPolicy": "Never", "securityContext": security, "containers": [container], "volumes": [claim]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "copy"}, "spec": spec}
    stack.kubectl("apply", "-f", "-", input=json.dumps(pod))
    try:
        stack.kubectl("wait", "--for=condition=Ready", "pod/copy", "--timeout=60s")
        into = ["kubectl", "-n", stack.namespace, "exec", "-i", "copy", "--"]
        subprocess.run([*into, "mkdir", "-p", "/target/nixl"], check=True)
        with subprocess.Popen(["tar", "-C", found, "-c", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run([*into, "tar", "-C", "/target/nixl", "-x"], stdin=packed.stdout, check=True)
        yield "/mnt/models/demo-models/nixl"
        subprocess.run([*into, "rm", "-rf", "/target/nixl"], check=True)
    finally:
        stack.kubectl("delete", "pod", "copy", "--grace-period=0", "--force")


def test_decode_takes_the_prompt_from_prefill(stack: Stack, serve: Serve, nixl: str) -> None:
    """Of prompts that decode has not seen, all whole blocks come from prefill; the answers are those of one engine."""
    entry = smollm2(max_num_seqs=4, kv_cache_memory_bytes=268435456)
    split = {**entry, "roles": {"prefill": {}, "decode": {}}, "env": {"PYTHONPATH": nixl, "UCX_TLS": "tcp,self,sm"}}
    client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)
    with added(stack, serve, {"whole": entry, "split": split}):
        for model in MODELS:  # the first request makes decode and prefill known to each other, within 5 s or not at all
            client.completions.create(model=model, prompt="Once upon a time", max_tokens=8)
        prompted = equal = 0
        for number in range(6):
            numbers = range(number * 100 + 1, number * 100 + 61)
            prompt = " ".join(f"The number {i} comes after the number {i - 1}." for i in numbers)
            texts = []
            for model in MODELS:
                began = time.monotonic()
                answer = client.completions.create(model=model, prompt=prompt, max_tokens=16, temperature=0)
                assert answer.usage
                texts.append(answer.choices[0].text)
                prompted += answer.usage.prompt_tokens if model == "split" else 0
                note(f"{model}: {answer.usage.prompt_tokens} + 16 tokens in {time.monotonic() - began:.2f} s")
            equal += texts[0] == texts[1]
        time.sleep(3)  # workers export every 2.5 s: values-test.yaml
        took = serve.engine_metric("split", TOKENS, source="external_kv_transfer")
        note(f"prefill and decode: {took:.0f} of {prompted} prompt tokens came over NIXL, {equal} of 6 answers equal")
        assert took >= prompted - 6 * 128
        assert equal >= 4
