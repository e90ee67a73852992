"""Redis takes the heads along whose state it has."""

from typing import Any

from serve_app.impact.effects import Effect
from serve_app.impact.manifests import Object
from tests.app.impact.release import application, deployment, effects, service

ADDRESS = "redis://demo-redis.llm.svc:6379"


def stored(address: str = ADDRESS, name: str = "main", **head: Any) -> Object:
    """A cluster with its state in Redis."""
    found = service(application(f"owl-{name}"), name=name)
    found["spec"]["rayClusterConfig"]["gcsFaultToleranceOptions"] = {"redisAddress": address}
    found["spec"]["rayClusterConfig"]["headGroupSpec"]["rayStartParams"] = head
    return found


def redis(image: str = "a") -> Object:
    return deployment("demo-redis", "redis", image, strategy={"type": "Recreate"})


def test_heads_end_with_their_redis() -> None:
    services = [
        stored(),
        stored(name="own", address="redis://redis.data:6379"),
        service(application("wren"), name="none"),
    ]
    assert effects([redis(), *services], [redis("b"), *services]) == {
        "Deployment demo-redis": Effect.ROLLS,
        "head main": Effect.ROLLS,
    }


def test_a_redis_of_the_same_name_elsewhere_is_another() -> None:
    away = stored("redis://demo-redis.data.svc:6379")
    assert effects([redis(), away], [redis("b"), away]) == {"Deployment demo-redis": Effect.ROLLS}
    near = stored("redis://demo-redis:6379")
    assert "head main" in effects([redis(), near], [redis("b"), near])


def test_a_redis_that_stays_takes_nothing_along() -> None:
    assert effects([redis(), stored()], [redis(), stored()]) == {}


def test_a_head_that_is_replaced_anyway_is_not_said_twice() -> None:
    found = effects([redis(), stored()], [redis("b"), stored(dashboard="1")])
    assert (found["cluster main"], "head main" in found) == (Effect.NEW_CLUSTER, False)
