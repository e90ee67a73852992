{{/*
The models by id, as JSON: entries over `modelDefaults`.
usage: include "ray-vllm-stack.resolve.models" $ | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.models" -}}
{{- $models := dict }}
{{- range $id, $model := .Values.models }}
  {{- if kindIs "map" $model }}
    {{- $entry := dict "defaults" $.Values.modelDefaults "entry" $model "more" (dict "id" $id) }}
    {{- $_ := include "ray-vllm-stack.merge.entry" $entry | fromJson | set $models $id }}
  {{- end }}
{{- end }}
{{- toJson $models }}
{{- end }}

{{/*
The LoRA adapters of all models, as a JSON map from an adapter to its model's id.
usage: include "ray-vllm-stack.resolve.adapters" <models> | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.adapters" -}}
{{- $adapters := dict }}
{{- range $id, $model := . }}
  {{- range include "ray-vllm-stack.model.adapters" $model | fromJsonArray }}
    {{- $_ := set $adapters . $id }}
  {{- end }}
{{- end }}
{{- toJson $adapters }}
{{- end }}

{{/*
Names of a model's LoRA adapters, as a JSON array: vLLM's `lora_modules`, maps with a name or text of the form NAME=PATH.
usage: include "ray-vllm-stack.model.adapters" <model> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.model.adapters" -}}
{{- $names := list }}
{{- range .engine.lora_modules }}
  {{- if kindIs "map" . }}
    {{- $names = append $names .name }}
  {{- else }}
    {{- $names = append $names (toString . | splitList "=" | first) }}
  {{- end }}
{{- end }}
{{- toJson $names }}
{{- end }}
