{{/*
Warnings about models.
usage: include "ray-vllm-stack.notes.warnings.models" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.models" -}}
{{- range $id, $model := .Values.resolved.enabled }}
{{- if eq (int $model.replicas.min) 0 }}
models.{{ $id }}.replicas.min is 0: after a quiet time its first request waits for a start; clients and gateway.timeouts.firstByteSeconds ({{ $.Values.gateway.timeouts.firstByteSeconds }}) must allow for it.
{{- end }}
{{- if and (eq (int $model.rollout.maxSurgePercent) 0) (le (int $model.replicas.min) 1) }}
models.{{ $id }}.rollout.maxSurgePercent is 0: an edit of its engine, env or source takes it away until the new replica has loaded.
{{- end }}
{{- if and (eq $model.runtime "standalone") (eq (include "ray-vllm-stack.standalone.autoscaler" $model) "hpa") (eq $model.standalone.autoscaling.metric "requests") }}
models.{{ $id }} scales by the external metric ray_vllm_gateway_requests_in_flight: a metrics adapter has to serve it, or the model stays as it is. With standalone.autoscaling.metric: cpu none is needed, with kind: keda KEDA is.
{{- end }}
{{- end }}
{{- end }}
