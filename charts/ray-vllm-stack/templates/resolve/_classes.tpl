{{/*
The accelerator classes by name, as JSON: entries over `acceleratorDefaults`, with what their platform adds: the device
resource, Ray's name of it, and its tolerations before those of the class.
usage: include "ray-vllm-stack.resolve.classes" (dict "root" $ "platforms" <platforms>) | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.classes" -}}
{{- $root := .root }}
{{- $classes := dict }}
{{- range $name, $class := $root.Values.accelerators }}
  {{- if kindIs "map" $class }}
    {{- $entry := dict "defaults" $root.Values.acceleratorDefaults "entry" $class "more" (dict "name" $name) }}
    {{- $class := include "ray-vllm-stack.merge.entry" $entry | fromJson }}
    {{- $platform := get $.platforms $class.platform | default dict }}
    {{- $_ := set $class "resource" ($class.resource | default $platform.resource | default "") }}
    {{- $_ := set $class "rayResource" ($platform.rayResource | default "") }}
    {{- $_ := set $class "tolerations" (concat ($platform.tolerations | default list) $class.tolerations) }}
    {{- $_ := set $classes $name $class }}
  {{- end }}
{{- end }}
{{- toJson $classes }}
{{- end }}

{{/*
Names of the classes of the worker groups of clusters in use, of standalone models and of jobs, in their order, as a JSON array.
Disabled models count, so that disabling one leaves its nodes.
usage: include "ray-vllm-stack.resolve.classesInUse" <resolved> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.resolve.classesInUse" -}}
{{- $names := list }}
{{- range .used }}
  {{- range (get $.clusters .).groups }}{{ $names = append $names (.accelerator | default "") }}{{ end }}
{{- end }}
{{- range .models }}
  {{- if eq .runtime "standalone" }}{{ $names = append $names .accelerator }}{{ end }}
{{- end }}
{{- range .jobs }}
  {{- if .enabled }}{{ $names = append $names ((.cluster | default dict).class | default "") }}{{ end }}
{{- end }}
{{- $ordered := list }}
{{- range $names | uniq }}
  {{- with get $.classes . }}{{ $ordered = append $ordered (printf "%09d %s" (int .order) .name) }}{{ end }}
{{- end }}
{{- $sorted := list }}
{{- range $ordered | sortAlpha }}{{ $sorted = append $sorted (splitList " " . | last) }}{{ end }}
{{- toJson $sorted }}
{{- end }}
