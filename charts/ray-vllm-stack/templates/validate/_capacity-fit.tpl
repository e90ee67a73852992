{{/*
Guard of the instance types that a pool allows: one of them holds a worker pod beside a node's DaemonSets. Nothing is refused
that is not known: other clouds, classes without devices, and GPUs and families that the table does not have.
usage: include "ray-vllm-stack.validate.capacity.instance" (dict "root" $ "class" <class> "pool" <settings> "domain" "karpenter.k8s.aws")
*/}}
{{- define "ray-vllm-stack.validate.capacity.instance" -}}
{{- $types := list }}
{{- range include "ray-vllm-stack.capacity.instanceTypes" .root | fromJsonArray }}
  {{- if hasKey .resources ($.class.resource | default "none") }}{{ $types = append $types . }}{{ end }}
{{- end }}
{{- $asked := include "ray-vllm-stack.capacity.asked" . | fromJson }}
{{- $known := and (has .domain (list "karpenter.k8s.aws" "eks.amazonaws.com")) (not (empty $types)) }}
{{- range $key, $values := $asked }}
  {{- $there := false }}
  {{- range $types }}{{ if has (get .labels $key) $values }}{{ $there = true }}{{ end }}{{ end }}
  {{- $known = and $known (or $there (eq $key "arch")) }}
{{- end }}
{{- if $known }}
{{- $allowed := include "ray-vllm-stack.capacity.allowed" (dict "types" $types "asked" $asked "class" .class) | fromJsonArray }}
{{- $any := dict "instance" (dict "minGpuCount" 0 "minGpuMemoryMib" 0) "resource" .class.resource }}
{{- $alike := include "ray-vllm-stack.capacity.allowed" (dict "types" $types "asked" (pick $asked "instance-gpu-name") "class" $any) | fromJsonArray }}
{{- range $name, $group := include "ray-vllm-stack.validate.capacity.shapes" . | fromJson }}
{{- $needed := include "ray-vllm-stack.validate.capacity.needed" (dict "root" $.root "class" $.class "group" $group "types" $types) | fromJson }}
{{- if not (include "ray-vllm-stack.capacity.smallest" (dict "types" $allowed "needed" $needed)) }}
{{- $would := include "ray-vllm-stack.capacity.smallest" (dict "types" $alike "needed" $needed) }}
{{- $would = $would | default (include "ray-vllm-stack.capacity.smallest" (dict "types" $types "needed" $needed)) }}
{{- $gib := printf "%.1f" (divf $needed.memory 1073741824) | trimSuffix ".0" }}
{{- $devices := omit $needed "cpu" "memory" }}
{{- $words := list (printf "%v CPUs" $needed.cpu) (printf "%s GiB" $gib) }}
{{- range $resource, $amount := $devices }}{{ $words = append $words (printf "%v %s" $amount $resource) }}{{ end }}
accelerators.{{ $.class.name }}.perDevice: a pod of {{ $name }} and the DaemonSets of its node ask for {{ join ", " $words }}, which no instance type has that node pool {{ $.class.name }} allows{{ with last $allowed }} (the largest is {{ .type }}){{ end }}, lower it{{ with $would }}, or allow {{ . }}, the smallest that has it{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The shapes of pods of a class, as JSON: worker groups and standalone models by what they are called.
usage: include "ray-vllm-stack.validate.capacity.shapes" (dict "root" $ "class" <class>) | fromJson
*/}}
{{- define "ray-vllm-stack.validate.capacity.shapes" -}}
{{- $resolved := .root.Values.resolved }}
{{- $shapes := dict }}
{{- range $cluster := $resolved.used }}
  {{- range (get $resolved.clusters .).groups }}
    {{- if eq (.accelerator | default "") $.class.name }}
      {{- $_ := set $shapes (printf "worker group %s" .name) (pick . "devices" "hosts") }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range $id, $model := $resolved.standalone }}
  {{- if eq .accelerator $.class.name }}
    {{- $_ := set $shapes (printf "standalone model %s" $id) (dict "devices" (include "ray-vllm-stack.standalone.devices" . | int) "hosts" 1) }}
  {{- end }}
{{- end }}
{{- toJson $shapes }}
{{- end }}

{{/*
What a worker pod and a node's DaemonSets ask for together, as JSON: resource -> plain number. Resources that the table of
instance types knows nothing of, such as hugepages, are left out.
usage: include "ray-vllm-stack.validate.capacity.needed" (dict "root" $ "class" <class> "group" <shape> "types" <list>) | fromJson
*/}}
{{- define "ray-vllm-stack.validate.capacity.needed" -}}
{{- $resources := include "ray-vllm-stack.serving.workerResources" (dict "group" .group "class" .class) | fromJson }}
{{- $asked := merge (dict) $resources.requests ($resources.limits | default dict) }}
{{- $needed := dict }}
{{- range $name := keys (first .types).resources }}
  {{- $pod := get $asked $name | default "0" | include "ray-vllm-stack.quantity.exact" | float64 }}
  {{- $daemons := get $.root.Values.capacity.daemonSets $name | default "0" | include "ray-vllm-stack.quantity.exact" | float64 }}
  {{- if gt (addf $pod $daemons) 0.0 }}{{ $_ := set $needed $name (round (addf $pod $daemons) 3) }}{{ end }}
{{- end }}
{{- toJson $needed }}
{{- end }}
