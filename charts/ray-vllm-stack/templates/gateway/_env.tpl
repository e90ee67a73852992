{{/*
Environment of the gateway's container: OpenTelemetry's own variables, or nothing.
usage: include "ray-vllm-stack.gateway.env" $
*/}}
{{- define "ray-vllm-stack.gateway.env" -}}
{{- with .Values.gateway.tracing }}
{{- if .endpoint -}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ include "ray-vllm-stack.gateway.name" $ }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ divf .samplePercent 100 | quote }}
{{- end }}
{{- end }}
{{- end }}
