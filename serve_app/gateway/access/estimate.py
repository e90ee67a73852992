"""What a request may take, estimated before a model has seen it, so that it can be reserved."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.exchange.usage import Usage, cost_in_millionths
from serve_app.gateway.http.body import Body

BYTES_PER_TOKEN = 4
"""Of a JSON body, as far as it is text."""
TOKENS_PER_FILE = 1000
"""For a picture or a sound inside a JSON body, whatever its size."""
_FILE = b";base64,"
_MOST_FILES = 1000
_MOST_ANSWERS = 128
"""`n` of OpenAI's API."""


class Estimate(NamedTuple):
    """What a request may take."""

    prompt: int = 0
    """Prompt tokens."""
    output: int = 0
    """Tokens of the answer, of all `n` together."""
    cost: int = 0
    """In millionths of the currency's unit."""

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.prompt + self.output


NOTHING = Estimate()
_MAXIMA = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def estimate(
    api: Api, body: Body, targets: Sequence[Target], default_output_tokens: int, price_factor: float = 1
) -> Estimate:
    """What a request may take.

    The prompt is a token for every 4 bytes of the body, without the files in it, which are 1,000 tokens each. The
    answer is what the body allows (`max_completion_tokens`, `max_output_tokens` or `max_tokens`), or the default, times
    `n`. Prompt and each answer fit in the largest context of the models. The cost is that of the dearest model.

    A form's sound has no tokens that could be told from its bytes. A response in the background is charged when it is
    retrieved.

    Args:
        api: The API that is asked.
        body: The request's body.
        targets: The models that may answer.
        default_output_tokens: What a request is taken to want that sets no maximum.
        price_factor: What its caller pays of a price.
    """
    envelope = body.envelope
    if not api.takes_tokens or envelope.value("background") is True:
        return NOTHING
    prompt = _prompt_tokens(body.raw) if api.body == "json" else 0
    output, answers = 0, 1
    if api.streams:
        allowed = [number for name in _MAXIMA if (number := _number(envelope.value(name)))]
        output = allowed[0] if allowed else default_output_tokens
        answers = min(_number(envelope.value("n")) or 1, _MOST_ANSWERS)
    context = _largest_context(targets)
    if context:
        prompt = min(prompt, context)
        output = min(output, context - prompt)
    output *= answers
    usage = Usage(prompt, 0, output)
    costs = [cost_in_millionths(usage, target.entry.price) for target in targets if target.entry.price]
    return Estimate(prompt, output, math.ceil(max(costs, default=0) * price_factor))


def _number(value: object) -> int:
    """A count that a client sent, at most a billion; 0 for anything else."""
    return min(value, 10**9) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _prompt_tokens(raw: bytes | bytearray) -> int:
    size, files = len(raw), 0
    start = raw.find(_FILE)
    while start >= 0 and files < _MOST_FILES:
        end = raw.find(b'"', start)
        if end < 0:
            break
        size -= end - start
        files += 1
        start = raw.find(_FILE, end)
    return -(-size // BYTES_PER_TOKEN) + files * TOKENS_PER_FILE


def _largest_context(targets: Sequence[Target]) -> int:
    """Tokens that any of the models takes at most; 0 if that is not known of one."""
    largest = 0
    for target in targets:
        context = target.entry.context_length
        if context is None:
            return 0
        largest = max(largest, context)
    return largest
