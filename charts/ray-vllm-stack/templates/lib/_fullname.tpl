{{/*
Prefix of all object names: the release's name, and the chart's where the release's does not say it already. Cut at 40:
KubeRay refuses RayService names over 47 and clips the head's ServiceAccount at 50, and the longest suffix of the
chart's own names is 22 of the 63 that a label holds. Two releases whose names differ at the end only stay apart.
usage: include "ray-vllm-stack.fullname" $
*/}}
{{- define "ray-vllm-stack.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- include "ray-vllm-stack.name.short" (dict "name" (default $full .Values.fullnameOverride) "max" 40) }}
{{- end }}
