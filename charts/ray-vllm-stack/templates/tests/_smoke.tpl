{{/*
Models that `helm test` asks, as a sorted JSON array: those that are enabled, have a name for clients, and may be asked for
with the key that the test has. With none it asks whatever the gateway lists.
usage: include "ray-vllm-stack.smoke.models" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.smoke.models" -}}
{{- $key := dict }}
{{- if and .Values.auth.enabled (not .Values.auth.smokeTest.existingSecret) }}
  {{- with include "ray-vllm-stack.gateway.madeKeys" . | fromJsonArray }}
    {{- $key = get (include "ray-vllm-stack.gateway.apiKeys" $ | fromJson) (first .) }}
  {{- end }}
{{- end }}
{{- $team := get .Values.auth.teams ($key.team | default "") | default dict }}
{{- $ids := list }}
{{- range $id, $model := .Values.resolved.enabled }}
  {{- $may := or (not $key.models) (has $id ($key.models | default list)) }}
  {{- $may = and $may (or (not $team.models) (has $id ($team.models | default list))) }}
  {{- if and $may (not $model.private) }}
    {{- $ids = append $ids $id }}
  {{- end }}
{{- end }}
{{- $ids | sortAlpha | toJson }}
{{- end }}
