"""Where a name leads: a model's always to the model, a route's to what its rules choose for the request."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from serve_app.gateway.api.errors import Headers
from serve_app.gateway.api.table import ALL_APIS, Api
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.endpoints import has
from serve_app.gateway.exchange.plan import Plan, Target
from serve_app.gateway.routing.choice import Choice
from serve_app.settings.gateway import Backends, Match, Route, Sticky, Task

Tasks = frozenset[Task]


class Resolver(Protocol):
    """What stands behind a name."""

    @property
    def tasks(self) -> Tasks:
        """What it is for, where no match says otherwise."""

    def fits(self, api: Api) -> bool:
        """Whether it may lead to a model that has an API."""

    def plan(self, api: Api, caller: Caller, headers: Headers, user: str) -> Plan | None:
        """Where a request goes; None if no model behind the name has the API."""

    def plans(self) -> Iterator[Plan]:
        """All that there can be, with all shadows that they may have."""


class ModelResolver:
    """The way to a model or to one of its adapters."""

    def __init__(self, name: str, target: Target) -> None:
        self.tasks: Tasks = frozenset((target.entry.task,))
        self._apis = frozenset(api.name for api in ALL_APIS if has(target.entry, api))
        self._plan = Plan(name, "", (target,))

    def fits(self, api: Api) -> bool:
        """See `Resolver`."""
        return api.name in self._apis

    def plan(self, api: Api, caller: Caller, headers: Headers, user: str) -> Plan | None:
        """See `Resolver`."""
        return self._plan if api.name in self._apis else None

    def plans(self) -> Iterator[Plan]:
        """See `Resolver`."""
        yield self._plan


class RouteResolver:
    """The plans of a route, one set for each group of its models that have an API in common."""

    def __init__(self, name: str, route: Route, targets: Mapping[str, Target], random: Random) -> None:
        """Makes all plans there can be.

        Args:
            name: The route's name.
            route: Its rules.
            targets: Its models, by id.
            random: Draws backends and shadows.
        """
        self.tasks: Tasks = frozenset(
            targets[model].entry.task for model, backend in route.backends.items() if backend.weight
        )
        rules: dict[frozenset[str], _Rules] = {}
        self._rules: dict[str, _Rules] = {}
        """API's name -> its rules, where a backend has it."""
        for api in ALL_APIS:
            fitting = frozenset(model for model, target in targets.items() if has(target.entry, api))
            if fitting not in rules:
                rules[fitting] = _Rules(name, route, {model: targets[model] for model in fitting}, random)
            if rules[fitting].choices:
                self._rules[api.name] = rules[fitting]
        self._all = [each for each in rules.values() if each.choices]

    def fits(self, api: Api) -> bool:
        """See `Resolver`."""
        return api.name in self._rules

    def plan(self, api: Api, caller: Caller, headers: Headers, user: str) -> Plan | None:
        """See `Resolver`."""
        rules = self._rules.get(api.name)
        return rules.plan(caller, headers, user) if rules else None

    def plans(self) -> Iterator[Plan]:
        """See `Resolver`."""
        return (plan for rules in self._all for plan in rules.plans_with_shadows())


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a match asks of a request."""

    headers: tuple[tuple[bytes, bytes], ...]
    teams: frozenset[str]

    @classmethod
    def of(cls, match: Match) -> "_Condition":
        headers = ((name.lower().encode(), value.encode()) for name, value in match.headers.items())
        return cls(tuple(headers), frozenset(match.teams))

    def met(self, caller: Caller, headers: Headers) -> bool:
        if self.teams and caller.team not in self.teams:
            return False
        return all(headers.get(name) == value for name, value in self.headers)


_ALWAYS = _Condition((), frozenset())


class _Rules:
    """A route as it is for some of its models."""

    def __init__(self, name: str, route: Route, fitting: Mapping[str, Target], random: Random) -> None:
        self.choices: list[tuple[_Condition, Choice]] = []
        """Those whose backends fit, the route's own as the last."""
        matches = sorted(route.matches.items(), key=lambda item: (item[1].order, item[0]))
        rules = [(_Condition.of(match), match.backends) for _, match in matches]
        for condition, backends in [*rules, (_ALWAYS, route.backends)]:
            if weights := _weights(backends, fitting):
                self.choices.append((condition, Choice(weights, name, random)))
        order = sorted(route.fallback, key=lambda model: (route.fallback[model].order, model))
        fallbacks = [fitting[model] for model in order if model in fitting]
        answer_as = name if route.answer_model == "route" else ""
        self.plans: dict[str, Plan] = {}
        """Backend -> where a request goes that it was chosen for."""
        for model in dict.fromkeys(model for _, choice in self.choices for model in choice.names):
            others = (target for target in fallbacks if target.model != model)
            self.plans[model] = Plan(name, name, (fitting[model], *others), answer_as=answer_as)
        self._shadows = [(fitting[model], shadow.percent) for model, shadow in route.shadow.items() if model in fitting]
        self._sticky = route.sticky
        self._header = route.sticky.header.lower().encode() if route.sticky else b""
        self._random = random

    def plan(self, caller: Caller, headers: Headers, user: str) -> Plan | None:
        choice = next((choice for condition, choice in self.choices if condition.met(caller, headers)), None)
        if choice is None:
            return None
        value = self._sticky_value(self._sticky, caller, headers, user) if self._sticky else b""
        model = choice.by(value) if value else choice.at_random()
        plan = self.plans[model]
        return self._with_shadows(plan, self._drawn) if self._shadows else plan

    def _sticky_value(self, sticky: Sticky, caller: Caller, headers: Headers, user: str) -> bytes:
        if sticky.by == "header":
            return headers.get(self._header, b"")
        # all tokens of an identity provider share one key name, so their own names tell them apart
        text = user if sticky.by == "user" else caller.subject or caller.key
        return text.encode("utf-8", "surrogatepass")

    def plans_with_shadows(self) -> Iterator[Plan]:
        return (self._with_shadows(plan, lambda percent: percent > 0) for plan in self.plans.values())

    def _drawn(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def _with_shadows(self, plan: Plan, taken: Callable[[float], bool]) -> Plan:
        """Adds the shadows that are taken; a copy for the model that answers anyway would tell nothing."""
        answering = plan.targets[0].model
        shadows = (target for target, percent in self._shadows if taken(percent) and target.model != answering)
        return replace(plan, shadows=tuple(shadows))


def _weights(backends: Backends, fitting: Mapping[str, Target]) -> dict[str, int]:
    return {model: backend.weight for model, backend in backends.items() if backend.weight and model in fitting}
