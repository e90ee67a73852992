{{/*
All models with `modelDefaults` filled in, as a JSON map by id. An entry that a later values file set to null is gone.
usage: include "ray-vllm-stack.models.all" $ | fromJson
*/}}
{{- define "ray-vllm-stack.models.all" -}}
{{- $models := dict }}
{{- range $id, $model := .Values.models }}
  {{- if not (kindIs "invalid" $model) }}
    {{- $model = mergeOverwrite (deepCopy $.Values.modelDefaults) (deepCopy $model) (dict "id" $id) }}
    {{- $_ := set $models $id $model }}
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
