{{/*
Ray Serve's configuration: one application per enabled model and pipeline, so that an edit of one leaves the others alone. On IPv6 the
host is spelt `::0`: Ray tells HAProxy `*` for `::`, which HAProxy takes for IPv4.
usage: include "ray-vllm-stack.serving.serveConfig" <context>
*/}}
{{- define "ray-vllm-stack.serving.serveConfig" -}}
proxy_location: EveryNode
http_options:
  host: {{ ternary "'::0'" "0.0.0.0" (eq .cluster.ipFamily "IPv6") }}
  port: 8000
{{- $applications := list }}
{{- range $id, $model := .cluster.models }}
  {{- if $model.enabled }}
    {{- $application := include "ray-vllm-stack.serving.application" (dict "root" $.root "model" $model) }}
    {{- $applications = append $applications $application }}
  {{- end }}
{{- end }}
{{- range $id, $pipeline := .cluster.pipelines }}
  {{- if $pipeline.enabled }}
    {{- $application := include "ray-vllm-stack.pipelines.application" (dict "root" $.root "pipeline" $pipeline) }}
    {{- $applications = append $applications $application }}
  {{- end }}
{{- end }}
{{- if $applications }}
applications:
{{- range $applications }}
  - {{ . | indent 4 | trim }}
{{- end }}
{{- else }}
applications: []
{{- end }}
{{- end }}
