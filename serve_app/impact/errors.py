"""Why there is no verdict."""


class ImpactError(Exception):
    """What is missing or wrong, in one sentence with the remedy."""
