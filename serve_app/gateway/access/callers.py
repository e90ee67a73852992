"""Callers as keys and teams make them."""

import logging
from collections.abc import Mapping

from serve_app.gateway.access.keys import TOKENS_NAME
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Key, Team

logger = logging.getLogger(__name__)


def of_key(name: str, key: Key, teams: Mapping[str, Team]) -> Caller:
    """The holder of an API key.

    Args:
        name: The key's.
        key: Its entry.
        teams: Those in force.
    """
    expires_at = key.expires.timestamp() if key.expires else None
    team = teams.get(key.team)
    if team is None:
        if key.team:
            logger.warning(
                "API key %s names the team %s, which is not configured: it has its own limits only, add it to teams",
                name,
                key.team,
            )
        policies: tuple[tuple[str, Key | Team], ...] = ((f"key/{name}", key),)
        return Caller(key=name, policies=policies, priority=key.priority or "normal", expires_at=expires_at)
    return Caller(
        key=name,
        team=key.team,
        policies=((f"key/{name}", key), (f"team/{key.team}", team)),
        priority=key.priority or team.priority or "normal",
        expires_at=expires_at,
    )


def of_team(name: str, teams: Mapping[str, Team], *, key: str = TOKENS_NAME, subject: str = "") -> Caller:
    """Who comes without a key of its own: with a token, or as the stack itself.

    Args:
        name: The team's, which is in force; empty for none.
        teams: Those in force.
        key: What stands in the place of a key's name.
        subject: The name in a token.
    """
    if not name:
        return Caller(key=key, subject=subject)
    team = teams[name]
    return Caller(key, name, subject, ((f"team/{name}", team),), team.priority or "normal")
