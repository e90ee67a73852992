{{/*
EC2's instance types with accelerators, smallest first, as a JSON array: each with `type`, `resources`, what is left for pods,
and `labels` of its nodes, without the part before the slash.
usage: include "ray-vllm-stack.capacity.instanceTypes" $ | fromJsonArray
*/}}
{{- define "ray-vllm-stack.capacity.instanceTypes" -}}
{{- $types := list }}
{{- range .Files.Get "files/instance-types.csv" | trim | splitList "\n" }}
  {{- if not (hasPrefix "#" .) }}
    {{- $cell := splitList "," . }}
    {{- $type := index $cell 0 }}
    {{- $resources := dict "cpu" (index $cell 2) "memory" (index $cell 3) (index $cell 4) (index $cell 5) "vpc.amazonaws.com/efa" (index $cell 8) }}
    {{- $labels := dict "arch" (index $cell 1) "instance-type" $type "instance-gpu-name" (index $cell 6) "instance-gpu-memory" (index $cell 7) }}
    {{- $_ := merge $labels (dict "instance-family" (splitList "." $type | first) "instance-size" (splitList "." $type | last)) }}
    {{- $types = append $types (dict "type" $type "resources" $resources "labels" $labels) }}
  {{- end }}
{{- end }}
{{- toJson $types }}
{{- end }}

{{/*
What a pool asks of instance types, as far as their table knows the labels, as JSON: label without the part before the slash ->
values. The architecture, GPU and `nodeRequirements` of the class, and what the pool's raw `spec` asks for.
usage: include "ray-vllm-stack.capacity.asked" (dict "class" <class> "pool" <settings>) | fromJson
*/}}
{{- define "ray-vllm-stack.capacity.asked" -}}
{{- $asked := dict "arch" (list .class.architecture) }}
{{- with .class.instance.gpuName }}{{ $_ := set $asked "instance-gpu-name" (list .) }}{{ end }}
{{- range $key, $values := .class.nodeRequirements }}
  {{- $_ := set $asked (splitList "/" $key | last) $values }}
{{- end }}
{{- range .pool.specs }}
  {{- range dig "template" "spec" "requirements" list (. | default dict) }}
    {{- if eq .operator "In" }}{{ $_ := set $asked (splitList "/" .key | last) .values }}{{ end }}
  {{- end }}
{{- end }}
{{- pick $asked "arch" "instance-family" "instance-gpu-name" "instance-size" "instance-type" | toJson }}
{{- end }}

{{/*
Those of some instance types that a pool allows, as a JSON array.
usage: include "ray-vllm-stack.capacity.allowed" (dict "types" <list> "asked" <map> "class" <class>) | fromJsonArray
*/}}
{{- define "ray-vllm-stack.capacity.allowed" -}}
{{- $allowed := list }}
{{- range $type := .types }}
  {{- $fits := ge (get $type.labels "instance-gpu-memory" | int) (int $.class.instance.minGpuMemoryMib) }}
  {{- $fits = and $fits (ge (get $type.resources $.class.resource | int) (int $.class.instance.minGpuCount)) }}
  {{- range $key, $values := $.asked }}
    {{- $fits = and $fits (has (get $type.labels $key) $values) }}
  {{- end }}
  {{- if $fits }}{{ $allowed = append $allowed $type }}{{ end }}
{{- end }}
{{- toJson $allowed }}
{{- end }}

{{/*
Name of the first of some instance types, which is the smallest, that has so much left for pods, or nothing.
usage: include "ray-vllm-stack.capacity.smallest" (dict "types" <list> "needed" <resource -> plain number>)
*/}}
{{- define "ray-vllm-stack.capacity.smallest" -}}
{{- $found := "" }}
{{- range $type := .types }}
  {{- if not $found }}
    {{- $fits := true }}
    {{- range $name, $amount := $.needed }}
      {{- $has := get $type.resources $name | default "0" | include "ray-vllm-stack.quantity.exact" | float64 }}
      {{- $fits = and $fits (ge $has (float64 $amount)) }}
    {{- end }}
    {{- if $fits }}{{ $found = $type.type }}{{ end }}
  {{- end }}
{{- end }}
{{- $found }}
{{- end }}
