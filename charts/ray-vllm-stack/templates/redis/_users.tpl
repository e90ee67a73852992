{{/*
Names of the clusters that keep their state in the embedded Redis, as a JSON array.
usage: include "ray-vllm-stack.clusters.inRedis" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.clusters.inRedis" -}}
{{- $names := list }}
{{- range .Values.resolved.used }}
  {{- $options := (get $.Values.resolved.clusters .).faultTolerance }}
  {{- if and $options.enabled (not $options.address) }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- toJson $names }}
{{- end }}

{{/*
Whether the gateway shares its limits through the embedded Redis: "true" or nothing.
usage: if include "ray-vllm-stack.gateway.useRedis" $
*/}}
{{- define "ray-vllm-stack.gateway.useRedis" -}}
{{- with .Values.gateway }}
{{- if and .enabled .redis.enabled (not .redis.url) }}true{{ end }}
{{- end }}
{{- end }}

{{/*
Whether there is an embedded Redis: for Ray clusters, the gateway, or both. "true" or nothing.
usage: if include "ray-vllm-stack.redis.enabled" $
*/}}
{{- define "ray-vllm-stack.redis.enabled" -}}
{{- if or (include "ray-vllm-stack.clusters.inRedis" . | fromJsonArray) (include "ray-vllm-stack.gateway.useRedis" .) }}true{{ end }}
{{- end }}
