"""What may happen."""

import pytest

from serve_app.impact import allow
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.errors import ImpactError


def finding(effect: Effect, subject: str = "cluster main") -> Finding:
    return Finding(effect, subject, "RayService demo-main", "")


def test_a_word_allows_what_is_milder() -> None:
    allowed = allow.parse(["rolls"])
    assert all(allowed.permits(finding(effect)) for effect in Effect if effect <= Effect.ROLLS)
    assert not any(allowed.permits(finding(effect)) for effect in Effect if effect > Effect.ROLLS)


def test_a_name_allows_it_for_one_thing() -> None:
    allowed = allow.parse(["new-cluster:main"])
    assert allowed.permits(finding(Effect.NEW_CLUSTER))
    assert not allowed.permits(finding(Effect.NEW_CLUSTER, "cluster other"))
    assert not allowed.permits(finding(Effect.DOWNTIME))
    assert not allowed.permits(finding(Effect.ROLLS, "model owl"))


def test_the_refused_is_never_allowed() -> None:
    assert not allow.parse(["refused"]).permits(finding(Effect.REFUSED))


def test_a_misspelt_word_is_named() -> None:
    with pytest.raises(ImpactError, match="'roll' is no effect, use one of untouched, in-place"):
        allow.parse(["roll"])
