{{/*
The worker groups of a cluster in their order, as a JSON array: those that `workerGroups` states, or, where it states
none, one for each class and shape of pods that a model needs (disabled models count, so that disabling one leaves
the Ray cluster as it is).
usage: include "ray-vllm-stack.resolve.groups" (dict "cluster" <cluster> "classes" <classes>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.resolve.groups" -}}
{{- $classes := .classes }}
{{- $stated := include "ray-vllm-stack.merge.withoutNulls" (.cluster.workerGroups | default dict) | fromJson }}
{{- $groups := dict }}
{{- range $name, $group := $stated }}
  {{- $class := get $classes $group.accelerator | default dict }}
  {{- $own := dict "name" $name "devices" (int (default 1 $group.devices)) "stated" true "statesMax" (hasKey $group "maxWorkers") "pods" ($group.pods | default list) }}
  {{- $group = merge $own $group (dict "hosts" 1 "order" 1000 "maxWorkers" $class.maxWorkers) }}
  {{- $_ := set $groups (printf "%09d %s" (int $group.order) $name) $group }}
{{- end }}
{{- if not $stated }}
  {{- range $model := .cluster.models }}
    {{- $class := get $classes $model.accelerator | default dict }}
    {{- if $class }}
      {{- range $model.parts }}
        {{- $group := dict "accelerator" $model.accelerator "devices" .devices "hosts" .hosts "maxWorkers" $class.maxWorkers "statesMax" false "pods" list }}
        {{- $shape := .pods | default (ternary "" (printf "x%d" (int .devices)) (eq (int .devices) 1)) }}
        {{- $name := list $model.accelerator $shape | compact | join "-" }}
        {{- $_ := set $group "name" $name }}
        {{- $_ := set $groups (printf "%09d %09d %09d %s" (int $class.order) (int .hosts) (int .devices) $name) $group }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $sorted := list }}
{{- range keys $groups | sortAlpha }}{{ $sorted = append $sorted (get $groups .) }}{{ end }}
{{- toJson $sorted }}
{{- end }}
