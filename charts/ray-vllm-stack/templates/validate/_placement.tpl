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
{{- $more := dict "class" (get $resolved.classes .model.accelerator) "cluster" (get $resolved.clusters .model.cluster) }}
{{ include "ray-vllm-stack.validate.model.group" (merge $more .) }}
{{- end }}
{{- end }}

{{/*
Guards of a model's tensor parallelism, of its worker group, and of one platform for each cluster, which has one image.
usage: include "ray-vllm-stack.validate.model.group" (dict "root" $ "id" … "model" … "class" … "cluster" …)
*/}}
{{- define "ray-vllm-stack.validate.model.group" -}}
{{- $class := .class }}
{{- $tensor := int .model.parallelism.tensor }}
{{- $fits := false }}
{{- range .cluster.groups }}
  {{- $fits = or $fits (and (eq .accelerator $class.name) (ge (int .devices) $tensor)) }}
{{- end }}
{{- if and (not $class.resource) (gt $tensor 1) }}
models.{{ .id }}.parallelism.tensor: is {{ $tensor }}, but workers of class {{ $class.name }} have no devices, leave it at 1
{{- else if gt $tensor (int $class.devicesPerHost) }}
models.{{ .id }}.parallelism.tensor: is {{ $tensor }}, but a host of class {{ $class.name }} has {{ int $class.devicesPerHost }} {{ $class.resource }}, lower it or use another class
{{- else if not $fits }}
models.{{ .id }}: cluster {{ .cluster.name }} states its worker groups, and none has class {{ $class.name }} with {{ $tensor }} device{{ if gt $tensor 1 }}s{{ end }} a pod, add one, such as clusters.{{ .cluster.name }}.workerGroups.{{ $class.name }}: {accelerator: {{ $class.name }}, devices: {{ include "ray-vllm-stack.model.devices" .model }}}
{{- end }}
{{- if ne $class.platform .cluster.platform }}
models.{{ .id }}.accelerator: is of platform {{ $class.platform }}, but cluster {{ .cluster.name }} has models of platform {{ .cluster.platform }} and one image for all, put them on two clusters
{{- end }}
{{- end }}
