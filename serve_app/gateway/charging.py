"""What a request counts for in its caller's limits: an estimate before it is answered, and what it took in the end."""

from http import HTTPStatus

from serve_app.gateway.access.charge import NOTHING, Charge
from serve_app.gateway.api.table import GENERATE, Api
from serve_app.gateway.exchange.plan import Plan
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.usage import Usage, cost
from serve_app.gateway.http.body import Body
from serve_app.settings.gateway import Metering

BYTES_PER_TOKEN = 4
"""Of a body, JSON included: English text has four to five, other text fewer (https://platform.openai.com/tokenizer)."""
_MAXIMA = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def estimate(body: Body, api: Api, plan: Plan, metering: Metering) -> Charge:
    """What a request may take, reserved while it is answered.

    The prompt is a quarter of the body's bytes; the answer is the maximum that the request sets, or
    `metering.defaultOutputTokens`, times `n`. A model's context bounds both, and the dearest model of the plan prices
    them.
    """
    prompt = len(body.raw) // BYTES_PER_TOKEN if api.body == "json" else 0
    answer = _answer(body, metering) if api.tasks == GENERATE and api.streams else 0
    contexts = [target.entry.context_length for target in plan.targets]
    longest = max((length for length in contexts if length), default=0)
    if longest and all(contexts):
        prompt = min(prompt, longest)
        answer = min(answer, longest * _count(body.envelope.value("n")))
    usage = Usage(prompt, 0, answer)
    prices = [target.entry.price for target in plan.targets]
    return Charge.of(usage.total, max((cost(usage, price) for price in prices if price), default=0.0))


def charged(record: RequestRecord, reserved: Charge) -> Charge:
    """What a request took: what the model reported.

    A stream that its client left, or that broke, counts with the usage of its last chunk, and at least with the pieces
    that were sent. Where nothing was reported of a request that a model worked on, the estimate counts: leaving before
    the end is no way around a limit.
    """
    usage = record.usage
    if record.complete and record.status < HTTPStatus.BAD_REQUEST:
        return Charge.of(usage.total, record.cost) if usage else NOTHING
    if record.complete or not record.asked:
        return NOTHING
    if usage is None:
        return reserved
    sent = Usage(usage.prompt, usage.cached, max(usage.completion, record.pieces_sent if record.stream else 0))
    price = record.target.entry.price if record.target else None
    return Charge.of(sent.total, cost(sent, price) if price else None)


def _answer(body: Body, metering: Metering) -> int:
    given = [value for name in _MAXIMA if (value := _number(body.envelope.value(name)))]
    return (given[0] if given else metering.default_output_tokens) * _count(body.envelope.value("n"))


def _count(n: object) -> int:
    return min(_number(n) or 1, 128)


def _number(value: object) -> int:
    return min(value, 10**9) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
