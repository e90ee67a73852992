"""What Prometheus is told."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The component's series; `store` is the kind of store that keeps the vectors."""

    def __init__(self, registry: CollectorRegistry, store: str) -> None:
        self.ingested = Counter(
            "ray_vllm_data_files_ingested", "Files taken into stores, by how that ended.", ["status"], registry=registry
        )
        for status in ("completed", "failed"):
            self.ingested.labels(status)
        self.queue = Gauge("ray_vllm_data_ingest_queue", "Files that wait or are being taken in.", registry=registry)
        self.batch_lines = Gauge(
            "ray_vllm_data_batch_lines",
            "Lines of the batches that this pod runs, by state.",
            ["batch", "team", "state"],
            registry=registry,
        )
        self.batch_lines_ended = Counter(
            "ray_vllm_data_batch_lines_ended",
            "Lines of batches, by how they ended.",
            ["team", "status"],
            registry=registry,
        )
        for status in ("completed", "failed"):
            self.batch_lines_ended.labels("", status)
        self.batch_waiting = Gauge(
            "ray_vllm_data_batch_waiting_seconds",
            "Age of the oldest batch that has not begun; each pod tells that of all.",
            ["team"],
            registry=registry,
        )
        self.batch_idle = Gauge(
            "ray_vllm_data_batch_idle_seconds",
            "Since a line was last answered of the batch that moves least; each pod tells that of all.",
            ["team"],
            registry=registry,
        )
        self.search_seconds = Histogram(
            "ray_vllm_data_search_seconds", "Search in the vectors.", ["store"], buckets=_SECONDS, registry=registry
        )
        self.store_up = Gauge(
            "ray_vllm_data_store_up", "Whether the vectors can be reached.", ["store"], registry=registry
        )
        self.search_seconds.labels(store)
        self.store_up.labels(store).set(0)
