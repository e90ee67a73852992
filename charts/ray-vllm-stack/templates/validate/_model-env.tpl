{{/*
Guard of a model's variables: Ray Serve's configuration holds them, where no reference is resolved and no secret belongs.
usage: include "ray-vllm-stack.validate.model.env" (dict "id" "a" "model" <model>)
*/}}
{{- define "ray-vllm-stack.validate.model.env" -}}
{{- range $name, $value := .model.env }}
{{- if kindIs "map" $value }}
models.{{ $.id }}.env.{{ $name }}: is no text, but Serve's configuration holds a model's variables and resolves no reference, set it in clusters.{{ $.model.cluster }}.env
{{- end }}
{{- end }}
{{- end }}
