{{/*
All models with `modelDefaults` filled in, as a JSON map by id. An entry that a later values file set to null is gone.
usage: include "ray-vllm-stack.models.all" $ | fromJson
*/}}
{{- define "ray-vllm-stack.models.all" -}}
{{- $models := dict }}
{{- range $id, $model := .Values.models }}
  {{- if not (kindIs "invalid" $model) }}
    {{- $entry := dict "defaults" $.Values.modelDefaults "entry" $model "more" (dict "id" $id) }}
    {{- $_ := include "ray-vllm-stack.merge.entry" $entry | fromJson | set $models $id }}
  {{- end }}
{{- end }}
{{- toJson $models }}
{{- end }}

{{/*
The models that are enabled, as a JSON map by id.
usage: include "ray-vllm-stack.models.enabled" $ | fromJson
*/}}
{{- define "ray-vllm-stack.models.enabled" -}}
{{- $models := dict }}
{{- range $id, $model := include "ray-vllm-stack.models.all" . | fromJson }}
  {{- if $model.enabled }}
    {{- $_ := set $models $id $model }}
  {{- end }}
{{- end }}
{{- toJson $models }}
{{- end }}
