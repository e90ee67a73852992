{{/*
Guards of where a model runs: its cluster, its accelerator class, and how many devices a replica takes.
usage: include "ray-vllm-stack.validate.model.placement" (dict "root" $ "id" "a" "model" <model> "first" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.placement" -}}
{{- $values := .root.Values }}
{{- if not (hasKey $values.clusters .model.cluster) }}
models.{{ .id }}.cluster: there is no cluster "{{ .model.cluster }}", use one of: {{ keys $values.clusters | sortAlpha | join ", " }}
{{- end }}
{{- $classes := keys $values.accelerators | sortAlpha | join ", " }}
{{- if not .model.accelerator }}
models.{{ .id }}.accelerator: is empty, use one of: {{ $classes }}
{{- else if not (hasKey $values.accelerators .model.accelerator) }}
models.{{ .id }}.accelerator: there is no accelerator class "{{ .model.accelerator }}", use one of: {{ $classes }}
{{- else }}
{{ include "ray-vllm-stack.validate.model.tensor" . }}
{{ include "ray-vllm-stack.validate.model.kind" . }}
{{- end }}
{{- end }}

{{/*
Guards of a model's tensor parallelism.
usage: include "ray-vllm-stack.validate.model.tensor" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.tensor" -}}
{{- $name := .model.accelerator }}
{{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" .root "name" $name) | fromJson }}
{{- $tensor := int .model.parallelism.tensor }}
{{- if and (eq $class.kind "cpu") (gt $tensor 1) }}
models.{{ .id }}.parallelism.tensor: is {{ $tensor }}, but workers of class {{ $name }} have no devices, leave it at 1
{{- else if and (eq $class.kind "gpu") (gt $tensor (int $class.count)) }}
models.{{ .id }}.parallelism.tensor: is {{ $tensor }}, but a worker of class {{ $name }} has {{ int $class.count }} {{ $class.resource }}, lower it or use a class with a higher count
{{- end }}
{{- end }}

{{/*
Guard of one serve image per cluster: its models run either on CPUs or on GPUs.
usage: include "ray-vllm-stack.validate.model.kind" (dict "root" $ "id" "a" "model" <model> "first" <its cluster's first>)
*/}}
{{- define "ray-vllm-stack.validate.model.kind" -}}
{{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" .root "name" .model.accelerator) | fromJson }}
{{- if hasKey .root.Values.accelerators .first.accelerator }}
{{- $first := include "ray-vllm-stack.accelerator.resolved" (dict "root" .root "name" .first.accelerator) | fromJson }}
{{- if ne $class.kind $first.kind }}
models.{{ .id }}.accelerator: is of kind {{ $class.kind }}, but cluster {{ .model.cluster }} has model {{ .first.id }} of kind {{ $first.kind }} and one image for all, put them on two clusters
{{- end }}
{{- end }}
{{- end }}
