{{/*
Name of the gateway's objects.
usage: include "ray-vllm-stack.gateway.name" $
*/}}
{{- define "ray-vllm-stack.gateway.name" -}}
{{- include "ray-vllm-stack.component.name" (dict "root" . "component" "gateway") }}
{{- end }}
