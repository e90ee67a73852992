"""Fixtures of the tests of keys."""

from .cluster import cluster

__all__ = ["cluster"]
