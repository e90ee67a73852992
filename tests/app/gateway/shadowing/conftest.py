"""Fixtures of the routing tests."""

from .shadowed import start

__all__ = ["start"]
