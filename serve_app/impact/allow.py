"""What may happen: `rolls`, or `new-cluster:main`."""

from collections.abc import Iterable
from dataclasses import dataclass

from serve_app.impact.effects import Effect, Finding
from serve_app.impact.errors import ImpactError

_WORDS = {effect.word: effect for effect in Effect}


@dataclass(frozen=True)
class Allowed:
    """The worst that may happen to anything, and to named things."""

    anything: Effect
    things: tuple[tuple[str, Effect], ...] = ()

    def permits(self, finding: Finding) -> bool:
        """Whether a finding is within bounds; what the API refuses never is."""
        if finding.effect is Effect.REFUSED:
            return False
        worst = [effect for name, effect in self.things if name == finding.name]
        return finding.effect <= max([self.anything, *worst])


def parse(words: Iterable[str]) -> Allowed:
    """Reads words such as `rolls` (with all that is milder) and `new-cluster:main`.

    Raises:
        ImpactError: A word is none of the effects.
    """
    anything, things = Effect.GATEWAY_RELOAD, []
    for text in words:
        word, _, name = text.strip().partition(":")
        if word not in _WORDS:
            known = ", ".join(_WORDS)
            raise ImpactError(f"allow: {word!r} is no effect, use one of {known}, with :NAME for one model or cluster")
        if name:
            things.append((name, _WORDS[word]))
        else:
            anything = max(anything, _WORDS[word])
    return Allowed(anything, tuple(things))
