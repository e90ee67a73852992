{{/*
Guards of a model that takes a share of a device. Ray hands out shares of GPUs only, Kubernetes none; and nothing but vLLM's
own setting keeps a replica within its part of the memory.
usage: include "ray-vllm-stack.validate.model.share" (dict "root" $ "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.share" -}}
{{- $share := float64 .model.acceleratorShare }}
{{- $path := printf "models.%s.acceleratorShare" .id }}
{{- if lt $share 1.0 }}
{{- range $kind, $size := .model.parallelism }}
{{- if and (has $kind (list "data" "pipeline" "tensor")) (gt (int $size) 1) }}
{{ $path }}: is {{ $share }}, but parallelism.{{ $kind }} is {{ int $size }}, and a replica of several devices takes whole ones, set one of the two to 1
{{- end }}
{{- end }}
{{- if .model.roles }}
{{ $path }}: is {{ $share }}, but the model has roles, whose replicas take whole devices, leave it at 1
{{- end }}
{{- if eq .model.runtime "standalone" }}
{{ $path }}: is {{ $share }}, but Kubernetes gives standalone models whole devices, set runtime to ray, or leave it at 1
{{- end }}
{{- with get .root.Values.resolved.classes .model.accelerator }}
{{- if ne .rayResource "GPU" }}
{{ $path }}: is {{ $share }}, but Ray shares GPUs only, and class {{ .name }} is of platform {{ .platform }}, leave it at 1
{{- end }}
{{- end }}
{{- with .model.engine.gpu_memory_utilization }}
{{- if gt (float64 .) $share }}
models.{{ $.id }}.engine.gpu_memory_utilization: is {{ . }} of the whole device, more than acceleratorShare ({{ $share }}), lower it, or leave it out
{{- end }}
{{- end }}
{{- end }}
{{- end }}
