{{/*
Spec of a standalone model's HorizontalPodAutoscaler, before the raw `standalone.autoscaling.spec`. `requests` are all
those at the gateway, divided by the number of replicas.
usage: include "ray-vllm-stack.standalone.horizontalPodAutoscaler" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.horizontalPodAutoscaler" -}}
{{- $options := .model.standalone.autoscaling -}}
scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "ray-vllm-stack.standalone.name" . }}}
minReplicas: {{ int .model.replicas.min }}
maxReplicas: {{ int .model.replicas.max }}
metrics:
  {{- if eq $options.metric "cpu" }}
  - type: Resource
    resource:
      name: cpu
      target: {type: Utilization, averageUtilization: {{ int $options.targetCPUUtilizationPercentage }}}
  {{- else }}
  - type: External
    external:
      metric:
        name: ray_vllm_gateway_requests_in_flight
        selector: {matchLabels: {model: {{ .model.id | quote }}}}
      target: {type: AverageValue, averageValue: {{ include "ray-vllm-stack.standalone.target" .model | quote }}}
  {{- end }}
behavior:
  {{- include "ray-vllm-stack.standalone.behavior" .model | nindent 2 }}
{{- end }}

{{/*
Spec of a standalone model's ScaledObject, before the raw `standalone.autoscaling.spec`. A request at the gateway is in
flight while it waits for the first replica, so that it starts one.
usage: include "ray-vllm-stack.standalone.scaledObject" (dict "root" $ "model" <model>)
*/}}
{{- define "ray-vllm-stack.standalone.scaledObject" -}}
{{- $options := .model.standalone.autoscaling }}
{{- $replicas := .model.replicas }}
{{- $series := printf "{namespace=%q, model=%q}" .root.Release.Namespace .model.id -}}
scaleTargetRef: {name: {{ include "ray-vllm-stack.standalone.name" . }}}
minReplicaCount: {{ int $replicas.min }}
maxReplicaCount: {{ int $replicas.max }}
pollingInterval: 5
cooldownPeriod: {{ hasKey $replicas "downscaleToZeroDelaySeconds" | ternary $replicas.downscaleToZeroDelaySeconds $replicas.downscaleDelaySeconds | int }}
advanced:
  horizontalPodAutoscalerConfig:
    behavior:
      {{- include "ray-vllm-stack.standalone.behavior" .model | nindent 6 }}
triggers:
  {{- if eq $options.metric "cpu" }}
  - type: cpu
    metricType: Utilization
    metadata: {value: {{ int $options.targetCPUUtilizationPercentage | toString | quote }}}
  {{- else }}
  - type: prometheus
    metricType: AverageValue
    metadata:
      serverAddress: {{ $options.prometheusUrl }}
      query: {{ printf "sum(ray_vllm_gateway_requests_in_flight%s) or vector(0)" $series | squote }}
      threshold: {{ include "ray-vllm-stack.standalone.target" .model | quote }}
  {{- end }}
{{- end }}

{{/*
Requests at the gateway for each replica, as a quantity.
usage: include "ray-vllm-stack.standalone.target" <model>
*/}}
{{- define "ray-vllm-stack.standalone.target" -}}
{{- toString .replicas.targetOngoingRequests }}
{{- end }}

{{/*
How fast a standalone model's replicas come and go: after the delays of `replicas`, at most an hour, as Kubernetes has it.
usage: include "ray-vllm-stack.standalone.behavior" <model>
*/}}
{{- define "ray-vllm-stack.standalone.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: {{ ceil .replicas.upscaleDelaySeconds | min 3600 | int }}
scaleDown:
  stabilizationWindowSeconds: {{ ceil .replicas.downscaleDelaySeconds | min 3600 | int }}
{{- end }}
