{{/*
The worker groups of a cluster in their order, as a JSON array: those that `workerGroups` states, or, where it states
none, one for each class and number of devices that a model needs (disabled models count, so that disabling one leaves
the Ray cluster as it is).
usage: include "ray-vllm-stack.resolve.groups" (dict "cluster" <cluster> "classes" <classes>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.resolve.groups" -}}
{{- $classes := .classes }}
{{- $stated := include "ray-vllm-stack.merge.withoutNulls" (.cluster.workerGroups | default dict) | fromJson }}
{{- $groups := dict }}
{{- range $name, $group := $stated }}
  {{- $class := get $classes $group.accelerator | default dict }}
  {{- $own := dict "name" $name "devices" (int (default 1 $group.devices)) "stated" true "pods" ($group.pods | default list) }}
  {{- $group = merge $own $group (dict "hosts" 1 "order" 1000 "maxWorkers" $class.maxWorkers) }}
  {{- $_ := set $groups (printf "%09d %s" (int $group.order) $name) $group }}
{{- end }}
{{- if not $stated }}
  {{- range .cluster.models }}
    {{- $class := get $classes .accelerator | default dict }}
    {{- if $class }}
      {{- $devices := include "ray-vllm-stack.model.devices" . | int }}
      {{- $name := ternary .accelerator (printf "%s-x%d" .accelerator $devices) (eq $devices 1) }}
      {{- $group := dict "name" $name "accelerator" .accelerator "devices" $devices "hosts" 1 "maxWorkers" $class.maxWorkers "pods" list }}
      {{- $_ := set $groups (printf "%09d %09d %s" (int $class.order) $devices $name) $group }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $sorted := list }}
{{- range keys $groups | sortAlpha }}{{ $sorted = append $sorted (get $groups .) }}{{ end }}
{{- toJson $sorted }}
{{- end }}

{{/*
Devices of the worker pod that a model's replica needs: the power of two that holds its tensor parallel size, as nodes
have 1, 2, 4 or 8.
usage: include "ray-vllm-stack.model.devices" <model> | int
*/}}
{{- define "ray-vllm-stack.model.devices" -}}
{{- $tensor := int .parallelism.tensor }}
{{- $devices := 1 }}
{{- range list 2 4 8 16 32 64 }}
  {{- if lt $devices $tensor }}{{ $devices = . }}{{ end }}
{{- end }}
{{- $devices }}
{{- end }}
