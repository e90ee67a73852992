"""`models` of the gateway's configuration: what there is, and where."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from serve_app.settings.gateway.section import Count, Name, PositiveCount, Section

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
_OWN_HEADERS = frozenset(
    (
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    )
)
"""Those that the gateway writes, and those of one connection (RFC 9110, section 7.6.1)."""
_APIS_OF_TASKS: Mapping[Task, frozenset[ApiName]] = {
    "generate": frozenset(
        (
            "chat_completions",
            "completions",
            "responses",
            "messages",
            "count_tokens",
            "tokenize",
            "detokenize",
        )
    ),
    "embed": frozenset(("embeddings", "embed", "rerank", "score", "pooling", "tokenize", "detokenize")),
    "score": frozenset(("rerank", "score", "classify", "pooling", "tokenize", "detokenize")),
    "transcribe": frozenset(("transcriptions", "translations", "tokenize", "detokenize")),
}
_PLAIN = re.compile(r"[\x21-\x7e]+")
_ENDPOINT = re.compile(r".*?/(chat/completions|completions|responses|messages|embeddings|rerank)")


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
    apis: Annotated[list[ApiName], Field(min_length=1)] | None = Field(
        default=None, description="APIs that it has; all those of its task if not set."
    )
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
            return ""
        try:
            parts = urlsplit(url)
            known = parts.port != 0 and parts.scheme in {"http", "https"} and parts.hostname
        except ValueError:  # a port beyond 65535, half an IPv6 address
            known = None
        if not known or "@" in parts.netloc or parts.query or parts.fragment or not _PLAIN.fullmatch(url):
            raise ValueError(f"is {_without_user(url)!r}, write it as http://HOST:PORT/PATH")
        return url.rstrip("/")

    @field_validator("base_url")
    @classmethod
    def _is_no_endpoint(cls, url: str) -> str:
        if endpoint := _ENDPOINT.fullmatch(url):
            raise ValueError(f"ends with /{endpoint[1]}, which the gateway adds itself, leave that part out")
        return url

    @field_validator("headers")
    @classmethod
    def _are_not_ours(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"has {name!r}, which the gateway sets itself, leave it out")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("has a name twice, apart from upper and lower case, leave one out")
        return headers

    @field_validator("api_key_header")
    @classmethod
    def _may_carry_a_key(cls, name: str) -> str:
        if name.lower() in _OWN_HEADERS - {"authorization"}:
            raise ValueError(f"is {name!r}, which the gateway sets itself, use the header that the provider documents")
        return name

    @field_validator("fields")
    @classmethod
    def _keep_the_stream(cls, fields: dict[str, str]) -> dict[str, str]:
        if "stream" in fields:
            raise ValueError("has 'stream', which decides how the answer is read, leave it out")
        return fields

    @model_validator(mode="after")
    def _fits_together(self) -> "Model":
        if bool(self.url) == bool(self.base_url):
            raise ValueError("needs one of url and baseUrl, set one and leave out the other")
        if self.api_key_file and self.api_key_header.lower() in {name.lower() for name in self.headers}:
            raise ValueError(f"has the header {self.api_key_header!r} twice, leave it out of headers")
        known = _APIS_OF_TASKS[self.task]
        if unfit := [api for api in self.apis or () if api not in known]:
            use = ", ".join(sorted(known))
            raise ValueError(f"has the API {unfit[0]!r} in apis, but task is {self.task!r}, use some of: {use}")
        return self


def _without_user(url: str) -> str:
    """A URL without what may be a password."""
    scheme, mark, rest = url.rpartition("@")
    return f"{scheme.partition('//')[0]}//...{mark}{rest}" if mark else url
