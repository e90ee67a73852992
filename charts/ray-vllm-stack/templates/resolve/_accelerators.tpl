{{/*
An accelerator class with `acceleratorDefaults` filled in, as JSON.
usage: include "ray-vllm-stack.accelerator.resolved" (dict "root" $ "name" "l4") | fromJson
*/}}
{{- define "ray-vllm-stack.accelerator.resolved" -}}
{{- $own := get .root.Values.accelerators .name | default dict }}
{{- $entry := dict "defaults" .root.Values.acceleratorDefaults "entry" $own "more" (dict "name" .name) }}
{{- include "ray-vllm-stack.merge.entry" $entry }}
{{- end }}

{{/*
Names of the accelerator classes that a set of models uses, as a JSON array in the stable order of worker groups: by
`order`, then by name. Disabled models count, so that disabling one leaves the Ray cluster as it is.
usage: include "ray-vllm-stack.accelerators.of" (dict "root" $ "models" <map>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.accelerators.of" -}}
{{- $root := .root }}
{{- $keys := list }}
{{- range .models }}
  {{- if kindIs "map" (get $root.Values.accelerators .accelerator) }}
    {{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $root "name" .accelerator) | fromJson }}
    {{- $keys = append $keys (printf "%09d %s" (int $class.order) .accelerator) }}
  {{- end }}
{{- end }}
{{- $names := list }}
{{- range $keys | uniq | sortAlpha }}
  {{- $names = append $names (splitList " " . | last) }}
{{- end }}
{{- toJson $names }}
{{- end }}

{{/*
Names of all accelerator classes in use, as a JSON array.
usage: include "ray-vllm-stack.accelerators.used" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.accelerators.used" -}}
{{- $models := include "ray-vllm-stack.models.all" . | fromJson }}
{{- include "ray-vllm-stack.accelerators.of" (dict "root" . "models" $models) }}
{{- end }}
