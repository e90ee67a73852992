"""What a request is charged in the end."""

import math
from http import HTTPStatus

from serve_app.gateway.access.estimate import Estimate
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.usage import Usage, cost_in_millionths

_NOTHING = Usage(0, 0, 0)


def charge(record: RequestRecord, estimate: Estimate) -> tuple[int, int]:
    """What a request took: what the model reported, or where it did not report all, what is known of it otherwise.

    An answer that its client left, that broke, or whose model reports nothing, is charged for its prompt (the
    estimate's, if the model has not said) and for a token for every piece that was sent, unless more were reported. So
    hanging up is no way around a limit. A request that no model worked on is charged nothing.

    Args:
        record: The request, at its end.
        estimate: What was estimated in the beginning.

    Returns:
        The tokens, prompt and answer together; the cost in millionths of the currency's unit.
    """
    usage = record.usage
    if usage is None or usage.partial:
        usage = _at_least(record, usage, estimate)
    price = record.target.entry.price if record.target else None
    factor = record.caller.price_factor
    return usage.total, math.ceil(cost_in_millionths(usage, price) * factor) if price else 0


def _at_least(record: RequestRecord, reported: Usage | None, estimate: Estimate) -> Usage:
    failed = record.status >= HTTPStatus.BAD_REQUEST
    if not record.asked or failed or record.api is None or not record.api.takes_tokens:
        return reported or _NOTHING
    if reported is None:
        return Usage(estimate.prompt, 0, record.pieces_sent)
    completion = max(reported.completion, record.pieces_sent)
    if not reported.prompt + reported.cached:
        return Usage(estimate.prompt, 0, completion)
    return Usage(reported.prompt, reported.cached, completion)
