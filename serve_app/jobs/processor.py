"""The rows through vLLM, by Ray Data's own processor for LLMs."""

import dataclasses
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from serve_app.jobs import parts
from serve_app.jobs.errors import JobError
from serve_app.jobs.places import place
from serve_app.jobs.plan import Partition, as_rows
from serve_app.jobs.run import Answer
from serve_app.models import placement, task
from serve_app.models.source import location
from serve_app.settings.job import JobSettings

_SHARE = 0.1
_BESIDE = {"num_cpus": _SHARE, "concurrency": 1}
"""Steps beside the engine: one core each, as Ray Data has it, is more than a worker of a small model has."""
_PROBLEM = "__inference_error__"
"""Ray's column for a row that the engine refused."""


def config(settings: JobSettings) -> Any:  # noqa: ANN401 - Ray has no types
    """The processor's configuration: the model entry's own source and engine arguments.

    Raises:
        JobError: vLLM refuses a sampling parameter.
    """
    from ray.data.llm import vLLMEngineProcessorConfig
    from vllm import AsyncEngineArgs, SamplingParams

    model = settings.model
    try:
        SamplingParams(**settings.sampling)
    except (TypeError, ValueError) as error:
        raise JobError(f"jobs.{settings.job_id}.sampling: {error}") from error
    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    engine = {name: value for name, value in task.engine_arguments(model).items() if name in known}
    engine.pop("runner", None)  # the processor's, by its task
    return vLLMEngineProcessorConfig(
        model_source=location(model.source, engine.get("load_format")),
        engine_kwargs=engine,
        task_type=model.task,
        batch_size=settings.batch_size,
        concurrency=(settings.min_replicas, settings.max_replicas),
        runtime_env={"env_vars": dict(model.env)} if model.env else None,
        placement_group_config={
            "bundle_per_worker": placement.bundle(model.accelerator),
            "strategy": placement.strategy(model.accelerator, model.parallelism),
        },
        should_continue_on_error=True,
        chat_template_stage={"enabled": settings.chat and model.task == "generate", **_BESIDE},
        tokenize_stage={"enabled": model.task == "generate", **_BESIDE},
        detokenize_stage={"enabled": False},
    )


def answering(settings: JobSettings, found: list[Partition]) -> Iterator[Answer]:
    """Answers partitions, in the order in which rows are ready."""
    import ray
    from ray.data.llm import build_processor

    processor = build_processor(
        config(settings),
        preprocess=partial(asked, settings),
        postprocess=partial(answered, settings.model.task),
        preprocess_map_kwargs={"num_cpus": _SHARE},
        postprocess_map_kwargs={"num_cpus": _SHARE},
    )
    found_rows = ray.data.from_items(as_rows(found), override_num_blocks=len(found))
    rows = found_rows.flat_map(partial(rows_of, settings.input), num_cpus=_SHARE)
    for row in processor(rows).iter_rows():
        problem = row.get(_PROBLEM) or row.get("problem") or ""
        given = json.loads(row["given"])
        answer = {} if problem else json.loads(row["answer"])
        yield Answer(row["part"], int(row["number"]), {**given, **answer, "error": problem or None}, bool(problem))


def rows_of(url: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """A partition's rows in a dataset: columns of one type each, whatever the input's are."""
    partition = Partition(**row)
    rows = parts.read(place(url), partition)
    given = [json.dumps(each, ensure_ascii=False, default=str) for each in rows]
    return [{"part": partition.part, "number": number, "given": text} for number, text in enumerate(given)]


def asked(settings: JobSettings, row: dict[str, Any]) -> dict[str, Any]:
    """What the engine gets of a row; one that asks nothing has the shortest answer, which is thrown away."""
    chat = settings.chat and settings.model.task == "generate"
    found, problem = parts.question(json.loads(row["given"]), settings.column, chat=chat)
    sampling = {**settings.sampling, "max_tokens": 1} if problem else settings.sampling
    if problem:
        found = [{"role": "user", "content": "."}] if chat else "."
    request: dict[str, Any] = {"messages": found} if chat else {"prompt": found}
    if settings.model.task == "generate":
        request["sampling_params"] = dict(sampling)
    return {**row, **request, "problem": problem}


def answered(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a row; the answer is text, since its columns are the job's."""
    answer: dict[str, Any] = {"prompt_tokens": int(row["num_input_tokens"])}
    if kind == "generate":
        answer |= {"answer": row["generated_text"], "completion_tokens": int(row["num_generated_tokens"])}
    else:
        answer["embedding"] = [float(value) for value in row["embeddings"]]
    return {
        "part": row["part"],
        "number": row["number"],
        "given": row["given"],
        "problem": row["problem"],
        "answer": json.dumps(answer, ensure_ascii=False),
    }
