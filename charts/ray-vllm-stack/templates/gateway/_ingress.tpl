{{/*
Spec of the gateway's Ingress, before the raw `gateway.ingress.spec`.
usage: include "ray-vllm-stack.gateway.ingress" $
*/}}
{{- define "ray-vllm-stack.gateway.ingress" -}}
{{- $hosts := include "ray-vllm-stack.merge.withoutNulls" .Values.gateway.ingress.hosts | fromJson }}
{{- $backend := dict "service" (dict "name" (include "ray-vllm-stack.gateway.name" .) "port" (dict "name" "http")) }}
{{- $http := dict "paths" (list (dict "path" "/" "pathType" "Prefix" "backend" $backend)) }}
{{- $rules := list }}
{{- $tls := list }}
{{- range $host, $options := $hosts }}
  {{- $rules = append $rules (dict "host" $host "http" $http) }}
  {{- with $options.tlsSecret }}
    {{- $tls = append $tls (dict "hosts" (list $host) "secretName" .) }}
  {{- end }}
{{- end -}}
{{- with .Values.gateway.ingress.className }}
ingressClassName: {{ . }}
{{- end }}
{{- with $tls }}
tls:
  {{- toYaml . | nindent 2 }}
{{- end }}
rules:
  {{- $rules | default (list (dict "http" $http)) | toYaml | nindent 2 }}
{{- end }}
