"""Answers other than success, as OpenAI's clients read them."""

from http import HTTPStatus
from typing import Any

AWAY_SECONDS = 5
"""When a client may ask again for what is away."""


class ApiError(Exception):
    """What a client is told in place of an answer."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, retry_after: str = ""
    ) -> None:
        """Says what is wrong.

        Args:
            status: The HTTP status.
            message: What is wrong and what to do, in one sentence.
            code: For programs.
            param: The field of the request that is wrong.
            retry_after: Seconds until it may be tried again, as in the header; empty for none.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """OpenAI's error object."""
        kind = "invalid_request_error" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            kind = "rate_limit_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def __reduce__(self) -> tuple[Any, ...]:
        """Between the processes of a pipeline; the constructor's keywords would be lost."""
        return _again, (self.status, self.message, self.code, self.param, self.retry_after)


def _again(status: int, message: str, code: str | None, param: str | None, retry_after: str) -> ApiError:
    return ApiError(status, message, code=code, param=param, retry_after=retry_after)


def invalid(message: str, param: str) -> ApiError:
    """A request that cannot be answered as it is."""
    return ApiError(HTTPStatus.BAD_REQUEST, message, code="invalid_value", param=param)


def away(message: str, code: str) -> ApiError:
    """A part that does not answer now."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code=code, retry_after=str(AWAY_SECONDS))
