{{/*
Whether a rendered cluster keeps its state in the embedded Redis: "true" or nothing.
usage: if include "ray-vllm-stack.clusters.useRedis" $
*/}}
{{- define "ray-vllm-stack.clusters.useRedis" -}}
{{- $use := false }}
{{- range .Values.resolved.used }}
  {{- $options := (get $.Values.resolved.clusters .).faultTolerance }}
  {{- $use = or $use (and $options.enabled (not $options.address)) }}
{{- end }}
{{- if $use }}true{{ end }}
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
{{- if or (include "ray-vllm-stack.clusters.useRedis" .) (include "ray-vllm-stack.gateway.useRedis" .) }}true{{ end }}
{{- end }}
