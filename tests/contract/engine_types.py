"""Run in the serve image, `python engine_types.py FILE`: are these engine arguments what the pinned vLLM takes?

FILE is JSON, a name -> engine arguments. What vLLM would refuse is printed, a line each. vLLM itself says so when an
engine starts, which takes the model's files and its accelerator; here it is asked for the types of its arguments, the
fields of the configs that they are made into, and the names of what it can load.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

Engine = dict[str, Any]


def main() -> None:
    engines: dict[str, Engine] = json.loads(Path(sys.argv[1]).read_text())
    with redirect_stdout(sys.stderr):  # vLLM logs there when it is imported
        found = [f"{name}: {problem}" for name, engine in engines.items() for problem in problems(engine)]
    print("\n".join(found))


def problems(engine: Engine) -> Iterator[str]:
    """What is wrong with the arguments, one sentence each."""
    from vllm.config import SpeculativeConfig

    for name, value in engine.items():
        hint = _hints().get(name)
        yield from _of_type(name, value, hint) if hint is not None else [f"{name} is no argument"]
    for name, value in engine.get("speculative_config", {}).items():
        field = SpeculativeConfig.__pydantic_fields__.get(name)
        path = f"speculative_config.{name}"
        yield from _of_type(path, value, field.annotation) if field else [f"{path} is no field"]
    for name, choices in _choices().items():
        if name in engine and engine[name] not in choices():
            yield f"{name} is {engine[name]!r}, which this vLLM does not have"
    yield from _of_transfer(engine.get("kv_transfer_config"))
    if text := engine.get("chat_template"):
        yield from _of_template(text)


def _hints() -> dict[str, Any]:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.launchers.cli_args import FrontendArgs

    fields = (*dataclasses.fields(FrontendArgs), *dataclasses.fields(AsyncEngineArgs))
    # A type in quotes names what vLLM imports for type checkers only.
    return {field.name: Any if isinstance(field.type, str) else field.type for field in fields}


def _of_type(path: str, value: object, hint: Any) -> Iterator[str]:
    """Pydantic makes the very config of a map: with its fields, its bounds and its own checks."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
    except PydanticUserError:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        for each in error.errors():
            yield f"{'.'.join([path, *(str(part) for part in each['loc'])])}: {each['msg']}"


def _choices() -> dict[str, Callable[[], list[str]]]:
    """Arguments that name one of what vLLM has, where their type is just text."""
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS
    from vllm.model_executor.model_loader import _LOAD_FORMAT_TO_MODEL_LOADER
    from vllm.reasoning import ReasoningParserManager
    from vllm.tool_parsers import ToolParserManager

    return {
        "tool_call_parser": ToolParserManager.list_registered,
        "reasoning_parser": ReasoningParserManager.list_registered,
        "quantization": lambda: list(QUANTIZATION_METHODS),
        "load_format": lambda: list(_LOAD_FORMAT_TO_MODEL_LOADER),
    }


def _of_transfer(config: Engine | None) -> Iterator[str]:
    from vllm.distributed.kv_transfer.kv_connector.factory import KVConnectorFactory

    if config and config["kv_connector"] not in KVConnectorFactory._registry:
        yield f"kv_transfer_config.kv_connector is {config['kv_connector']!r}, which this vLLM does not have"


def _of_template(text: str) -> Iterator[str]:
    """That vLLM takes it for a template and not for a path, and that it is one."""
    from jinja2 import Environment, TemplateSyntaxError  # type: ignore[import-not-found]
    from vllm.entrypoints.chat_utils import load_chat_template

    try:
        if load_chat_template(text) != text:
            yield "chat_template is read from elsewhere"
        Environment(autoescape=False).parse(text)  # noqa: S701 - parsed only
    except (ValueError, TemplateSyntaxError) as error:
        yield f"chat_template: {error}"


if __name__ == "__main__":
    main()
