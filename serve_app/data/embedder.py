"""Embeddings, asked of the gateway on behalf of who wants them, so that they are metered and limited as theirs."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import httpx

from serve_app.data.caller import ENDED, Caller
from serve_app.data.errors import ApiError

_RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNAUTHORIZED)
"""Beside the server's: what may be otherwise in a minute. A token is unknown while the gateway gets a new one."""


_CUT = {"truncate_prompt_tokens": -1}
"""vLLM's field for it. It is sent only after a refusal, as models of other providers do not know it."""


class EmbedError(Exception):
    """No embeddings."""

    def __init__(self, message: str, status: int, *, again: bool, ended: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.again = again
        """Whether to ask again later."""
        self.ended = ended
        """Whether the caller's key is not accepted, or not yet."""

    def told(self) -> ApiError:
        """The same as an answer."""
        status = HTTPStatus.SERVICE_UNAVAILABLE if self.status == HTTPStatus.UNAUTHORIZED else self.status
        return ApiError(status, f"The query could not be embedded: {self}", code="embedding_failed")


class Embedder:
    """Asks the gateway."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        """Takes a client whose base URL is the gateway's.

        Args:
            client: The HTTP client.
            token: With which the gateway believes on whose behalf it is asked.
        """
        self._client = client
        self._token = token

    async def __call__(
        self, model: str, texts: Sequence[str], caller: Caller, *, background: bool
    ) -> list[list[float]]:
        """One vector for each text, of its beginning where the model's context does not hold it all.

        Args:
            model: A model or route that embeds.
            texts: The texts.
            caller: On whose behalf.
            background: Whether those who wait go first.

        Raises:
            EmbedError: There are none.
        """
        headers = {"authorization": f"Bearer {self._token}", **caller.headers}
        if background:
            headers["x-gateway-work"] = "ingest"
        asked = {"model": model, "input": list(texts), "encoding_format": "float"}
        answer = await self._asked(asked, headers)
        if _too_long(answer):
            answer = await self._asked(asked | _CUT, headers)
        if answer.status_code != HTTPStatus.OK:
            again = answer.is_server_error or answer.status_code in _RETRIED
            ended = answer.status_code == HTTPStatus.FORBIDDEN and _error(answer).get("code") in ENDED
            raise EmbedError(_message(answer), answer.status_code, again=again, ended=ended)
        return _vectors(answer, len(texts))

    async def _asked(self, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        try:
            return await self._client.post("/v1/embeddings", json=body, headers=headers)
        except httpx.HTTPError as error:
            message = f"the gateway cannot be reached ({type(error).__name__})"
            raise EmbedError(message, HTTPStatus.SERVICE_UNAVAILABLE, again=True) from error


def _too_long(answer: httpx.Response) -> bool:
    return answer.status_code == HTTPStatus.BAD_REQUEST and _error(answer).get("code") == "context_length_exceeded"


def _vectors(answer: httpx.Response, wanted: int) -> list[list[float]]:
    try:
        data: list[dict[str, Any]] = sorted(answer.json()["data"], key=lambda each: int(each["index"]))
        vectors = [[float(value) for value in each["embedding"]] for each in data]
    except (KeyError, TypeError, ValueError) as error:
        raise EmbedError("the model's answer is no list of embeddings", HTTPStatus.BAD_GATEWAY, again=False) from error
    if len(vectors) != wanted or not all(vectors):
        message = f"the model answered {len(vectors)} embeddings for {wanted} texts"
        raise EmbedError(message, HTTPStatus.BAD_GATEWAY, again=False)
    return vectors


def _error(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json()["error"])
    except (KeyError, TypeError, ValueError):
        return {}


def _message(answer: httpx.Response) -> str:
    return str(_error(answer).get("message", f"the gateway answered {answer.status_code}"))[:1000]
