{{/*
The gateway's configuration file: only models that are enabled, and the routes to them.
usage: include "ray-vllm-stack.gateway.config" $
*/}}
{{- define "ray-vllm-stack.gateway.config" -}}
{{- $models := dict }}
{{- range $id, $model := include "ray-vllm-stack.models.enabled" . | fromJson }}
  {{- $url := printf "%s/models/%s" (include "ray-vllm-stack.cluster.url" (dict "root" $ "name" $model.cluster)) $id }}
  {{- $_ := set $models $id (dict "url" $url) }}
{{- end }}
{{- $routes := dict }}
{{- range $name, $route := .Values.routes }}
  {{- if $route }}
    {{- $_ := include "ray-vllm-stack.route.backends" $route | fromJson | dict "backends" | set $routes $name }}
  {{- end }}
{{- end }}
{{- dict
  "models" $models
  "routes" $routes
  "limits" .Values.gateway.limits
  "timeouts" .Values.gateway.timeouts
  "retry" .Values.gateway.retry
  | toYaml }}
{{- end }}
