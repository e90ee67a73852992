"""Builds the applications of Serve configs, starting none: `python -m serve_app.models.check FILE...` (`-`: stdin).

A file is what the chart renders as `serveConfigV2`. Ray parses it with its own schema, every application is built as
Ray would build it, and compared with what Ray Serve LLM's own builders make of the model; each override must name a
deployment that the application has. Model files need not be there,
engines are not started, so what only the engine can know (memory, the model's own limits, a device) is not checked.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from serve_app.models.environment import DIRECT_STREAMING
from serve_app.settings.agent import AgentSettings
from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings
from serve_app.settings.pipeline import RagSettings
from serve_app.version import check_pair

IMPORT_PATH = "serve_app.models:build_app"
PIPELINE = "serve_app.pipelines:build_app"


def check(config: dict[str, Any]) -> list[str]:
    """One line for each application of the config; raises SettingsError for the first that cannot work."""
    from pydantic import ValidationError
    from ray.serve.schema import ServeDeploySchema

    try:
        schema = ServeDeploySchema.model_validate(config)
    except ValidationError as error:
        found = [f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}" for detail in error.errors()]
        raise SettingsError(f"Ray refuses the Serve config: {'; '.join(found)}") from None
    return [_check_application(application) for application in schema.applications]


def deployments(settings: ModelSettings) -> list[str]:
    """The names of the deployments that a model's application has.

    Raises:
        SettingsError: Ray Serve LLM's own builder would place the replicas otherwise.
    """
    from ray.serve._private.build_app import build_app

    from serve_app.models import topologies
    from serve_app.models.reference import application

    with _no_cluster():
        built = build_app(topologies.build(settings), name=settings.model_id)
        theirs = build_app(application(settings), name=settings.model_id)
    built.validate_single_fastapi_ingress()
    for ours, reference in zip(built.deployments, theirs.deployments, strict=True):
        if (found := _placement(ours)) != (wanted := _placement(reference)):
            raise SettingsError(
                f"model {settings.model_id!r}: {ours.name} asks for {found}, but Ray's own builder for {wanted}"
            )
    names = [deployment.name for deployment in built.deployments]
    router = built.ingress_request_router_deployment
    return names if router is None else [*names, router.name]


def _placement(deployment: Any) -> dict[str, Any]:  # noqa: ANN401 - Ray has no types
    """Where the replicas of a deployment go."""
    replica, config = deployment._replica_config, deployment._deployment_config
    return {
        "bundles": [{name: size for name, size in one.items() if size} for one in replica.placement_group_bundles],
        "strategy": replica.placement_group_strategy,
        "gang": config.gang_scheduling_config,
        "env": ((replica.ray_actor_options or {}).get("runtime_env") or {}).get("env_vars") or {},
    }


@contextmanager
def _no_cluster() -> Iterator[None]:
    """Answers the builder's one question to a cluster, its runtime environment: Ray would start a cluster for it."""
    import ray

    real = ray.get_runtime_context
    ray.get_runtime_context = lambda: SimpleNamespace(runtime_env={})
    try:
        yield
    finally:
        ray.get_runtime_context = real


def parts(settings: RagSettings | AgentSettings) -> list[str]:
    """The names of the deployments that a pipeline's application has."""
    from ray.serve._private.build_app import build_app

    from serve_app.pipelines.application import graph_of

    with _no_cluster():
        built = build_app(graph_of(settings), name=settings.pipeline_id)
    return [deployment.name for deployment in built.deployments]


def _pipeline(args: dict[str, Any]) -> RagSettings | AgentSettings:
    from serve_app.pipelines.application import parse

    return parse(args)


def _check_application(application: Any) -> str:  # noqa: ANN401 - Ray has no types
    if application.import_path not in (IMPORT_PATH, PIPELINE):
        return f"{application.name}: not ours ({application.import_path}), not built"
    pipeline = application.import_path == PIPELINE
    settings = _pipeline(application.args) if pipeline else ModelSettings.parse(application.args)
    what = f"{'pipeline' if pipeline else 'model'} {application.name!r}"
    check_pair(settings.versions.ray, settings.versions.vllm)
    try:
        names = deployments(settings) if isinstance(settings, ModelSettings) else parts(settings)
    except ValueError as error:
        raise SettingsError(f"{what}: {' '.join(str(error).split())}") from error
    for override in application.deployments:
        if override.name not in names:
            raise SettingsError(
                f"{what}: the override for {override.name!r} fits no deployment, there are {' and '.join(names)}"
            )
    leads = settings.source if isinstance(settings, ModelSettings) else settings.generate
    return f"{application.name}: {application.route_prefix} -> {leads} ({', '.join(names)})"


def main() -> int:
    """Prints the lines, or the one sentence on what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m serve_app.models.check", description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="+", help="a rendered serveConfigV2; - for standard input")
    lines: list[str] = []
    os.environ.update(dict.fromkeys(DIRECT_STREAMING, "1"))  # before Ray is imported, which reads them then
    logging.disable(logging.INFO)
    try:
        for name in parser.parse_args().files:
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
            with redirect_stdout(sys.stderr):  # vLLM logs there when it is imported
                lines += check(yaml.safe_load(text))
    except (SettingsError, OSError, yaml.YAMLError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
