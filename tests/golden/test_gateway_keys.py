"""API keys as rendered: what the gateway mounts opens nothing, and fits what the chart's Job makes beside it."""

import base64
import json
import re
from typing import Any

import pytest
import yaml

from serve_app import make_secrets
from serve_app.gateway.access.keys import MADE_PREFIX, KeyRing, parse
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.observe.metrics import Metrics
from tests.golden.rendering import CHART, VALUES, render

CANARY = next(values for values in VALUES if values.stem == "canary")
PREFIX = "demo-ray-vllm-stack-"


@pytest.fixture(scope="module")
def found() -> list[Any]:
    return [document for document in yaml.safe_load_all(render(CANARY)) if document]


def test_every_key_has_an_entry_that_the_gateway_takes_with_its_made_hash(found: list[Any]) -> None:
    (entries,) = [each["data"] for each in found if each["kind"] == "Secret"]
    files = {name: base64.b64decode(entry) for name, entry in entries.items()}
    (job,) = [each for each in found if each["metadata"]["name"] == f"{PREFIX}made-secrets" and each["kind"] == "Job"]
    arguments = make_secrets.parse(job["spec"]["template"]["spec"]["containers"][0]["args"])
    assert (arguments.key_texts, arguments.redis) == (f"{PREFIX}api-keys", f"{PREFIX}redis")
    assert sorted(arguments.key) == sorted(files) == ["default", "search", "support", "trial"]
    made = {f"{MADE_PREFIX}{name}": f"sha256:{number:064x}".encode() for number, name in enumerate(arguments.key)}
    assert set(KeyRing(files | made, AccessMetrics(Metrics().registry)).keys) == set(files)
    trial = parse("trial", files["trial"], made["_trial"])
    assert (trial.team, trial.requests_per_minute) == ("trial", 10)


def test_the_gateway_mounts_what_the_job_writes(found: list[Any]) -> None:
    (job,) = [each for each in found if each["metadata"]["name"] == f"{PREFIX}made-secrets" and each["kind"] == "Job"]
    arguments = make_secrets.parse(job["spec"]["template"]["spec"]["containers"][0]["args"])
    (gateway,) = [
        each for each in found if each["metadata"]["name"] == f"{PREFIX}gateway" and each["kind"] == "Deployment"
    ]
    volumes = json.dumps(gateway["spec"]["template"]["spec"]["volumes"])
    assert f'"{arguments.key_hashes}"' in volumes
    assert f'"{arguments.key_texts}"' not in volumes
    assert make_secrets.HASH_PREFIX == MADE_PREFIX


def test_templates_look_nothing_up_and_roll_no_dice() -> None:
    """NOTES alone may ask the cluster, to say what an upgrade did: they are in no manifest."""
    dice = r"\b(lookup|rand[A-Z]\w+|gen[A-Z]\w+|uuidv4|shuffle|now|htpasswd|bcrypt|derivePassword|encryptAES)\b"
    uses = {}
    for file in sorted((CHART / "templates").rglob("*")):
        text = re.sub(r"{{-?\s*/\*.*?\*/\s*-?}}", "", file.read_text(), flags=re.DOTALL) if file.is_file() else ""
        code = " ".join(
            re.sub(r'"[^"]*"|\$\w+', "", block) for block in re.findall(r"{{(.*?)}}", text, flags=re.DOTALL)
        )
        if used := set(re.findall(dice, code)):
            uses[file.name] = used
    assert uses == {"_warnings-clusters.tpl": {"lookup"}}
