{{/*
Guards of the room in a class's node pools, which have the limits together: the fewest replicas of all models of the class fit,
and the most of each of them.
usage: include "ray-vllm-stack.validate.capacity.room" (dict "root" $ "class" <class> "pool" <settings>)
*/}}
{{- define "ray-vllm-stack.validate.capacity.room" -}}
{{- $pools := include "ray-vllm-stack.capacity.pools" . | fromJsonArray | len }}
{{- $room := include "ray-vllm-stack.capacity.maxDevices" . | int | mul $pools | int }}
{{- $each := ternary (printf "%d" $room) (printf "%d in the two pools" $room) (eq $pools 1) }}
{{- $path := printf "capacity.nodePools.%s.maxDevices" .class.name }}
{{- $needed := mul .pool.warm.pods .pool.warm.devices | int }}
{{- $warm := ternary "" (printf " and the placeholders" ) (eq $needed 0) }}
{{- range $id, $model := .root.Values.resolved.enabled }}
  {{- if eq .accelerator $.class.name }}
    {{- $needed = add $needed (include "ray-vllm-stack.model.devicesOf" (dict "model" . "bound" "min") | int) | int }}
    {{- $most := include "ray-vllm-stack.model.devicesOf" (dict "model" . "bound" "max") | int }}
    {{- if and $.class.resource $room (gt $most $room) }}
models.{{ $id }}.replicas.max: makes {{ $most }} devices of class {{ $.class.name }}, more than {{ $path }} ({{ $each }}), lower it, or raise that
    {{- end }}
  {{- end }}
{{- end }}
{{- if and .class.resource $room (gt $needed $room) }}
{{ $path }}: is {{ $each }}, but the models of class {{ .class.name }}{{ $warm }} need {{ $needed }} devices for their fewest replicas, raise it
{{- end }}
{{- end }}

{{/*
Guard of the ceilings of worker groups: the most replicas of a model's part fit into the groups that hold it. Ray's autoscaler
keeps to a group's ceiling, and a running cluster keeps the one that it began with.
usage: include "ray-vllm-stack.validate.model.ceiling" (dict "id" "a" "class" <class> "cluster" <cluster> "part" <part> "share" 1.0)
*/}}
{{- define "ray-vllm-stack.validate.model.ceiling" -}}
{{- $most := 0 }}
{{- $names := list }}
{{- range .cluster.groups }}
  {{- if include "ray-vllm-stack.group.holds" (dict "group" . "part" $.part "class" $.class.name) }}
    {{- $units := ternary (int .devices) (get $.class.rayStartParams "num-cpus" | default "1" | int | max 1) (not (empty $.class.resource)) }}
    {{- $perPod := divf $units (mulf (divf (int $.part.needed) (int $.part.hosts)) $.share) | floor | int }}
    {{- $most = add $most (mul (div (int .maxWorkers) (int .hosts)) (max 1 $perPod)) | int }}
    {{- $names = append $names (printf "%s (%d)" .name (int .maxWorkers)) }}
  {{- end }}
{{- end }}
{{- if and $names (gt (int .part.replicas.max) $most) }}
models.{{ .id }}.{{ ternary "" (printf "roles.%s." .part.role) (eq .part.role "") }}replicas.max: is {{ int .part.replicas.max }}, but the worker groups that hold them end at {{ $most }} replicas, by maxWorkers of {{ join ", " $names }}, lower it, or raise that
{{- end }}
{{- end }}

{{/*
Guard of `resourceQuota.hard`: the workers of all models' fewest replicas fit.
usage: include "ray-vllm-stack.validate.capacity.quota" $
*/}}
{{- define "ray-vllm-stack.validate.capacity.quota" -}}
{{- $resolved := .Values.resolved }}
{{- $needed := dict }}
{{- range $resolved.enabled }}
  {{- $class := get $resolved.classes .accelerator | default dict }}
  {{- $share := float64 .acceleratorShare }}
  {{- range ternary .parts list (not (empty $class)) }}
    {{- $group := dict "devices" (int .devices) "hosts" (int .hosts) }}
    {{- $resources := include "ray-vllm-stack.serving.workerResources" (dict "group" $group "class" $class) | fromJson }}
    {{- $pods := mulf (int .replicas.min) $share (divf (int .needed) (int .devices)) }}
    {{- range $name, $quantity := merge (dict) $resources.requests ($resources.limits | default dict) }}
      {{- $amount := include "ray-vllm-stack.quantity.exact" $quantity | float64 | mulf $pods }}
      {{- $_ := set $needed $name (addf (get $needed $name | default 0.0) $amount) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range $name, $quantity := include "ray-vllm-stack.merge.withoutNulls" .Values.resourceQuota.hard | fromJson }}
  {{- $resource := trimPrefix "requests." $name }}
  {{- $most := include "ray-vllm-stack.quantity.exact" $quantity | float64 }}
  {{- $asked := get $needed $resource | default 0.0 }}
  {{- if gt $asked $most }}
    {{- $words := ternary (printf "%.0fGi" (divf $asked 1073741824 | ceil)) (printf "%v" (round $asked 3)) (eq $resource "memory") }}
resourceQuota.hard.{{ $name }}: is {{ $quantity }}, but the workers of the models' fewest replicas ask for {{ $words }}, raise it
  {{- end }}
{{- end }}
{{- if and (hasKey .Values.resourceQuota.hard "limits.cpu") (not .Values.limitRange.default.cpu) }}
resourceQuota.hard.limits.cpu: would admit no pod of ours, which have no limit of CPU, leave it out, or give limitRange.default.cpu
{{- end }}
{{- end }}
