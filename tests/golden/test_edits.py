"""The edit table of the docs says what the campaign tries, of edits of every kind."""

import yaml

from tests.golden.edits import BEGIN, DOCS, EDITS, END, table, written


def test_the_table_is_up_to_date() -> None:
    text = DOCS.read_text()
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert written(text) == text, "run `make generate`"


def test_there_are_enough_edits_and_each_has_a_verdict() -> None:
    rows = yaml.safe_load(EDITS.read_text())
    assert len({row["edit"] for row in rows}) == len(rows) >= 40
    assert all(row["values"] and row["says"] for row in rows)


def test_edits_that_do_the_same_are_one_row() -> None:
    rows = [
        {"edit": "models.owl.env", "says": {"model owl": "rolls", "model sparrow": "untouched"}},
        {"edit": "models.sparrow.env", "says": {"model sparrow": "rolls"}},
        {"edit": "a route", "says": {"gateway": "gateway-reload"}},
        {"edit": "clusters.main.env", "says": {"cluster main": "new-cluster"}},
        {"edit": "redis.resources", "says": {"Deployment e2e-ray-vllm-stack-redis": "rolls", "gateway": "untouched"}},
        {"edit": "metrics.dashboards off", "says": {"gateway": "untouched"}},
    ]
    assert table(rows).splitlines()[2:] == [
        "| nothing that serves is touched | `metrics.dashboards` off |",
        "| the gateway: `gateway-reload` | a route |",
        "| redis: `rolls` | `redis.resources` |",
        "| the model: `rolls` | `models.<id>.env` |",
        "| the Ray cluster: `new-cluster` | `clusters.<name>.env` |",
    ]
