"""Who sends a request, and what that allows."""

from dataclasses import dataclass, field

from serve_app.settings.gateway import Policy, Priority


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of an API key or of an identity provider's token."""

    key: str = ""
    """The key's name; `oidc` for all tokens, so that metrics' labels stay bounded; empty where nobody is asked."""
    team: str = ""
    """One of the configuration's teams; empty for none."""
    subject: str = ""
    """The name in a token; for logs only."""
    policies: tuple[tuple[str, Policy], ...] = field(default=())
    """What limits it, all of it: scope (`key/NAME`, `team/NAME`, `subject/NAME`) -> policy."""
    priority: Priority = "normal"
    expires_at: float | None = None
    """When its key ends, in seconds since 1970; None for never."""
    key_id: str = ""
    """Refers to the text of the key, for work that goes on by itself; see `access.on_behalf`."""
    work: str = ""
    """`batch` or `ingest`, where nobody waits for the answer."""
    price_factor: float = 1.0
    """What it pays of a model's price."""

    def may_use(self, name: str) -> bool:
        """Whether all of its policies allow a model's or route's name."""
        return all(policy.models is None or name in policy.models for _, policy in self.policies)


ANYBODY = Caller()
"""The caller where no keys are asked for."""
