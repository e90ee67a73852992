"""`podDefaults`, and the `pod` of each component: what every pod of the chart can be given."""

from serve_app.settings.chart.part import Names, Part, PodEnv, Raw, Texts, Toleration, partial


class PodDefaults(Part):
    """Labels, placement, environment and security of pods, and a raw spec."""

    labels: Texts
    annotations: Texts
    env: PodEnv
    node_selector: Texts
    affinity: Raw
    tolerations: list[Toleration]
    topology_spread_constraints: list[Raw]
    priority_class_name: Names
    security_context: Raw
    container_security_context: Raw
    spec: Raw


Pod = partial(PodDefaults, "Pod")
