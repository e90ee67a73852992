"""`routes` and `providers`: further names that clients may use, and models that are somewhere else.

Their entries have the gateway's own keys and descriptions: the chart passes them on. What differs is that an entry of a
map may be null here, with which a later values file takes it back.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import gateway, patterns
from serve_app.settings.chart.part import Count, ModelId, ModelName, Name, Names, Part, Texts, like

Backend = like(gateway.Backend, "Backend")
Shadow = like(gateway.Shadow, "Shadow")
Fallback = like(gateway.Fallback, "Fallback")
Sticky = like(gateway.Sticky, "Sticky")
Price = like(gateway.Price, "Price")

HeaderName = Annotated[str, StringConstraints(pattern=patterns.HEADER)]
Backends = dict[ModelId, Backend | None]  # type: ignore[valid-type]
BACKENDS = "Model or provider -> how it takes part; `{}` is weight 1."


class Match(Part):
    """Requests that go to other backends than the route's."""

    order: Count = Field(default=0, description="Lowest is tried first; equal ones by name.")
    headers: dict[HeaderName, str | None] = Field(
        default_factory=dict, description="Header -> the value that it must have."
    )
    teams: list[Name] = Field(default_factory=list, description="Teams, one of which the caller must belong to.")
    backends: Backends = Field(default_factory=dict, description=BACKENDS)


class Route(Part):
    """A name that clients may use beside the models' own."""

    backends: Backends = Field(default_factory=dict, description=BACKENDS)
    sticky: Sticky | None = Field(  # type: ignore[valid-type]
        default=None, description="What keeps a client at one backend; by weight for each request if not set."
    )
    matches: dict[Name, Match | None] = Field(
        default_factory=dict, description="Other backends for the requests that meet all conditions of an entry."
    )
    shadow: dict[ModelId, Shadow | None] = Field(  # type: ignore[valid-type]
        default_factory=dict,
        description="Model -> how many copies it gets; its answers are compared in metrics and dropped.",
    )
    fallback: dict[ModelId, Fallback | None] = Field(  # type: ignore[valid-type]
        default_factory=dict,
        description="Model or provider -> its turn when the backend cannot answer (429, 503, unreachable, time-out).",
    )
    answer_model: Literal["backend", "route"] = Field(
        default="backend", description="The `model` of answers: the backend that answered, or the route's name."
    )


class ProviderKey(Part):
    """The key that a provider wants."""

    existing_secret: Names = Field(default="", description="Secret with the key; none if the provider wants no key.")
    key: str = Field(default="api-key", description="Key in that Secret.")
    header: HeaderName = Field(
        default="authorization", description="Header that carries it; `authorization` has it as a bearer token."
    )


class Provider(Part):
    """A model of an OpenAI-compatible API somewhere else; only routes lead to it."""

    base_url: Annotated[str, StringConstraints(pattern=patterns.URL)] = Field(
        default="", description="Its base URL as it documents it, with its own /v1: what SDKs call `base_url`."
    )
    query: dict[Name, str | None] = Field(default_factory=dict, description="Query parameters of each request.")
    headers: dict[HeaderName, gateway.HeaderValue | None] = Field(
        default_factory=dict, description="Headers of each request."
    )
    apis: list[gateway.ApiName] = Field(
        default_factory=list,
        description="APIs that it has. Empty: by task, `chat_completions`, `embeddings`, `rerank` or `transcriptions`.",
    )
    fields: dict[Name, str | None] = Field(
        default_factory=dict,
        description="Field of a request's body -> its name there; empty drops it. Over `providerDefaults.fields`.",
    )
    model: str = Field(default="", description="The model's name there; the entry's own if empty.")
    task: Literal["generate", "embed", "score", "transcribe"] = Field(
        default="generate", description="What the model is for; one route's models are all for the same."
    )
    api_key: ProviderKey = Field(default=ProviderKey(), description="The key that it wants.")
    max_concurrent_requests: Count = Field(
        default=0, description="Requests in flight to it, all gateway pods together; 0 for any number."
    )
    price: Price | None = Field(default=None, description="What a million tokens cost.")  # type: ignore[valid-type]


class ProviderDefaults(Part):
    """What providers have in common."""

    fields: Texts | None = None


Routes = dict[ModelName, Route | None]
Providers = dict[ModelId, Provider | None]
