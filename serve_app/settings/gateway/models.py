"""`models` and `routes` of the gateway's configuration: what there is, and by which names it is asked for."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from serve_app.settings.gateway.section import Count, Name, Percent, PositiveCount, Section

Task = Literal["generate", "embed", "score", "transcribe"]
ApiName = Literal[
    "chat_completions",
    "completions",
    "responses",
    "messages",
    "count_tokens",
    "embeddings",
    "embed",
    "rerank",
    "score",
    "classify",
    "pooling",
    "transcriptions",
    "translations",
    "tokenize",
    "detokenize",
]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=128)]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$", max_length=4096)]
_FRAMING = frozenset(("connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"))


class Price(Section):
    """What a million tokens cost, in `metering.currency`."""

    prompt_per_million: float = Field(default=0, ge=0, description="Prompt tokens that were computed.")
    cached_per_million: float | None = Field(
        default=None, ge=0, description="Prompt tokens found in the prefix cache; as other prompt tokens if not set."
    )
    completion_per_million: float = Field(default=0, ge=0, description="Tokens of the answer.")


class Model(Section):
    """A model: one application behind Ray Serve, or a provider's model somewhere else."""

    url: str = Field(
        default="", description="Root of the model's API, to which whole paths such as /v1/chat/completions are added."
    )
    base_url: str = Field(
        default="", description="In place of url: the base URL of an OpenAI-compatible API, which stands for /v1."
    )
    query: dict[Name, str] = Field(default_factory=dict, description="Query parameters of each request.")
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, description="Headers of each request.")
    apis: list[ApiName] | None = Field(default=None, description="APIs that it has; all those of its task if not set.")
    fields: dict[Name, str] = Field(
        default_factory=dict, description="Field of a request's body -> its name there; empty drops it."
    )
    external: bool = Field(default=False, description="Outside of the cluster: a proxy may lead to it.")
    task: Task = Field(default="generate", description="What it is for; decides which APIs it answers.")
    owned_by: str = Field(default="ray-vllm-stack", description="`owned_by` in /v1/models.")
    context_length: PositiveCount | None = Field(default=None, description="Tokens of prompt and answer; informs.")
    adapters: list[Name] = Field(default_factory=list, description="LoRA adapters that it serves beside itself.")
    private: bool = Field(default=False, description="Asked for by routes only.")
    upstream_model: str = Field(default="", description="The name it goes by at its URL; its own id if empty.")
    api_key_file: str = Field(default="", description="File with the key that its URL wants; none if empty.")
    api_key_header: HeaderName = Field(
        default="authorization", description="Header of the key; authorization has it as a bearer token."
    )
    max_concurrent_requests: Count = Field(
        default=0, description="Requests that one gateway replica has in flight to it, others wait; 0 for any number."
    )
    scales_to_zero: bool = Field(default=False, description="It may have to be started first: waited for that long.")
    price: Price | None = None

    @field_validator("url", "base_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not url:
            return url
        try:
            parts = urlsplit(url)
            valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        if not valid or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"is {_without_user(url)!r}, write it as http://HOST:PORT/PATH")
        return url.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _are_not_ours(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if name.lower() in _FRAMING or name.lower() == "authorization":
                raise ValueError(f"has {name!r}, which the gateway sets itself, leave it out")
        return headers

    @field_validator("api_key_header")
    @classmethod
    def _is_no_framing(cls, name: str) -> str:
        if name.lower() in _FRAMING:
            raise ValueError(f"is {name!r}, which the gateway sets itself, name the header that the provider documents")
        return name

    @model_validator(mode="after")
    def _has_one_url(self) -> "Model":
        if bool(self.url) == bool(self.base_url):
            raise ValueError("needs one of url and baseUrl, set one and leave out the other")
        return self


def _without_user(url: str) -> str:
    """A URL without what may be a password."""
    scheme, mark, rest = url.rpartition("@")
    return f"{scheme.partition('//')[0]}//...{mark}{rest}" if mark else url


class Backend(Section):
    """A model that answers for a route."""

    weight: Count = Field(default=1, description="Its share of the requests, beside the other backends' weights.")


class Shadow(Section):
    """A model that gets copies of requests; its answers are compared and dropped."""

    percent: Percent = Field(description="How many of the requests are copied.")


class Fallback(Section):
    """A model that is asked when no backend could answer."""

    order: Count = Field(default=0, description="Lowest first; equal ones by name.")


class Sticky(Section):
    """What keeps a client at one backend."""

    by: Literal["header", "user", "key"] = Field(
        description="A header's value, the `user` of the request's body, or the API key's name."
    )
    header: str = Field(default="", description="The header's name, for by: header.")

    @model_validator(mode="after")
    def _has_header(self) -> "Sticky":
        if (self.by == "header") != bool(self.header):
            raise ValueError("needs header with by: header, and only then, name the header or remove it")
        return self


Backends = dict[Name, Backend]


def _asks_somebody(backends: Backends) -> Backends:
    if not any(backend.weight for backend in backends.values()):
        raise ValueError("has no backend with a weight above 0, so that nobody would answer, give one a weight")
    return backends


class Match(Section):
    """Requests that go to other backends than the route's: those that meet all conditions."""

    order: Count = Field(default=0, description="Lowest is tried first; equal ones by name.")
    headers: dict[Name, str] = Field(default_factory=dict, description="Header -> the value that it must have.")
    teams: list[Name] = Field(default_factory=list, description="Teams, one of which the key must belong to.")
    backends: Backends = Field(description="Model id -> how it takes part.")

    _check = field_validator("backends")(_asks_somebody)

    @model_validator(mode="after")
    def _has_a_condition(self) -> "Match":
        if not self.headers and not self.teams:
            raise ValueError("has no condition, add headers or teams, or use the route's own backends")
        return self


class Route(Section):
    """A name that clients may use beside the models' own."""

    backends: Backends = Field(description="Model id -> how it takes part.")
    sticky: Sticky | None = None
    matches: dict[Name, Match] = Field(default_factory=dict, description="Other backends for some requests.")
    shadow: dict[Name, Shadow] = Field(default_factory=dict, description="Model id -> how many copies it gets.")
    fallback: dict[Name, Fallback] = Field(default_factory=dict, description="Model id -> when it is asked.")
    answer_model: Literal["backend", "route"] = Field(
        default="backend", description="The `model` of answers: the backend that answered, or the route's name."
    )

    _check = field_validator("backends")(_asks_somebody)

    def model_ids(self) -> dict[str, str]:
        """Where each model is named: key path below the route -> model id."""
        named = {f"backends.{model}": model for model in self.backends}
        for name, match in self.matches.items():
            named |= {f"matches.{name}.backends.{model}": model for model in match.backends}
        named |= {f"shadow.{model}": model for model in self.shadow}
        return named | {f"fallback.{model}": model for model in self.fallback}
