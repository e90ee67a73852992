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
{{- if $metrics.rules.alerts }}
{{- $known := dict }}
{{- range include "ray-vllm-stack.observability.alerts" . | fromJsonArray }}
{{- range .rules }}{{ $_ := set $known .alert . }}{{ end }}
{{- end }}
{{- range $name, $own := $metrics.rules.alerts }}
{{- if not (hasKey $known $name) }}
metrics.rules.alerts.{{ $name }}: there is no alert of this name, use some of: {{ keys $known | sortAlpha | join ", " }}
{{- else if and (hasKey ($own | default dict) "threshold") (not (hasKey (get $known $name) "threshold")) }}
metrics.rules.alerts.{{ $name }}.threshold: is set, but the alert compares with no number, leave it out
{{- end }}
{{- end }}
{{- end }}
{{- end }}
