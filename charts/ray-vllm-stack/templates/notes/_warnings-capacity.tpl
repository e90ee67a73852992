{{/*
Warnings about nodes.
usage: include "ray-vllm-stack.notes.warnings.capacity" $
*/}}
{{- define "ray-vllm-stack.notes.warnings.capacity" -}}
{{- if not .Values.capacity.enabled }}
{{- $devices := list }}
{{- range .Values.resolved.classesInUse }}
  {{- $class := get $.Values.resolved.classes . }}
  {{- if and $class.resource (not $class.nodeSelector) }}
    {{- $devices = append $devices . }}
  {{- end }}
{{- end }}
{{- with $devices }}
capacity.enabled is false and no nodeSelector is set for: {{ join ", " . }}. Their workers run on any node with free devices, whichever those are.
{{- end }}
{{- end }}
{{- end }}
