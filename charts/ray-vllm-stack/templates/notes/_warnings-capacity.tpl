{{/*
Warnings about nodes.
usage: include "ray-vllm-stack.notes.warnings.capacity" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.capacity" -}}
{{- if not .Values.capacity.enabled }}
{{- $devices := list }}
{{- range include "ray-vllm-stack.accelerators.used" . | fromJsonArray }}
  {{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $ "name" .) | fromJson }}
  {{- if and (eq $class.kind "gpu") (not $class.nodeSelector) }}
    {{- $devices = append $devices . }}
  {{- end }}
{{- end }}
{{- with $devices }}
capacity.enabled is false and no nodeSelector is set for: {{ join ", " . }}. Their workers run on any node with free devices, whichever those are.
{{- end }}
{{- end }}
{{- end }}
