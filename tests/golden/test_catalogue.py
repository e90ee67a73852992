"""The files of values/models/: each alone and all at once pass schema and guards, and say what is true of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.settings.engine import refusals
from tests.golden.catalogue import FILES, PAGE, Entry, page
from tests.golden.rendering import render

each_file = pytest.mark.parametrize("entry", [Entry(file) for file in FILES], ids=lambda entry: entry.file.stem)
KNOWN = {
    "meta-llama": ("llama-3-1-8b", "llama-3-3-70b", "llama-4-scout"),
    "Qwen": ("qwen3-8b", "qwen3-32b", "qwen3-235b-a22b", "qwen3-vl-8b", "qwen3-embedding-0-6b"),
    "deepseek-ai": ("deepseek-r1", "deepseek-v3"),
    "openai": ("gpt-oss-20b", "gpt-oss-120b", "whisper-large-v3-turbo"),
    "mistralai": ("mistral-small-3-2",),
    "google": ("gemma-3-27b",),
    "microsoft": ("phi-4",),
    "BAAI": ("bge-m3", "bge-reranker-v2-m3"),
}


def applications(rendered: str) -> dict[str, Any]:
    """What Ray Serve is told, by model."""
    found: dict[str, Any] = {}
    for document in yaml.safe_load_all(rendered):
        if document["kind"] == "RayService":
            found |= {each["name"]: each for each in yaml.safe_load(document["spec"]["serveConfigV2"])["applications"]}
    return found


def test_has_the_well_known() -> None:
    found = {(Entry(file).name.partition("/")[0], Entry(file).id) for file in FILES}
    assert found == {(owner, model) for owner, models in KNOWN.items() for model in models}
    assert {Entry(file).model.get("task", "generate") for file in FILES} == {"generate", "embed", "score", "transcribe"}


@each_file
def test_is_one_model_under_its_own_name(entry: Entry) -> None:
    assert list(entry.values) == ["models"]
    assert entry.file.stem.startswith(entry.id)
    assert entry.model["source"].startswith("hf://")
    assert entry.model["servedNames"] == [entry.name]


@each_file
def test_comment_is_of_the_file(entry: Entry) -> None:
    assert list(entry.said) == ["What", "Licence", "Runs on", "See"]
    assert entry.said["Runs on"] == entry.devices
    assert f"https://huggingface.co/{entry.name}" in entry.said["See"].split()
    assert all(link.startswith("https://") for link in entry.said["See"].split())


@each_file
def test_alone_it_is_served(entry: Entry) -> None:
    assert list(applications(render(entry.file))) == [entry.id]


def test_all_at_once_are_served() -> None:
    first, *others = FILES
    found = applications(render(first, *(part for file in others for part in ("--values", str(file)))))
    assert list(found) == sorted({Entry(file).id for file in FILES})


@each_file
def test_size_is_counted(entry: Entry, tmp_path: Path) -> None:
    """A device of 1 GiB less a tenth and what vLLM leaves holds none of them: that they fit is no accident."""
    small = tmp_path / "small.yaml"
    small.write_text(yaml.safe_dump({"accelerators": {entry.model["accelerator"]: {"deviceMemory": "1Gi"}}}))
    with pytest.raises(RuntimeError, match=r"its weights take \d+ GiB, and \d+ devices? of class"):
        render(entry.file, "--values", str(small))


@each_file
def test_engine_arguments_are_for_a_model_owner(entry: Entry) -> None:
    engine = entry.model["engine"]
    assert refusals(engine) == []
    assert engine["max_model_len"] > 0, "the table says the context"
    assert engine.get("enable_auto_tool_choice", False) is ("tool_call_parser" in engine)


def test_page_has_the_table() -> None:
    assert PAGE.read_text() == page(), "make generate"


def test_page_quotes_the_guard(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    model = {"source": "hf://org/big", "accelerator": "l40s", "weights": {"billionParameters": 70.6}}
    file.write_text(yaml.safe_dump({"models": {"big": model | {"parallelism": {"tensor": 2}}}}))
    with pytest.raises(RuntimeError) as refused:
        render(file)
    (quoted,) = (block for block in PAGE.read_text().split("```\n") if block.startswith("ERROR"))
    assert " ".join(quoted.split()) in str(refused.value)
