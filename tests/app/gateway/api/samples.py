"""What vLLM 0.29 answers to requests that it refuses; `samples/README.md` says to which."""

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.api.table import shape_of

FOLDER = Path(__file__).parent / "samples"


class Sample(NamedTuple):
    """An error, as it came."""

    name: str
    path: str
    status: int
    body: str

    @property
    def shape(self) -> Shape:
        """What the clients of the API expect."""
        return shape_of(self.path.partition("?")[0], {})

    @property
    def message(self) -> str:
        """The server's own words."""
        message: str = json.loads(self.body)["error"]["message"]
        return message


SAMPLES = {
    sample.name: sample
    for sample in (Sample(**json.loads(line)) for line in (FOLDER / "errors.jsonl").read_text().splitlines())
}


def long_list(name: str) -> bytes:
    """A list of hundreds of validation errors."""
    return gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes())


def fields(body: bytes) -> dict[str, Any]:
    """The error object of a body."""
    error: dict[str, Any] = json.loads(body)["error"]
    return error
