{{/*
Name of the embedded Redis's objects.
usage: include "ray-vllm-stack.redis.name" $
*/}}
{{- define "ray-vllm-stack.redis.name" -}}
{{- include "ray-vllm-stack.component.name" (dict "root" . "component" "redis") }}
{{- end }}

{{/*
Name of the Secret with the embedded Redis's password and configuration.
usage: include "ray-vllm-stack.redis.secret" $
*/}}
{{- define "ray-vllm-stack.redis.secret" -}}
{{- .Values.redis.existingSecret | default (include "ray-vllm-stack.redis.name" .) }}
{{- end }}
