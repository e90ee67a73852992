{{/*
Guards of what keeps a client at one backend.
usage: include "ray-vllm-stack.validate.route.sticky" (dict "root" $ "name" "chat" "route" <route>)
*/}}
{{- define "ray-vllm-stack.validate.route.sticky" -}}
{{- with .route.sticky }}
{{- if and (eq .by "header") (not .header) }}
routes.{{ $.name }}.sticky.header: is empty, name the header whose value keeps a client at one backend
{{- else if and .header (ne .by "header") }}
routes.{{ $.name }}.sticky.header: is {{ .header }}, but sticky is by {{ .by }}, clear it or set by to header
{{- end }}
{{- if and (eq .by "key") (not $.root.Values.auth.enabled) }}
routes.{{ $.name }}.sticky.by: is key, but auth.enabled is false, so that nobody sends a key, use header or user
{{- end }}
{{- end }}
{{- end }}

{{/*
Guards of a route's matches.
usage: include "ray-vllm-stack.validate.route.matches" (dict "root" $ "name" "chat" "route" <route>)
*/}}
{{- define "ray-vllm-stack.validate.route.matches" -}}
{{- range $key, $match := .route.matches }}
{{- $path := printf "routes.%s.matches.%s" $.name $key }}
{{ include "ray-vllm-stack.validate.route.backends" (dict "path" $path "backends" $match.backends) }}
{{- if not (or $match.headers $match.teams) }}
{{ $path }}: has no condition, add headers or teams, or use the route's own backends
{{- end }}
{{- range $match.teams }}
{{- if not (kindIs "map" (get $.root.Values.auth.teams .)) }}
{{ $path }}.teams: there is no team "{{ . }}", add it to auth.teams
{{- end }}
{{- end }}
{{- if and $match.teams (not $.root.Values.auth.enabled) }}
{{ $path }}.teams: nobody is of a team while auth.enabled is false, use headers
{{- end }}
{{- end }}
{{- end }}
