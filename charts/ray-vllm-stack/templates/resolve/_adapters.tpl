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

{{/*
The adapters of all models, as a JSON map from an adapter to its model.
usage: include "ray-vllm-stack.adapters" $ | fromJson
*/}}
{{- define "ray-vllm-stack.adapters" -}}
{{- $adapters := dict }}
{{- range $id, $model := include "ray-vllm-stack.models.all" . | fromJson }}
  {{- range include "ray-vllm-stack.model.adapters" $model | fromJsonArray }}
    {{- $_ := set $adapters . $id }}
  {{- end }}
{{- end }}
{{- toJson $adapters }}
{{- end }}
