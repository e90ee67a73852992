{{/*
Names of the Secrets whose content nobody has stated, so that a Job makes it, by what is in them, as a JSON map. The chart
renders none of them: a template has no memory, and would roll other dice at each render.
usage: include "ray-vllm-stack.madeSecrets.names" $ | fromJson
*/}}
{{- define "ray-vllm-stack.madeSecrets.names" -}}
{{- $names := dict }}
{{- if and .Values.gateway.enabled .Values.auth.enabled (include "ray-vllm-stack.gateway.madeKeys" . | fromJsonArray) }}
  {{- range $argument, $component := dict "key-texts" "api-keys" "key-hashes" "made-key-hashes" }}
    {{- $_ := include "ray-vllm-stack.component.name" (dict "root" $ "component" $component) | set $names $argument }}
  {{- end }}
{{- end }}
{{- if and (include "ray-vllm-stack.redis.enabled" .) (not .Values.redis.existingSecret) }}
  {{- $_ := include "ray-vllm-stack.redis.secret" . | set $names "redis" }}
{{- end }}
{{- if and .Values.data.enabled (not .Values.data.existingSecret) }}
  {{- $_ := include "ray-vllm-stack.data.secret" . | set $names "data" }}
{{- end }}
{{- toJson $names }}
{{- end }}
