"""One model without Ray: `python -m serve_app.models.standalone FILE` becomes vLLM's own server.

FILE is JSON, the `args` that the model's Serve application would have. They are checked in the same way, turned into
vLLM's command line, and `vllm serve` takes the process over: signals, logs and exit status are vLLM's.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from serve_app.models.in_flight import MIDDLEWARE
from serve_app.models.source import BUCKETS, check_present, location
from serve_app.models.task import engine_arguments
from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings
from serve_app.version import check_pair

PORT = 8000
# What is left of the pod's time after its preStop hook. Requests that came some other way than through the Service are
# answered in it; without it vLLM would end them at once.
SHUTDOWN_SECONDS = 20
_QUIET = "/health,/metrics,/in-flight"
# Lists that vLLM's command line takes as JSON, or one by one; it takes all others as words that follow each other.
_JSON_LISTS = ("allowed_headers", "allowed_methods", "allowed_origins")
_REPEATED = ("middleware",)
_NEVER_FALSE = ("aggregate_engine_logging",)  # a flag without its `--no-`, false by itself
NOT_ON_COMMAND_LINE = ("enable_mm_processor_stats", "mamba_config")
"""Engine arguments that only Ray Serve LLM, which makes the engine itself, can set."""


def serve_arguments(settings: ModelSettings, host: str) -> list[str]:
    """The words after `vllm serve`.

    Args:
        settings: The model, whose source vLLM itself has to be able to load.
        host: The address to listen on, `::` or `0.0.0.0`.

    Raises:
        SettingsError: vLLM's server cannot load from there, or lacks an engine argument.
    """
    if settings.source.startswith(BUCKETS):
        raise SettingsError(
            f"model {settings.model_id!r}: source is {settings.source!r}, which vLLM alone does not load from, "
            "use an hf:// or pvc:// source, or runtime: ray"
        )
    engine = engine_arguments(settings)
    for name in NOT_ON_COMMAND_LINE:
        if name in engine:
            raise SettingsError(
                f"model {settings.model_id!r}: engine.{name} is no option of vLLM's server, leave it out, "
                "or use runtime: ray"
            )
    engine["middleware"] = [*engine.get("middleware", []), MIDDLEWARE]
    engine.setdefault("shutdown_timeout", SHUTDOWN_SECONDS)
    if settings.parallelism.tensor * settings.parallelism.pipeline > 1 or not settings.accelerator.resource:
        engine["distributed_executor_backend"] = "mp"  # not Ray, which the image has too
    own = {
        "served_model_name": [settings.model_id],
        "host": host,
        "port": PORT,
        "disable_access_log_for_endpoints": _QUIET,
    }
    return [location(settings.source), *flags(engine | own)]


def flags(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Engine arguments by vLLM's names, as its command line takes them: an object is JSON, a false flag a `--no-`."""
    for name, value in arguments.items():
        flag = f"--{name.replace('_', '-')}"
        if value is None or (value is False and name in _NEVER_FALSE):
            continue
        if isinstance(value, bool):
            yield flag if value else flag.replace("--", "--no-", 1)
        elif isinstance(value, list) and name not in _JSON_LISTS:
            words = [_word(each) for each in value]
            if name in _REPEATED:
                yield from (f"{flag}={word}" for word in words)
            elif words:
                yield from (flag, *words)
        else:
            yield f"{flag}={_word(value)}"


def _word(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def main() -> int:  # noqa: RET503 - execvpe does not return
    """Checks the settings and becomes vLLM, or prints the one sentence on what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m serve_app.models.standalone", description=__doc__)
    parser.add_argument("file", type=Path, help="the model's settings, as JSON")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - in a pod
    parser.add_argument("--print", action="store_true", help="print the command as JSON in place of running it")
    options = parser.parse_args()
    try:
        settings = ModelSettings.parse(json.loads(options.file.read_text(encoding="utf-8")))
        check_pair(settings.versions.ray, settings.versions.vllm)
        command = ["vllm", "serve", *serve_arguments(settings, options.host)]
        if options.print:
            print(json.dumps(command))
            return 0
        check_present(settings)
    except (SettingsError, OSError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    # Variables of the model are there before vLLM is imported, which reads them then.
    os.execvpe(command[0], command, {**os.environ, **settings.env})  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    sys.exit(main())
