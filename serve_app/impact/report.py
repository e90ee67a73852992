"""The verdict as text: a table for people, JSON, Markdown for a pull request."""

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict

from serve_app.impact.allow import Allowed
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.verdict import Verdict

_WIDTH = 120
_SHOWN = 3
"""Changed paths that a table shows of one finding."""


def table(verdict: Verdict, allowed: Allowed) -> str:
    """A table whose lines fit a terminal."""
    rows = [each for each in verdict.findings if each.effect is not Effect.UNTOUCHED and each.why]
    effects = max((len(each.effect.word) for each in rows), default=0)
    subjects = max((len(each.subject) for each in rows), default=0)
    lines = []
    for each in rows:
        start = f"{each.effect.word:<{effects}}  {each.subject:<{subjects}}  "
        wrapped = [part for text in _said(each) for part in textwrap.wrap(text, max(_WIDTH - len(start), 40))]
        lines += [(start if number == 0 else " " * len(start)) + part for number, part in enumerate(wrapped)]
    return "\n".join([*lines, *_closing(verdict, allowed)])


def markdown(verdict: Verdict, allowed: Allowed) -> str:
    """A comment of a pull request; its first line is the same each time, so that it can be found again."""
    rows = [each for each in verdict.findings if each.effect is not Effect.UNTOUCHED and each.why]
    lines = ["<!-- ray-vllm-stack impact -->", f"### What this edit does: {verdict.worst.word}", ""]
    if rows:
        lines += ["| effect | what | why |", "| --- | --- | --- |"]
    for each in rows:
        text = "<br>".join(_said(each)).replace("|", "\\|")
        mark = "" if allowed.permits(each) else "**"
        lines.append(f"| {mark}{each.effect.word}{mark} | {each.subject} | {text} |")
    return "\n".join([*lines, "", *_closing(verdict, allowed)])


def as_json(verdict: Verdict, allowed: Allowed) -> str:
    """All findings, the untouched ones as well, for a program."""
    findings = [
        {**asdict(each), "effect": each.effect.word, "allowed": allowed.permits(each)} for each in verdict.findings
    ]
    whole = {"verdict": verdict.worst.word, "digest": verdict.digest, "findings": findings}
    return json.dumps(whole, indent=2)


FORMS: dict[str, Callable[[Verdict, Allowed], str]] = {"table": table, "markdown": markdown, "json": as_json}


def _said(each: Finding) -> Sequence[str]:
    paths = ", ".join(each.changed[:_SHOWN]) + (
        f" and {len(each.changed) - _SHOWN} more" if each.changed[_SHOWN:] else ""
    )
    lines = [each.why, f"values: {', '.join(each.causes)}" if each.causes else "", f"changed: {paths}" if paths else ""]
    return [line for line in (*lines, f"instead: {each.instead}" if each.instead else "") if line]


def _closing(verdict: Verdict, allowed: Allowed) -> list[str]:
    counts = Counter(each.effect for each in verdict.findings)
    counted = ", ".join(f"{counts[effect]} {effect.word}" for effect in sorted(counts, reverse=True))
    beyond = verdict.beyond(allowed)
    worst = max((each.effect for each in beyond), default=None)
    said = f"beyond what is allowed: {worst.word}" if worst else "all of it is allowed"
    return [f"{counted or 'nothing to compare'}; {said}; digest {verdict.digest}"]
