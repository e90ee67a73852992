{{/*
Guards of where a model runs: its cluster, its accelerator class, and a worker group that holds a replica.
usage: include "ray-vllm-stack.validate.model.placement" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.placement" -}}
{{- $resolved := .root.Values.resolved }}
{{- if not (hasKey $resolved.clusters .model.cluster) }}
models.{{ .id }}.cluster: there is no cluster "{{ .model.cluster }}", use one of: {{ keys $resolved.clusters | sortAlpha | join ", " }}
{{- end }}
{{- $classes := keys $resolved.classes | sortAlpha | join ", " }}
{{- if not .model.accelerator }}
models.{{ .id }}.accelerator: is empty, use one of: {{ $classes }}
{{- else if not (hasKey $resolved.classes .model.accelerator) }}
models.{{ .id }}.accelerator: there is no accelerator class "{{ .model.accelerator }}", use one of: {{ $classes }}
{{- else if eq .model.runtime "standalone" }}{{/* validate/_standalone.tpl */}}
{{- else if hasKey $resolved.clusters .model.cluster }}
{{- $class := get $resolved.classes .model.accelerator }}
{{- $cluster := get $resolved.clusters .model.cluster }}
{{ include "ray-vllm-stack.validate.model.group" (dict "id" .id "model" .model "class" $class "cluster" $cluster) }}
{{- end }}
{{- end }}

{{/*
Guards of a model's parallelism, of its worker groups, and of one platform for each cluster, which has one image.
usage: include "ray-vllm-stack.validate.model.group" (dict "id" … "model" … "class" … "cluster" …)
*/}}
{{- define "ray-vllm-stack.validate.model.group" -}}
{{- $class := .class }}
{{- range .model.parts }}
{{- $path := printf "models.%s.%sparallelism" $.id (ternary (printf "roles.%s." .role) "" (ne .role "")) }}
{{- $context := dict "id" $.id "class" $class "cluster" $.cluster "part" . "path" $path "share" (float64 $.model.acceleratorShare) }}
{{- $problem := include "ray-vllm-stack.validate.model.parallelism" $context }}
{{ $problem }}
{{- if not (trim $problem) }}
{{ include "ray-vllm-stack.validate.model.held" $context }}
{{ include "ray-vllm-stack.validate.model.ceiling" $context }}
{{- end }}
{{- end }}
{{- if ne $class.platform .cluster.platform }}
models.{{ .id }}.accelerator: is of platform {{ $class.platform }}, but cluster {{ .cluster.name }} has models of platform {{ .cluster.platform }} and one image for all, put them on two clusters
{{- end }}
{{- end }}

{{/*
Guards of the parallelism of one kind of replicas, for its class.
usage: include "ray-vllm-stack.validate.model.parallelism" (dict "path" … "part" … "class" …)
*/}}
{{- define "ray-vllm-stack.validate.model.parallelism" -}}
{{- $sizes := .part.parallelism }}
{{- $perHost := int .class.devicesPerHost }}
{{- $tensor := int $sizes.tensor }}
{{- if and (not .class.resource) (gt (int .part.needed) $tensor) }}
{{ .path }}: asks for pipeline * data above 1, but workers of class {{ .class.name }} have no devices, leave both at 1
{{- else if .class.resource }}
{{- if gt $tensor $perHost }}
{{ .path }}.tensor: is {{ $tensor }}, but a host of class {{ .class.name }} has {{ $perHost }} {{ .class.resource }}, lower it and set pipeline to {{ div (add $tensor (sub $perHost 1)) $perHost }}, or use another class
{{- else if and (gt (int .part.hosts) 1) (mod $perHost $tensor) }}
{{ .path }}.tensor: is {{ $tensor }}, which does not divide the {{ $perHost }} devices of a host of class {{ .class.name }}, so that a stage would span two, use {{ $perHost }}
{{- else if and (gt (int .part.hosts) 1) (mod (int .part.needed) $perHost) }}
{{ .path }}: needs {{ .part.needed }} devices, which is no multiple of the {{ $perHost }} of a host of class {{ .class.name }}, change tensor, pipeline or data
{{- end }}
{{- end }}
{{- if and $sizes.expert (eq (mul $tensor (int .part.ranks) | int) 1) }}
{{ .path }}.expert: is set, but tensor * data is 1 and there is nothing to spread experts over, raise one of them
{{- end }}
{{- if and (gt (int .part.ranks) 1) (gt (int $sizes.pipeline) 1) }}
{{ .path }}.data: is {{ .part.ranks }} and pipeline is {{ int $sizes.pipeline }}, which vLLM does not serve together, leave one at 1
{{- end }}
{{- end }}

{{/*
Guard of a worker group that holds one kind of replicas, where the cluster states its groups.
usage: include "ray-vllm-stack.validate.model.held" (dict "id" … "part" … "class" … "cluster" …)
*/}}
{{- define "ray-vllm-stack.validate.model.held" -}}
{{- $held := "" }}
{{- range .cluster.groups }}
  {{- $held = $held | default (include "ray-vllm-stack.group.holds" (dict "group" . "part" $.part "class" $.class.name)) }}
{{- end }}
{{- if not $held }}
{{- $devices := int .part.devices }}
{{- $name := list .class.name (.part.pods | default (ternary (printf "x%d" $devices) "" (gt $devices 1))) | compact | join "-" }}
{{- $hosts := ternary (printf ", hosts: %d" (int .part.hosts)) "" (gt (int .part.hosts) 1) }}
models.{{ .id }}: cluster {{ .cluster.name }} states its worker groups, and none {{ if .part.pods }}is of class {{ .class.name }} with {{ int .part.hosts }} hosts of {{ $devices }} devices{{ else }}has class {{ .class.name }} with {{ .part.needed }} device{{ if gt (int .part.needed) 1 }}s{{ end }} a pod{{ end }}, add one, such as clusters.{{ .cluster.name }}.workerGroups.{{ $name }}: {accelerator: {{ .class.name }}, devices: {{ $devices }}{{ $hosts }}}
{{- end }}
{{- end }}
