{{/*
Guards of the accelerator classes.
usage: include "ray-vllm-stack.validate.accelerators" $
*/}}
{{- define "ray-vllm-stack.validate.accelerators" -}}
{{- range $name, $_ := .Values.accelerators }}
{{- $class := include "ray-vllm-stack.accelerator.resolved" (dict "root" $ "name" $name) | fromJson }}
{{- $path := printf "accelerators.%s" $name }}
{{- if eq $class.kind "gpu" }}
{{- if lt (int $class.count) 1 }}
{{ $path }}.count: is {{ int $class.count }}, give workers of a GPU class at least one device, or set kind to cpu
{{- end }}
{{- if not $class.resource }}
{{ $path }}.resource: is empty, name the device resource of a GPU class, such as nvidia.com/gpu, or set kind to cpu
{{- end }}
{{- else if $class.resource }}
{{ $path }}.resource: is {{ $class.resource }}, but the class is of kind cpu, set it to "", or kind to gpu
{{- end }}
{{- if hasKey $class.rayStartParams "labels" }}
{{ $path }}.rayStartParams.labels: is refused by KubeRay, leave it out
{{- end }}
{{- with get $class.rayStartParams "resources" }}
{{- if hasKey (trimAll "'\"" . | replace "\\" "" | fromJson) "Error" }}
{{ $path }}.rayStartParams.resources: is {{ . }}, write it as JSON in single quotes, such as '{"disk": 1}'
{{- end }}
{{- end }}
{{- end }}
{{- end }}
