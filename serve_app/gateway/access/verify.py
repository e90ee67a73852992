"""Verifies a token: signed by its issuer, for this gateway, and not expired."""

from typing import Any

import jwt

from serve_app.gateway.access.issuer import ALGORITHMS, Issuer
from serve_app.gateway.access.metrics import TokenResult

LEEWAY_SECONDS = 30
"""How far the issuer's clock may differ."""


class TokenError(Exception):
    """A token that is refused; the message says why in one sentence, and holds nothing of the token."""

    def __init__(self, result: TokenResult, message: str) -> None:
        super().__init__(message)
        self.result = result


async def claims_of(text: bytes, issuer: Issuer) -> dict[str, Any]:
    """The claims of a valid token.

    Args:
        text: The token.
        issuer: Who has to have signed it.

    Raises:
        TokenError: It is refused.
        IssuerError: No keys of the issuer could be fetched so far.
    """
    settings = issuer.settings
    try:
        # Read before it is verified, but only to refuse it: foreign tokens must cause no requests to the issuer.
        token = jwt.decode_complete(text, options={"verify_signature": False})
        header, unverified = token["header"], token["payload"]
        if unverified.get("iss") != settings.issuer:
            raise TokenError(TokenResult.ISSUER, f"The token is not from the issuer {settings.issuer}.")
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            accepted = ", ".join(sorted(ALGORITHMS))
            raise TokenError(TokenResult.ALGORITHM, f"The token's signature is of another kind than {accepted}.")
        key = await issuer.key(header.get("kid"), algorithm)
        if key is None:
            message = "The token is signed with a key that its issuer does not have (any more), get a new token."
            raise TokenError(TokenResult.UNKNOWN_KEY, message)
        # The algorithm is the key's own: the token did no more than choose among the issuer's keys.
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=[key.algorithm_name],
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise _token_error(error, settings.audience) from error
    return claims


def _token_error(error: jwt.PyJWTError, audience: str) -> TokenError:
    match error:
        case jwt.ExpiredSignatureError():
            return TokenError(TokenResult.EXPIRED, "The token has expired, get a new one.")
        case jwt.ImmatureSignatureError():
            return TokenError(TokenResult.NOT_YET, "The token is not valid yet; its issuer's clock may be ahead.")
        case jwt.InvalidAudienceError():
            return TokenError(TokenResult.AUDIENCE, f"The token is not for the audience {audience}.")
        case jwt.InvalidSignatureError():
            return TokenError(TokenResult.SIGNATURE, "The token's signature is wrong.")
        case jwt.MissingRequiredClaimError():
            return TokenError(TokenResult.MALFORMED, f"The token lacks the claim {error.claim}.")
        case _:
            return TokenError(TokenResult.MALFORMED, "The token is not a valid JSON web token.")
