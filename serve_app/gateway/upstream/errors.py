"""How a connection to a model fails."""


class LostError(Exception):
    """The connection ended before the answer did."""


class NotHttpError(LostError):
    """What came is no HTTP."""


class SilentError(Exception):
    """Nothing came for too long."""
