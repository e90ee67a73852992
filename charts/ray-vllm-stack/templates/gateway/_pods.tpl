{{/*
How many gateway pods there are at least.
usage: include "ray-vllm-stack.gateway.fewestPods" $ | int
*/}}
{{- define "ray-vllm-stack.gateway.fewestPods" -}}
{{- with .Values.gateway }}
{{- ternary .autoscaling.minReplicas .replicas .autoscaling.enabled | int }}
{{- end }}
{{- end }}
