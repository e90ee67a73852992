"""What the chart says to one model's application: the `args` of its entry in serveConfigV2.

Scaling has no place here. Ray takes `args` for a part of the application's code, so an edit restarts every replica;
replicas, concurrency and roll-outs are overrides under `deployments`, which Ray applies in place.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from serve_app.settings import patterns
from serve_app.settings.engine import refusals
from serve_app.settings.errors import SettingsError, explain

EnvName = Annotated[str, StringConstraints(pattern=patterns.ENV_NAME)]


class Settings(BaseModel):
    """A part of the args: immutable, and closed, so that a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Accelerator(Settings):
    """What a replica runs on. The class is a Ray resource of its worker pods."""

    class_name: str = Field(alias="class", pattern=patterns.ACCELERATOR_CLASS)
    resource: str = Field(default="", pattern=r"^[A-Za-z_]*$")
    """What Ray calls a device; empty: there are none."""
    share: float = Field(default=1, gt=0, le=1)
    """How much of one device a replica takes."""
    pods: str = Field(default="", pattern=r"^([0-9]+x[0-9]+)?$")
    """Worker pods and devices of each, such as 2x8, for a replica that spans several; empty: one pod."""


class Parallelism(Settings):
    """How many devices a replica is spread over: tensor * pipeline * data."""

    tensor: int = Field(default=1, ge=1)
    pipeline: int = Field(default=1, ge=1)
    data: int = Field(default=1, ge=1)
    expert: bool = False


class Role(Settings):
    """One of a model's two kinds of replicas: whole, nothing of the model's is merged in."""

    accelerator: Accelerator
    parallelism: Parallelism = Field(default_factory=Parallelism)
    engine: dict[str, Any] = Field(default_factory=dict)


class Roles(Settings):
    """Prefill and decode on replicas of their own."""

    prefill: Role
    decode: Role


class Routing(Settings):
    """Which replica gets a request."""

    policy: Literal["least-requests", "round-robin", "session", "prefix-affinity"] = "least-requests"
    imbalanced_threshold: float = Field(default=10, ge=0)
    match_rate_threshold: float = Field(default=0.1, ge=0, le=1)


class VersionPair(Settings):
    """The Ray and vLLM that the chart was made for."""

    ray: str
    vllm: str


class ModelSettings(Settings):
    """One model."""

    model_id: str = Field(pattern=patterns.MODEL_ID)
    source: str
    revision: str = ""
    task: Literal["generate", "embed", "score", "transcribe"] = "generate"
    accelerator: Accelerator
    parallelism: Parallelism = Field(default_factory=Parallelism)
    roles: Roles | None = None
    routing: Routing = Field(default_factory=Routing)
    engine: dict[str, Any] = Field(default_factory=dict)
    env: dict[EnvName, str] = Field(default_factory=dict)
    versions: VersionPair

    @field_validator("source")
    @classmethod
    def _source_is_known(cls, source: str) -> str:
        if not re.fullmatch(patterns.SOURCE, source) or ".." in source.split("/"):
            raise ValueError(f"source is {source!r}, write it as {patterns.SOURCE_FORMS}")
        return source

    @field_validator("engine")
    @classmethod
    def _engine_is_known(cls, engine: dict[str, Any]) -> dict[str, Any]:
        if sentences := refusals(engine):
            raise ValueError("; ".join(sentences))
        return engine

    @model_validator(mode="after")
    def _revision_has_a_history(self) -> Self:
        if self.revision and not self.source.startswith("hf://"):
            raise ValueError(f"revision is {self.revision!r}, but only an hf:// source has revisions: leave it empty")
        return self

    def as_args(self) -> dict[str, Any]:
        """The settings as args again: what `parse` reads, without defaults."""
        return self.model_dump(by_alias=True, exclude_defaults=True)

    @classmethod
    def parse(cls, args: dict[str, Any]) -> Self:
        """Reads the args; what cannot work is one sentence that begins with the model's id."""
        try:
            return cls.model_validate(args)
        except ValidationError as error:
            raise SettingsError(f"model {args.get('model_id')!r}: {explain(error, cls)}") from None
