{{/*
Guards of the gateway and of who may use it.
usage: include "ray-vllm-stack.validate.gateway" $
*/}}
{{- define "ray-vllm-stack.validate.gateway" -}}
{{- $gateway := .Values.gateway }}
{{- if $gateway.enabled }}
{{- if has (toString $gateway.podDisruptionBudget.maxUnavailable) (list "0" "0%") }}
gateway.podDisruptionBudget.maxUnavailable: is {{ $gateway.podDisruptionBudget.maxUnavailable }}, so that no node could ever be drained, make it at least 1
{{- end }}
{{ include "ray-vllm-stack.validate.gateway.pods" $gateway }}
{{ include "ray-vllm-stack.validate.gateway.memory" $gateway }}
{{ include "ray-vllm-stack.validate.gateway.exposure" $gateway }}
{{- if gt (float64 $gateway.retry.windowSeconds) (float64 $gateway.timeouts.firstByteSeconds) }}
gateway.retry.windowSeconds: is {{ $gateway.retry.windowSeconds }}, longer than timeouts.firstByteSeconds ({{ $gateway.timeouts.firstByteSeconds }}), which ends a request first, lower it
{{- end }}
{{- if gt (float64 $gateway.timeouts.connectSeconds) (float64 $gateway.timeouts.firstByteSeconds) }}
gateway.timeouts.connectSeconds: is {{ $gateway.timeouts.connectSeconds }}, longer than firstByteSeconds ({{ $gateway.timeouts.firstByteSeconds }}), lower it
{{- end }}
{{- range $key := list "maxBodyBytes" "maxFormBytes" }}
{{- if gt (get $gateway.limits $key | float64) (float64 $gateway.limits.maxBufferedBytes) }}
gateway.limits.{{ $key }}: is larger than maxBufferedBytes ({{ $gateway.limits.maxBufferedBytes | int64 }}), so that such a request would always be refused, lower it or raise maxBufferedBytes
{{- end }}
{{- end }}
{{- if and $gateway.caBundle.existingConfigMap $gateway.caBundle.existingSecret }}
gateway.caBundle: has an existingConfigMap and an existingSecret, leave one of them out
{{- end }}
{{- end }}
{{- end }}
