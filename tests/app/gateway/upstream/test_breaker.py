from prometheus_client import CollectorRegistry

from serve_app.gateway.upstream.breaker import Breakers
from serve_app.settings.gateway import Breaker


class Stage:
    def __init__(self, **settings: float) -> None:
        self.registry, self.now = CollectorRegistry(), 100.0
        self.breakers = Breakers(
            lambda: Breaker.model_validate(settings or {"failures": 3, "openSeconds": 10}),
            self.registry,
            clock=lambda: self.now,
        )
        self.breakers.declare(["m", "other"])

    @property
    def open(self) -> float | None:
        return self.registry.get_sample_value("ray_vllm_gateway_breaker_open", {"model": "m"})

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breakers.failed("m")


def test_it_opens_after_failures_in_a_row_and_for_this_model_only() -> None:
    stage = Stage()
    stage.fail(2)
    stage.breakers.succeeded("m")
    stage.fail(2)
    assert stage.breakers.allows("m")
    stage.fail(1)
    assert not stage.breakers.allows("m")
    assert stage.breakers.allows("other")
    assert stage.open == 1


def test_one_request_tries_again_and_decides() -> None:
    stage = Stage()
    stage.fail(3)
    stage.now += 9.9
    assert not stage.breakers.allows("m")
    stage.now += 0.1
    assert [stage.breakers.allows("m") for _ in range(3)] == [True, False, False]
    stage.fail(1)
    assert not stage.breakers.allows("m")
    stage.now += 10
    assert stage.breakers.allows("m")
    stage.breakers.succeeded("m")
    assert [stage.breakers.allows("m") for _ in range(2)] == [True, True]
    assert stage.open == 0


def test_a_trial_that_told_nothing_leaves_the_next_one_to_try() -> None:
    stage = Stage()
    stage.fail(3)
    stage.now += 10
    assert stage.breakers.allows("m")
    stage.breakers.abandoned("m")
    assert stage.breakers.allows("m")


def test_it_can_be_switched_off() -> None:
    stage = Stage(failures=0, openSeconds=10)
    stage.fail(100)
    assert stage.breakers.allows("m")


def test_models_that_are_gone_leave_no_series() -> None:
    stage = Stage()
    stage.fail(3)
    stage.breakers.declare(["other"])
    assert stage.open is None
    stage.breakers.declare(["m"])
    assert stage.breakers.allows("m")
