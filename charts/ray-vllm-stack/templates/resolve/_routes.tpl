{{/*
Where a route names models and providers, as a JSON array of {"path": below the route, "id"}, in a stable order.
usage: include "ray-vllm-stack.route.places" <route> | fromJsonArray
*/}}
{{- define "ray-vllm-stack.route.places" -}}
{{- $places := list }}
{{- range $key := list "backends" "shadow" "fallback" }}
  {{- range $id, $_ := get $ $key | default dict }}
    {{- $places = append $places (dict "path" (printf "%s.%s" $key $id) "id" $id) }}
  {{- end }}
{{- end }}
{{- range $name, $match := .matches }}
  {{- range $id, $_ := $match.backends }}
    {{- $places = append $places (dict "path" (printf "matches.%s.backends.%s" $name $id) "id" $id) }}
  {{- end }}
{{- end }}
{{- toJson $places }}
{{- end }}

{{/*
Routes for the further names of enabled models, as JSON; their answers say the name that was asked for.
usage: include "ray-vllm-stack.resolve.servedNames" <enabled models> | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.servedNames" -}}
{{- $routes := dict }}
{{- range $id, $model := . }}
  {{- range $model.servedNames }}
    {{- $_ := set $routes . (dict "backends" (dict $id dict) "answerModel" "route") }}
  {{- end }}
{{- end }}
{{- toJson $routes }}
{{- end }}

{{/*
Whether a route leads to a model: "true" or nothing.
usage: if include "ray-vllm-stack.routes.lead" (dict "root" $ "id" "qwen3-8b")
*/}}
{{- define "ray-vllm-stack.routes.lead" -}}
{{- $lead := false }}
{{- range concat (values .root.Values.resolved.routes) (values .root.Values.resolved.servedNames) }}
  {{- range include "ray-vllm-stack.route.places" . | fromJsonArray }}
    {{- $lead = or $lead (eq .id $.id) }}
  {{- end }}
{{- end }}
{{- if $lead }}true{{ end }}
{{- end }}

{{/*
The providers over their defaults, as JSON.
usage: include "ray-vllm-stack.resolve.providers" $ | fromJson
*/}}
{{- define "ray-vllm-stack.resolve.providers" -}}
{{- $providers := dict }}
{{- range $id, $entry := .Values.providers }}
  {{- if kindIs "map" $entry }}
    {{- $layers := dict "defaults" $.Values.providerDefaults "entry" $entry }}
    {{- $_ := include "ray-vllm-stack.merge.entry" $layers | fromJson | set $providers $id }}
  {{- end }}
{{- end }}
{{- toJson $providers }}
{{- end }}
