"""What the gateway lets clients send, how it waits for models, and what it does when one fails."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from serve_app.settings.gateway.section import Count, PositiveCount, Seconds, Section

_ORIGIN = re.compile(r"\*|https?://[^\s/?#]+")


class Limits(Section):
    """What a client may send, and how long it may take."""

    max_body_bytes: PositiveCount = Field(default=10 * 1024 * 1024, description="Largest JSON body in bytes.")
    max_form_bytes: PositiveCount = Field(
        default=26 * 1024 * 1024, description="Largest form in bytes: OpenAI's 25 MiB of audio, and its fields."
    )
    max_buffered_bytes: PositiveCount = Field(
        default=64 * 1024 * 1024,
        description="Bytes of request bodies that one gateway process holds at a time; the next request gets a 503.",
    )
    body_seconds: Seconds = Field(default=60, description="How long a client may take to send its body.")
    write_seconds: Seconds = Field(default=60, description="How long a client may not read before its request ends.")


class Cors(Section):
    """Web pages that may call the gateway from a browser."""

    origins: list[Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=list, description="Their origins, such as https://ui.example.com; * for all."
    )
    max_age_seconds: Count = Field(default=600, description="How long a browser may remember the answer.")

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"has {origin!r}, write it as https://HOST or https://HOST:PORT, without a path")
        return origins


class Timeouts(Section):
    """How long the gateway waits for a model, in seconds."""

    connect_seconds: Seconds = Field(default=5, description="One attempt's name look-up and connection.")
    first_byte_seconds: Seconds = Field(default=600, description="From the request to the answer's first byte, in all.")
    idle_seconds: Seconds = Field(default=600, description="Between two bytes of an answer.")


class Retry(Section):
    """What happens while a model cannot be reached, before the first byte of an answer."""

    window_seconds: float = Field(
        default=60, ge=0, le=86400, description="How long after the first failed attempt new ones are made; 0 for none."
    )
    before_fallback_seconds: float = Field(
        default=2, ge=0, le=86400, description="The same where a fallback is there to be asked in its place."
    )
    max_lost: Count = Field(
        default=3, description="How often to resend a request whose replica died serving it; it may be the cause."
    )
    fallback_on_server_errors: bool = Field(
        default=False, description="Whether a 500 or 502 of a backend leads to the fallback too."
    )


class Breaker(Section):
    """When a backend that keeps failing is skipped, where a fallback can be asked in its place."""

    failures: Count = Field(default=3, description="Failures in a row after which it is skipped; 0 for never.")
    open_seconds: Seconds = Field(default=10, description="How long, until one request tries it again.")


class Queue(Section):
    """Requests that wait for their turn, per model and gateway replica."""

    max_requests: Count = Field(default=256, description="How many may wait; the next is refused.")
    max_seconds: Seconds = Field(default=60, description="How long one may wait.")
    background_percent: float = Field(
        default=10,
        gt=0,
        le=100,
        description="Share of a model's slots, at least one, that batches and documents have while others ask it.",
    )


class KeepAlive(Section):
    """What a streaming client gets while it waits for the first byte: the headers, and comments that keep it alive."""

    after_seconds: Seconds = Field(default=15, description="When the headers are sent, if there is no answer yet.")
    every_seconds: Seconds = Field(default=15, description="Between two comments.")
