{{/*
The models by id, as JSON: entries over `modelDefaults`, with their `parts`, the kinds of replicas.
usage: include "ray-vllm-stack.resolve.models" (dict "root" $ "classes" <classes>) | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.models" -}}
{{- $root := .root }}
{{- $models := dict }}
{{- range $id, $model := $root.Values.models }}
  {{- if kindIs "map" $model }}
    {{- $entry := dict "defaults" $root.Values.modelDefaults "entry" $model "more" (dict "id" $id) }}
    {{- $model := include "ray-vllm-stack.merge.entry" $entry | fromJson }}
    {{- $class := get $.classes $model.accelerator | default dict }}
    {{- $_ := include "ray-vllm-stack.model.parts" (dict "model" $model "class" $class) | fromJsonArray | set $model "parts" }}
    {{- $_ := set $models $id $model }}
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
  {{- range $name, $_ := $model.adapters }}
    {{- $_ := set $adapters $name $id }}
  {{- end }}
{{- end }}
{{- toJson $adapters }}
{{- end }}

{{/*
Where a model's weights and adapters are, as a JSON array.
usage: include "ray-vllm-stack.model.sources" <model> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.model.sources" -}}
{{- $sources := list .source }}
{{- range .adapters }}{{ $sources = append $sources .source }}{{ end }}
{{- toJson $sources }}
{{- end }}

{{/*
The claims that a model's weights and adapters are on, as a JSON array.
usage: include "ray-vllm-stack.model.claims" <model> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.model.claims" -}}
{{- $claims := list }}
{{- range include "ray-vllm-stack.model.sources" . | fromJsonArray }}
  {{- if hasPrefix "pvc://" . }}
    {{- $claims = append $claims (trimPrefix "pvc://" . | splitList "/" | first) }}
  {{- end }}
{{- end }}
{{- toJson $claims }}
{{- end }}
