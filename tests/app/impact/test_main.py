"""The command line, with the helm that is there, and a script in its place where there would have to be a cluster."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from serve_app.impact import __main__ as impact
from serve_app.impact.effects import Effect
from tests.app.impact.release import application, service

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "ray-vllm-stack"
DEMO = ROOT / "values" / "cpu-demo.yaml"
OLD = yaml.safe_dump(service(application("owl")))
NEW = yaml.safe_dump(service(application("owl", args={"model_id": "owl"})))


def files(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [word for name in texts for word in (f"--{name}", str(folder / name))]


def findings(text: str) -> dict[str, tuple[str, list[str]]]:
    """Subject -> effect and causes, of what does not stay as it is."""
    found = {each["subject"]: each for each in reversed(json.loads(text)["findings"]) if each["effect"] != "untouched"}
    return {subject: (each["effect"], each["causes"]) for subject, each in found.items()}


def test_manifests_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", *files(tmp_path, **{"from": OLD, "to": NEW})]
    assert impact.main(arguments) == Effect.ROLLS
    assert "rolls  model owl" in capsys.readouterr().out
    assert impact.main([*arguments, "--allow", "rolls", "--report=markdown"]) == 0
    assert capsys.readouterr().out.startswith("<!-- ray-vllm-stack impact -->\n### What this edit does: rolls")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            {"models": {"sparrow": {"engine": {"max_num_seqs": 3}}}},
            {"model sparrow": ("rolls", ["models.sparrow.engine"])},
        ),
        (
            {"models": {"sparrow": {"replicas": {"max": 3}}}},
            {"model sparrow": ("in-place", ["models.sparrow.replicas"])},
        ),
        ({"clusterDefaults": {"env": {"A": "b"}}}, {"cluster main": ("new-cluster", ["clusterDefaults"])}),
        ({"models": {"owl": None}}, {"model owl": ("removed", ["models.owl"])}),
        ({"gateway": {"pod": {"labels": {"a": "b"}}}}, {"gateway": ("rolls", ["gateway.pod"])}),
        ({"routes": {"new": {"backends": {"owl": {}}}}}, {"gateway": ("gateway-reload", ["routes.new"])}),
        ({"safeChange": {"approve": "v0123456789ab"}}, {}),
    ],
)
def test_values_are_compared(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    edit: dict[str, object],
    expected: dict[str, tuple[str, list[str]]],
) -> None:
    (tmp_path / "edit.yaml").write_text(yaml.safe_dump(edit))
    words = ["--from", str(DEMO), "--to", str(DEMO), "--to", str(tmp_path / "edit.yaml"), "--report", "json"]
    status = impact.main(["compare", "--chart", str(CHART), *words, "--set", "kuberay-operator.enabled=false"])
    found = findings(capsys.readouterr().out)
    for subject, (effect, causes) in expected.items():
        assert found[subject][0] == effect
        assert any(cause.startswith(tuple(causes)) for cause in found[subject][1])
    assert bool(found) == bool(expected)
    worst = max((Effect[effect.upper().replace("-", "_")] for effect, _ in found.values()), default=Effect.UNTOUCHED)
    assert status == (worst if worst >= Effect.REMOVED else 0)


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that answers as helm does, and writes down how it was called."""
    (tmp_path / "old").write_text(OLD)
    history = [{"revision": 6, "status": "superseded"}, {"revision": 7, "description": "Upgrade complete"}]
    (tmp_path / "history").write_text(json.dumps(history))
    (tmp_path / "new.json").write_text(
        json.dumps({"name": "demo", "manifest": NEW, "config": {"models": {"owl": {"engine": {}}}}})
    )
    script = f"""#!/bin/sh
echo "$*" >> {tmp_path}/calls
case "$1 $2" in
"upgrade "*) cat {tmp_path}/new.json;;
"history "*) case "$2" in gone) echo "Error: release: not found" >&2; exit 1;; esac; cat {tmp_path}/history;;
"get manifest") cat {tmp_path}/old;;
"get values") echo null;;
esac
"""
    (tmp_path / "helm").write_text(script)
    (tmp_path / "helm").chmod(0o755)
    monkeypatch.setenv("HELM_BIN", str(tmp_path / "helm"))
    return tmp_path


def test_an_upgrade_takes_the_arguments_of_helm(helm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-f", "values.yaml", "demo", "./chart", "--set", "a=b", "--repo", "url", "-n", "llm", "--install"]
    assert impact.main(["upgrade", *words, "--allow", "rolls", "--report", "json"]) == 0
    assert findings(capsys.readouterr().out) == {"model owl": ("rolls", [])}
    assert (helm / "calls").read_text().splitlines() == [
        "upgrade -f values.yaml demo ./chart --set a=b --repo url --install --namespace llm"
        " --dry-run=server --output=json",
        "history demo --output=json --namespace llm",
        "get values demo --output=json --revision=7 --namespace llm",
        "get manifest demo --revision=7 --namespace llm",
    ]


def test_what_the_guard_has_stopped_is_not_there(helm: Path) -> None:
    """Else the same edit would have no effect once it was stopped. What failed half way is there in part."""
    stopped = 'Upgrade "demo" failed: pre-upgrade hooks failed: resource Job/demo/demo-safe-change not ready'
    half = 'Upgrade "demo" failed: resource Deployment/demo/demo-gateway not ready'
    history = [{"revision": 7, "description": half}, {"revision": 8, "description": stopped}]
    (helm / "history").write_text(json.dumps(history))
    assert impact.main(["upgrade", "demo", "./chart", "--allow", "rolls"]) == 0
    assert "get manifest demo --revision=7" in (helm / "calls").read_text().splitlines()


def test_a_rollback_reads_its_revision(helm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert impact.main(["rollback", "demo", "3"]) == 0
    assert "get manifest demo --revision=3" in (helm / "calls").read_text().splitlines()
    assert "untouched" in capsys.readouterr().out


def test_a_release_that_is_not_there_yet_is_created(helm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = json.loads((helm / "new.json").read_text()) | {"name": "gone"}
    (helm / "new.json").write_text(json.dumps(new))
    assert impact.main(["upgrade", "gone", "./chart", "--report", "json"]) == 0
    assert findings(capsys.readouterr().out)["model owl"][0] == "created"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["compare", "--from", "/nowhere", "--to", "/nowhere"], "/nowhere cannot be read, correct the path"),
        (["upgrade", "a", "b", "--allow", "roll"], "'roll' is no effect"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert impact.main(words) == 1
    assert f"ERROR: {why}" in capsys.readouterr().err.replace("allow: ", "")


def test_a_helm_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HELM_BIN", "/nowhere/helm")
    assert impact.main(["upgrade", "demo", "chart"]) == 1
    assert "/nowhere/helm is not on the PATH" in capsys.readouterr().err


@pytest.mark.parametrize("binary", ["helm", "helm3"])
def test_it_is_a_plugin_of_both_helms(binary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "impact").symlink_to(ROOT / "deploy" / "helm-impact")
    monkeypatch.setenv("HELM_PLUGINS", str(tmp_path))
    (tmp_path / "from").write_text(OLD)
    (tmp_path / "to").write_text(NEW)
    words = ["compare", "--from", str(tmp_path / "from"), "--to", str(tmp_path / "to"), "--allow", "rolls"]
    done = subprocess.run([binary, "impact", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, "rolls  model owl" in done.stdout) == (0, True), done.stderr
