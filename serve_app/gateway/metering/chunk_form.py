"""What all ordinary chunks of one vLLM stream have in common, so that their usage is cut off without parsing them."""

import re
from typing import NamedTuple

_USAGE = b',"usage":{'
_UNFINISHED = b'"finish_reason":null'
_CHOICES = b'"choices":[{"index":0,'
_REPORTED = re.compile(
    rb',"usage":\{"prompt_tokens":\d+,"total_tokens":(?P<total>)\d+,"completion_tokens":\d+'
    rb'(?P<end>(?:,"[a-z_]+":(?:null|\{"[a-z_]+":\d+\}))?\}\}\n\n)'
)
_DIGITS = re.compile(rb"\d")


class ChunkForm(NamedTuple):
    """The form of chunks of the first choice that go on: text that differs, then what is the same in all of them.

    data: {"id":…,"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}],"usage":{"prompt_tokens":6,
    ^ beginning                                                    ^ mark … "total_tokens":7,"completion_tokens":1}}
                                                                                           ^                      ^ end
    """

    beginning: bytes
    """Up to the index of the choice."""
    mark: bytes
    """From `finish_reason` to the number of tokens in all."""
    bracket: int
    """Where the choices end, in the mark."""
    end: bytes
    """The end of the event."""

    @classmethod
    def of(cls, event: bytes) -> "ChunkForm | None":
        """The form of an event; None if it is of another one."""
        start = event.find(_CHOICES)
        usage = event.rfind(_USAGE)
        unfinished = event.rfind(_UNFINISHED, 0, max(usage, 0))
        if min(start, unfinished) < 0 or event[usage - 1 : usage] != b"]":
            return None
        reported = _REPORTED.fullmatch(event, usage)
        if reported is None:
            return None
        end = reported["end"]
        return cls(
            event[: start + len(_CHOICES)],
            event[unfinished : reported.start("total")],
            usage - 1 - unfinished,
            b"}}}\n\n" if _DIGITS.search(end) else end,  # tokens of reasoning become more
        )
