{{/*
Guards of the routes.
usage: include "ray-vllm-stack.validate.routes" $
*/}}
{{- define "ray-vllm-stack.validate.routes" -}}
{{- $models := merge (dict) .Values.resolved.models .Values.resolved.pipelines }}
{{- $providers := .Values.resolved.providers }}
{{- $adapters := .Values.resolved.adapters }}
{{- range $name, $route := .Values.resolved.routes }}
{{- if hasKey $models $name }}
routes.{{ $name }}: is also the id of a model, rename one of them
{{- else if hasKey $providers $name }}
routes.{{ $name }}: is also the name of a provider, rename one of them
{{- else if hasKey $adapters $name }}
routes.{{ $name }}: is also an adapter of models.{{ get $adapters $name }}, rename one of them
{{- end }}
{{- $context := dict "root" $ "name" $name "route" $route "models" $models "providers" $providers }}
{{ include "ray-vllm-stack.validate.route.backends" (dict "path" (printf "routes.%s" $name) "backends" $route.backends) }}
{{ include "ray-vllm-stack.validate.route.models" $context }}
{{ include "ray-vllm-stack.validate.route.tasks" $context }}
{{ include "ray-vllm-stack.validate.route.others" $context }}
{{ include "ray-vllm-stack.validate.route.sticky" $context }}
{{ include "ray-vllm-stack.validate.route.matches" $context }}
{{- end }}
{{- end }}

{{/*
Guards of weights.
usage: include "ray-vllm-stack.validate.route.backends" (dict "path" "routes.chat" "backends" <map>)
*/}}
{{- define "ray-vllm-stack.validate.route.backends" -}}
{{- $weights := 0 }}
{{- range .backends }}
{{- $weights = add $weights (dig "weight" 1 . | int) }}
{{- end }}
{{- if not .backends }}
{{ .path }}.backends: is empty, so that nobody would answer, name a model
{{- else if eq $weights 0 }}
{{ .path }}.backends: has no weight above 0, so that nobody would answer, give one of them a weight
{{- end }}
{{- end }}

{{/*
Guards of the models that a route names.
usage: include "ray-vllm-stack.validate.route.models" (dict "name" "chat" "route" <route> "models" <map> "providers" <map>)
*/}}
{{- define "ray-vllm-stack.validate.route.models" -}}
{{- $known := concat (keys .models | sortAlpha) (keys .providers | sortAlpha) | join ", " }}
{{- range include "ray-vllm-stack.route.places" .route | fromJsonArray }}
{{- if hasKey $.models .id }}
{{- if not (get $.models .id).enabled }}
routes.{{ $.name }}.{{ .path }}: the model is not enabled, enable it or take it out of the route
{{- end }}
{{- else if not (hasKey $.providers .id) }}
routes.{{ $.name }}.{{ .path }}: there is no model or provider "{{ .id }}", use one of: {{ $known | default "(models is empty)" }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guard of a route's one task: a request is for one kind of model.
usage: include "ray-vllm-stack.validate.route.tasks" (dict "name" "chat" "route" <route> "models" <map> "providers" <map>)
*/}}
{{- define "ray-vllm-stack.validate.route.tasks" -}}
{{- $first := dict }}
{{- range include "ray-vllm-stack.route.places" .route | fromJsonArray }}
{{- $entry := get $.models .id | default (get $.providers .id) }}
{{- if $entry }}
{{- $task := $entry.task | default "generate" }}
{{- if not $first }}
{{- $first = dict "id" .id "task" $task }}
{{- else if ne $task $first.task }}
routes.{{ $.name }}.{{ .path }}: is a model for {{ $task }}, but {{ $first.id }} of the same route is for {{ $first.task }}, put them into two routes
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a route's fallback and shadow: they are other models than the one that answers. Where a route has several backends,
one of them may be the fallback of the others, and an edit of weights alone, such as a canary's last step, is never refused for
a fallback beside others.
usage: include "ray-vllm-stack.validate.route.others" (dict "name" "chat" "route" <route>)
*/}}
{{- define "ray-vllm-stack.validate.route.others" -}}
{{- $chosen := list }}
{{- range prepend (values (.route.matches | default dict)) .route }}
{{- range $id, $backend := .backends }}
{{- if gt (dig "weight" 1 $backend | int) 0 }}{{ $chosen = append $chosen $id }}{{ end }}
{{- end }}
{{- end }}
{{- $only := uniq $chosen | join " " }}
{{- range $id, $_ := .route.shadow }}
{{- if eq $only $id }}
routes.{{ $.name }}.shadow.{{ $id }}: is also the only backend, whose copies would tell nothing, name another model
{{- end }}
{{- end }}
{{- range $id, $_ := .route.fallback }}
{{- if and (eq $only $id) (eq (len $.route.fallback) 1) }}
routes.{{ $.name }}.fallback.{{ $id }}: is also the only backend, which is not asked again when it has failed, name another model or a provider
{{- end }}
{{- end }}
{{- end }}
