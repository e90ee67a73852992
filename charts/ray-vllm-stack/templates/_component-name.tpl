{{/*
Name of an object of one component.
usage: include "ray-vllm-stack.component.name" (dict "root" $ "component" "gateway")
*/}}
{{- define "ray-vllm-stack.component.name" -}}
{{- printf "%s-%s" (include "ray-vllm-stack.fullname" .root) .component | trunc 63 | trimSuffix "-" }}
{{- end }}
