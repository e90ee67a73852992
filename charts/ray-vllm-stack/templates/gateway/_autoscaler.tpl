{{/*
Spec of the gateway's HorizontalPodAutoscaler, before the raw `gateway.autoscaling.spec`. Up at once; down one pod at a
time, each having the time to drain, after ten minutes in which fewer would have done.
usage: include "ray-vllm-stack.gateway.autoscaler" $
*/}}
{{- define "ray-vllm-stack.gateway.autoscaler" -}}
{{- $options := .Values.gateway.autoscaling -}}
scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "ray-vllm-stack.gateway.name" . }}}
minReplicas: {{ int $options.minReplicas }}
maxReplicas: {{ int $options.maxReplicas }}
metrics:
  {{- with $options.targetCPUUtilizationPercentage }}
  - type: Resource
    resource:
      name: cpu
      target: {type: Utilization, averageUtilization: {{ int . }}}
  {{- end }}
  {{- with $options.targetConcurrentRequests }}
  - type: Pods
    pods:
      metric: {name: ray_vllm_gateway_requests_in_flight}
      target: {type: AverageValue, averageValue: {{ int . | quote }}}
  {{- end }}
behavior:
  scaleUp:
    stabilizationWindowSeconds: 0
    selectPolicy: Max
    policies:
      - {type: Percent, value: 100, periodSeconds: 30}
      - {type: Pods, value: 2, periodSeconds: 30}
  scaleDown:
    stabilizationWindowSeconds: 600
    policies:
      - {type: Pods, value: 1, periodSeconds: {{ min 1800 (max 60 .Values.gateway.drainSeconds) }}}
{{- end }}
