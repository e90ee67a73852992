"""What can happen to a thing, from the mildest on, and what is found of one thing."""

from dataclasses import dataclass
from enum import IntEnum


class Effect(IntEnum):
    """What happens to a thing; the number from `REMOVED` on is the exit status of the command line."""

    UNTOUCHED = 0
    IN_PLACE = 1
    CREATED = 2
    GATEWAY_RELOAD = 3
    REMOVED = 10
    ROLLS = 20
    POOLS_DRIFT = 30
    NEW_CLUSTER = 40
    DOWNTIME = 50
    NO_ROOM = 60
    REFUSED = 70

    @property
    def word(self) -> str:
        """As it is written in `--allow` and in `safeChange.allow`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True)
class Finding:
    """The verdict on one object, or on one model of an object.

    `subject` is a kind and a name (`model owl`), `source` the object that it is read from, `why` one sentence.
    `changed` holds paths in the manifest, `causes` paths in the values, `instead` the cheaper way if there is one.
    """

    effect: Effect
    subject: str
    source: str
    why: str
    changed: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    instead: str = ""

    @property
    def name(self) -> str:
        """The name of the subject, which `--allow new-cluster:main` takes."""
        return self.subject.rpartition(" ")[2]
