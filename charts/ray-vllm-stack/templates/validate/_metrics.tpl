{{/*
Guards of the monitors and alerts.
usage: include "ray-vllm-stack.validate.metrics" $
*/}}
{{- define "ray-vllm-stack.validate.metrics" -}}
{{- $metrics := .Values.metrics }}
{{- if and $metrics.rules.enabled (not $metrics.podMonitor.enabled) }}
metrics.rules.enabled: is true without metrics.podMonitor.enabled, so that RayHeadDown would fire for ever, enable both
{{- end }}
{{- if and $metrics.rules.enabled .Values.gateway.enabled (not $metrics.serviceMonitor.enabled) }}
metrics.rules.enabled: is true without metrics.serviceMonitor.enabled, so that GatewayDown would fire for ever, enable both
{{- end }}
{{- end }}
