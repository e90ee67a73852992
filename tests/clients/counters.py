"""Prometheus series of the engines and the gateway, read over HTTP."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def total(url: str, series: str, **labels: str) -> float:
    """The sum of a series' samples that have the labels.

    Args:
        url: Where the process shows its metrics, without /metrics.
        series: The samples' name.
        labels: Labels that they must have.
    """
    text = httpx.get(f"{url}/metrics").raise_for_status().text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    samples = families[series.removesuffix("_total")]
    return sum(s.value for s in samples if s.name == series and labels.items() <= s.labels.items())
