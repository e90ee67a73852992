"""What the helm on the PATH (or that runs us as its plugin) renders and keeps."""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serve_app.impact.errors import ImpactError

_SECONDS = 300
_STOPPED = re.compile(r"pre-(install|upgrade|rollback) hooks failed")
"""In helm's description of a revision of which nothing was applied."""


@dataclass(frozen=True)
class Release:
    """A release's name, its manifests, and the values that its user gave."""

    name: str
    manifest: str
    values: dict[str, Any]


def template(chart: str, arguments: Sequence[str]) -> Release:
    """What a chart renders for values, without a cluster."""
    return Release("release", _helm("template", "release", chart, *arguments), {})


def live(name: str, place: Sequence[str], revision: int | None = None) -> Release:
    """A release as helm keeps it; an empty one where there is none.

    Args:
        name: Of the release.
        place: Flags that say where it is, such as `--namespace`.
        revision: One of its revisions; the last that was applied if None.
    """
    if revision is None and (revision := _applied(name, place)) is None:
        return Release(name, "", {})
    at = [f"--revision={revision}", *place]
    values = json.loads(_helm("get", "values", name, "--output=json", *at)) or {}
    return Release(name, _helm("get", "manifest", name, *at), values)


def _applied(name: str, place: Sequence[str]) -> int | None:
    """The last revision that reached the cluster, be it in part; None where there is no release.

    One that a hook stopped before it began, such as the guard, is in helm's history all the same.
    """
    try:
        history: list[dict[str, Any]] = json.loads(_helm("history", name, "--output=json", *place))
    except ImpactError as error:
        if "release: not found" in str(error):
            return None
        raise
    applied = [each["revision"] for each in history if not _STOPPED.search(each.get("description", ""))]
    return max(applied, default=None)


def upgraded(arguments: Sequence[str]) -> Release:
    """What `helm upgrade` would apply with these arguments; nothing is changed.

    Raises:
        ImpactError: helm refuses them, or prints no release.
    """
    text = _helm("upgrade", *arguments, "--dry-run=server", "--output=json")
    try:
        release = json.loads(text[text.index("{") :])
        return Release(release["name"], release["manifest"], release.get("config") or {})
    except (ValueError, KeyError) as error:
        raise ImpactError("helm upgrade --dry-run printed no release, update helm to 3.13 or later") from error


def _helm(*arguments: str) -> str:
    command = [os.environ.get("HELM_BIN") or "helm", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise ImpactError(f"{command[0]} is not on the PATH, install it, or compare rendered manifests") from error
    except subprocess.TimeoutExpired as error:
        raise ImpactError(
            f"helm {arguments[0]} took more than {_SECONDS} s, see whether the cluster answers"
        ) from error
    if done.returncode:
        why = done.stderr.strip() or f"status {done.returncode}"
        raise ImpactError(f"helm {arguments[0]} failed, correct what it says: {why}")
    return done.stdout
