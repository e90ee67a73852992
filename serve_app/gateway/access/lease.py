"""A running request, as stores know it."""

from serve_app.gateway.access.rules import Rules


class Lease:
    """What a running request holds until it is settled. Stores change it; everybody else reads."""

    __slots__ = ("confirmed", "cost", "id", "rules", "sent", "tokens")

    def __init__(self, rules: Rules, tokens: int = 0, cost: int = 0) -> None:
        """A request that wants to be let in.

        Args:
            rules: What limits it.
            tokens: Tokens that it reserves.
            cost: Money that it reserves, in `MICRO`.
        """
        self.rules = rules
        self.tokens = tokens
        self.cost = cost
        self.id = ""
        """Its name in Redis; empty where there is none."""
        self.sent = False
        """Whether Redis may know it."""
        self.confirmed = False
        """Whether Redis does."""
