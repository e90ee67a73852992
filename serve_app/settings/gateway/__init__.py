"""What the chart may say to the gateway: its configuration file, and the entries of its keys.

Keys are camelCase as in the chart's values, unknown keys are refused, and every refusal can be told in one sentence
that names the key and the remedy (`explain`).
"""

from serve_app.settings.gateway.access import Key, Oidc, Policy, Priority, Team
from serve_app.settings.gateway.file import Data, GatewayConfig, Metering, Redis, Shadows
from serve_app.settings.gateway.http import Breaker, Cors, KeepAlive, Limits, Queue, Retry, Timeouts
from serve_app.settings.gateway.models import ApiName, HeaderValue, Model, Price, Task
from serve_app.settings.gateway.routes import Backend, Backends, Fallback, Match, Route, Shadow, Sticky
from serve_app.settings.gateway.section import explain

__all__ = [
    "ApiName",
    "Backend",
    "Backends",
    "Breaker",
    "Cors",
    "Data",
    "Fallback",
    "GatewayConfig",
    "HeaderValue",
    "KeepAlive",
    "Key",
    "Limits",
    "Match",
    "Metering",
    "Model",
    "Oidc",
    "Policy",
    "Price",
    "Priority",
    "Queue",
    "Redis",
    "Retry",
    "Route",
    "Shadow",
    "Shadows",
    "Sticky",
    "Task",
    "Team",
    "Timeouts",
    "explain",
]
