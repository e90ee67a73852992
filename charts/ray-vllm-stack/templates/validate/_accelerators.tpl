{{/*
Guards of the accelerator classes.
usage: include "ray-vllm-stack.validate.accelerators" $
*/}}
{{- define "ray-vllm-stack.validate.accelerators" -}}
{{- $platforms := .Values.resolved.platforms }}
{{- range $name, $class := .Values.resolved.classes }}
{{- $path := printf "accelerators.%s" $name }}
{{- if not (hasKey $platforms $class.platform) }}
{{ $path }}.platform: there is no platform "{{ $class.platform }}", use one of: {{ keys $platforms | sortAlpha | join ", " }}
{{- else if and (ne $class.platform "cpu") (not $class.resource) }}
{{ $path }}.resource: is empty, and so is that of platform {{ $class.platform }}, name the device resource, such as nvidia.com/gpu
{{- else if and (eq $class.platform "cpu") $class.resource }}
{{ $path }}.resource: is {{ $class.resource }}, but the class is of platform cpu, set it to "", or use another platform
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
