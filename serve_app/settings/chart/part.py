"""What every part of the values has in common, and the types that several parts use."""

from copy import copy
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic.alias_generators import to_camel

from serve_app.settings import patterns


class Part(BaseModel):
    """A part of the values: camelCase, and closed, so that a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


def partial(model: type[Part], name: str) -> type[Part]:
    """The same keys, each of which may be missing, or null for its default: an entry that is merged over defaults."""
    fields: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        annotation: Any = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Part):
            annotation = partial(annotation, f"{name}{annotation.__name__}")
        if field.metadata:
            annotation = cast("Any", Annotated)[(annotation, *field.metadata)]
        fields[key] = (annotation | None, Field(default=None, alias=field.alias))
    return cast("type[Part]", create_model(name, __base__=Part, __doc__=model.__doc__, **fields))


def like(model: type[BaseModel], name: str, **descriptions: str) -> type[Part]:
    """The keys of a part of the gateway's own settings, which the chart passes on; its rules are the chart's guards."""
    fields: dict[str, Any] = {key: (field.annotation, copy(field)) for key, field in model.model_fields.items()}
    for key, text in descriptions.items():
        fields[key][1].description = text
    return cast("type[Part]", create_model(name, __base__=Part, __doc__=model.__doc__, **fields))


# Raw Kubernetes: merged into what the chart renders, and checked by the API server.
Raw = dict[str, Any]
# In a map a null deletes what an earlier values file set.
Texts = dict[str, str | None]
Names = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$", max_length=253)]
# What a team, an API key or a route's match is called.
Name = Annotated[str, StringConstraints(pattern=patterns.NAME)]
EnvName = Annotated[str, StringConstraints(pattern=patterns.ENV_NAME)]


class EnvSource(Part):
    """Where a variable's value comes from, as in a container."""

    value: str | None = Field(default=None, description="The value.")
    value_from: Raw | None = Field(default=None, description="A reference, such as to a Secret's key.")


PodEnv = dict[EnvName, EnvSource | str | None]
Quantity = (
    Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei|e[0-9]+)?$")]
    | Annotated[float, Field(ge=0)]
)
Size = Annotated[str, StringConstraints(pattern=r"^([0-9]+(\.[0-9]+)?(Mi|Gi|Ti|M|G|T))?$")]
Percent = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(ge=0)]
WholeSeconds = Annotated[int, Field(ge=0)]
PositiveSeconds = Annotated[float, Field(gt=0, le=86400)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
PositiveCount = Annotated[int, Field(ge=1)]
IpFamily = Literal["IPv4", "IPv6"]
# A duration of Prometheus (15s) or Karpenter (5m, Never).
Interval = Annotated[str, StringConstraints(pattern=r"^([0-9]+(ms|s|m|h))+$")]
ClusterName = Annotated[str, StringConstraints(pattern=patterns.CLUSTER)]
ClassName = Annotated[str, StringConstraints(pattern=patterns.ACCELERATOR_CLASS)]
ModelId = Annotated[str, StringConstraints(pattern=patterns.MODEL_ID)]
ModelName = Annotated[str, StringConstraints(pattern=patterns.ROUTE)]


class ResourceClaim(Part):
    """A claim on a dynamically allocated device, as in a container."""

    name: str
    request: str | None = None


class Resources(Part):
    """Resources of a container, as in a pod spec."""

    requests: dict[str, Quantity | None] | None = None
    limits: dict[str, Quantity | None] | None = None
    claims: list[ResourceClaim] | None = None


Registry = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?)?$")]


class Image(Part):
    """Where an image is, and how it is pulled."""

    registry: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?$")]
    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([._/-]+[a-z0-9]+)*$")]
    tag: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$")]
    digest: Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64})?$")]
    pull_policy: Literal["Always", "IfNotPresent", "Never"]


class Toleration(Part):
    """A toleration, as in a pod spec."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class ServiceAccount(Part):
    """A ServiceAccount."""

    create: bool
    name: Names
    annotations: Texts


class Peer(Part):
    """A NetworkPolicyPeer."""

    pod_selector: Raw | None = None
    namespace_selector: Raw | None = None
    ip_block: Raw | None = None


class EgressRule(Part):
    """A NetworkPolicyEgressRule."""

    to: list[Peer] | None = None
    ports: list[Raw] | None = None


class CaBundle(Part):
    """Whom a pod trusts."""

    existing_config_map: Names
    existing_secret: Names
    key: Annotated[str, StringConstraints(min_length=1)]
