{{/*
Guards of the routes.
usage: include "ray-vllm-stack.validate.routes" $
*/}}
{{- define "ray-vllm-stack.validate.routes" -}}
{{- $models := include "ray-vllm-stack.models.all" . | fromJson }}
{{- $enabled := include "ray-vllm-stack.models.enabled" . | fromJson }}
{{- range $name, $route := .Values.routes }}
{{- if not (kindIs "invalid" $route) }}
{{- $backends := include "ray-vllm-stack.route.backends" $route | fromJson }}
{{- if hasKey $models $name }}
routes.{{ $name }}: is also the id of a model, rename one of them
{{- end }}
{{- if ne (len $backends) 1 }}
routes.{{ $name }}.backends: has {{ len $backends }} models, name exactly one
{{- end }}
{{- range $id, $_ := $backends }}
{{- if not (hasKey $models $id) }}
routes.{{ $name }}.backends.{{ $id }}: there is no model "{{ $id }}", use one of: {{ keys $models | sortAlpha | join ", " | default "(models is empty)" }}
{{- else if not (hasKey $enabled $id) }}
routes.{{ $name }}.backends.{{ $id }}: the model is not enabled, enable it or remove the route
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
