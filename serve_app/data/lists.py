"""Lists as OpenAI has them."""

from typing import Any


def listed(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of a list.

    Args:
        items: Those of the page, and one more where there is another page.
        limit: Items of a page.
    """
    shown = items[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(items) > limit,
    }
