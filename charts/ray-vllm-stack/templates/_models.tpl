{{/*
All models with `modelDefaults` filled in, as a JSON map by id.
usage: include "ray-vllm-stack.models.all" $ | fromJson
*/}}
{{- define "ray-vllm-stack.models.all" -}}
{{- $models := dict }}
{{- range $id, $model := .Values.models }}
  {{- $model = mergeOverwrite (deepCopy $.Values.modelDefaults) (deepCopy ($model | default dict)) (dict "id" $id) }}
  {{- $_ := set $models $id $model }}
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
