"""The campaign: what takes too long for every run of `make test`, on the same release as the cluster tests."""

from tests.cluster.conftest import before_install, pairs, prepared, pytest_terminal_summary, serve, stack

__all__ = ["before_install", "pairs", "prepared", "pytest_terminal_summary", "serve", "stack"]
