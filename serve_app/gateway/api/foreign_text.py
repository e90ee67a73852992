"""What can be read of an error's body that is not whole JSON."""

import html
import json
import re

_LONGEST_CUT = 64 * 1024
"""Bytes of JSON in which the message is looked for."""
_LONGEST_PAGE = 8 * 1024
"""Bytes of text that are read."""

_MESSAGE = re.compile(rb'"(?:message|detail)"\s*:\s*"((?:[^"\\]+|\\.)*)', re.DOTALL)


def cut_message(body: bytes) -> str:
    """The beginning of the message of a JSON body that was cut."""
    found = _MESSAGE.search(body[:_LONGEST_CUT])
    if found is None:
        return ""
    text = found[1].decode("utf-8", "ignore")
    for end in (len(text), text.rfind("\\")):  # an escape may be cut
        try:
            message: str = json.loads(f'"{text[:end]}"', strict=False)
        except ValueError:
            continue
        return message.encode("utf-8", "ignore").decode()
    return ""


def page_text(body: bytes) -> str:
    """Readable text of a plain or HTML body: no markup, one line."""
    text = body[:_LONGEST_PAGE].decode("utf-8", "replace")
    if "<html" in text[:500].lower() or "<!doctype" in text[:500].lower():
        text = re.sub(r"(?is)<(script|style|title)\b.*?(?:</\1>|\Z)", " ", text)
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return " ".join(text.split())
